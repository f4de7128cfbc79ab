"""The Python interface: the public names and the testing kit."""

from __future__ import annotations

import inspect
from types import ModuleType

import redpoll
import redpoll.testing
from redpoll_reference.markdown import directive, said

INTRODUCTION = """# Python interface

*For anyone who imports Redpoll: what may be relied on.*

The names of `redpoll` and `redpoll.testing` below are public and change only with a deprecation. Everything else may
change from one version to the next.
"""


def page() -> str:
    """The page of the Python interface."""
    parts = [f"## `{module.__name__}`\n\n{_names(module)}" for module in (redpoll, redpoll.testing)]
    return "\n\n".join([INTRODUCTION, *parts]) + "\n"


def _names(module: ModuleType) -> str:
    names = [name for name in getattr(module, "__all__", []) if not name.startswith("__")]
    return "\n\n".join(_name(module, name) for name in names)


def _name(module: ModuleType, name: str) -> str:
    thing = getattr(module, name)
    said(thing.__doc__, f"{module.__name__}.{name}")
    if inspect.isclass(thing):
        kind = "autoexception" if issubclass(thing, Exception) else "autoclass"
        options = "\n   :members:" if kind == "autoclass" else ""
    else:
        kind, options = ("autofunction" if callable(thing) else "autodata"), ""
    return directive("eval-rst", f".. {kind}:: {module.__name__}.{name}{options}")
