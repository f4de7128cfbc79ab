"""The Python interface: the public names, module by module, and the testing kit."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType

import redpoll
import redpoll.testing
from redpoll_reference.markdown import directive, docstring, required

MODULES = (
    "light_curves",
    "photometry",
    "curve_fitting",
    "statistics",
    "cutouts",
    "sky",
    "conditions",
    "typing",
    "client",
)
INTRODUCTION = """# Python interface

*For anyone who imports Redpoll: what may be relied on.*

The names below are public and change only with a deprecation. Everything else may change from one version to the next.
"""


def page() -> str:
    """The page of the Python interface."""
    parts = [_section(module, names) for module, names in public()]
    return "\n\n".join([INTRODUCTION, *parts]) + "\n"


def public() -> Iterator[tuple[ModuleType, list[str]]]:
    """Each public module with its public names: `redpoll` and its modules, then the testing kit."""
    for module in (redpoll, *(import_module(f"redpoll.{name}") for name in MODULES)):
        yield module, [name for name in module.__all__ if not name.startswith("__")]
    for found in pkgutil.iter_modules(redpoll.testing.__path__, "redpoll.testing."):
        module = import_module(found.name)
        yield module, [name for name, thing in vars(module).items() if _is_own(thing, name, module)]


def _is_own(thing: object, name: str, module: ModuleType) -> bool:
    defined_as = getattr(thing, "__module__", None), getattr(thing, "__name__", None)
    return not name.startswith("_") and defined_as == (module.__name__, name)


def _section(module: ModuleType, names: list[str]) -> str:
    text = required(module.__doc__, module.__name__) if module is not redpoll else ""
    return "\n\n".join([f"## `{module.__name__}`", docstring(text), *(_name(module, name) for name in names)])


def _name(module: ModuleType, name: str) -> str:
    thing = getattr(module, name)
    if not (inspect.isfunction(thing) or inspect.isclass(thing)):
        return directive("eval-rst", f".. autodata:: {module.__name__}.{name}\n   :no-value:")
    required(thing.__doc__, f"{module.__name__}.{name}")
    if not inspect.isclass(thing):
        return directive("eval-rst", f".. autofunction:: {module.__name__}.{name}")
    if issubclass(thing, Exception):
        return directive("eval-rst", f".. autoexception:: {module.__name__}.{name}")
    members = "\n   :members:" if not module.__name__.startswith("redpoll.testing") else ""
    return directive("eval-rst", f".. autoclass:: {module.__name__}.{name}{members}")
