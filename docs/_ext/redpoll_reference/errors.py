"""Every error Redpoll raises on purpose."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import redpoll
from redpoll.errors import RedpollError
from redpoll_reference.markdown import code, required, table

INTRODUCTION = """# Errors

*For anyone who meets a message of Redpoll's, or catches one in a script.*

Every error that Redpoll raises on purpose is a `RedpollError`. Its message states what is wrong, where, and what to do.
A `UsageError` ends a command with exit code 2, the others with 1.
"""


def page() -> str:
    """The page of errors."""
    import_all()
    tree = "\n".join(_tree(RedpollError, "", ""))
    rows = [[f"`{e.__name__}`", required(e.__doc__, f"error {e.__name__}"), f"`{e.__module__}`"] for e in every()]
    return "\n\n".join([INTRODUCTION, code(tree, "text"), table(["error", "when", "defined in"], rows)]) + "\n"


def import_all() -> None:
    """Import all of Redpoll, so that every error is known."""
    for module in pkgutil.walk_packages(redpoll.__path__, "redpoll."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def every(root: type[RedpollError] = RedpollError) -> Iterator[type[RedpollError]]:
    """An error and all below it."""
    yield root
    for child in _children(root):
        yield from every(child)


def _children(error: type[RedpollError]) -> list[type[RedpollError]]:
    return [child for child in error.__subclasses__() if child.__module__.startswith("redpoll.")]


def _tree(error: type[RedpollError], first: str, rest: str) -> Iterator[str]:
    yield first + error.__name__
    children = _children(error)
    for child in children:
        last = child is children[-1]
        yield from _tree(child, rest + ("└── " if last else "├── "), rest + ("    " if last else "│   "))
