"""Pickling of plugins for worker processes: by module and name, never by code."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from pickle import PicklingError
from typing import Any

from redpoll.plugin.node import FILE_PREFIX


def reference(function: Callable[..., Any]) -> tuple[Any, ...]:
    """The value of ``__reduce__`` for the plugin made from `function`: its module and name.

    Raises
    ------
    PicklingError
        If the plugin is not at the top level of a module.
    """
    if "." in function.__qualname__:
        raise PicklingError(
            f"{function.__qualname__}: move it to the top level of a file, so that workers can import it"
        )
    if function.__module__.startswith(FILE_PREFIX):
        return _from_file, (sys.modules[function.__module__].__file__, function.__qualname__)
    return _from_module, (function.__module__, function.__qualname__)


def _from_module(module: str, name: str) -> Any:
    return getattr(import_module(module), name)


def _from_file(path: str, name: str) -> Any:
    from redpoll.plugin.user_file import imported_file  # keeps `import redpoll` light

    return getattr(imported_file(path), name)
