"""Decorators of compiled functions: kernels, called from Python, and parts, called only by compiled functions.

Numba is imported, and a function compiled, when a kernel is first called: importing Redpoll stays fast. How they are
compiled and cached is in `redpoll.compiler`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, update_wrapper
from typing import Any, TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., Any])


class _CompiledLater:
    """A function that is given to numba when it is first called, by Python or by a kernel that is compiled."""

    def __init__(self, function: Callable[..., Any], compile_with: str, options: dict[str, Any]) -> None:
        update_wrapper(self, function)
        self._function, self._compile_with, self._options = function, compile_with, options

    @cached_property
    def _dispatcher(self) -> Any:
        from redpoll import compiler

        return getattr(compiler, self._compile_with)(self._function, **self._options)

    def __call__(self, *args: Any) -> Any:
        return self._dispatcher(*args)

    def __getattr__(self, name: str) -> Any:
        """Attributes of numba's dispatcher."""
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._dispatcher, name)

    @property
    def _numba_type_(self) -> Any:
        """The type by which numba knows the function in other compiled functions."""
        from numba import types

        return types.Dispatcher(self._dispatcher)


def kernel(function: Function) -> Function:
    """Decorator of a compiled function called from Python."""
    return cast(Function, _CompiledLater(function, "kernel", {}))


def parts(**options: Any) -> Callable[[Function], Function]:
    """Decorator of a function that kernels call, with options of numba; a call from Python raises TypeError."""

    def decorate(function: Function) -> Function:
        return cast(Function, _CompiledLater(function, "part", options))

    return decorate


part = parts()
"""Decorator of a function called by kernels."""
