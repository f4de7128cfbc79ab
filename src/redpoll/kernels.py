"""How compiled functions are made: kernels, which Python calls, of parts, which only other compiled functions call.

A kernel is kept on disk. A part is typed and lowered to LLVM's intermediate code, but optimised and turned into machine
code only within the kernels that use it: numba would do that for each part too, and for all that it calls, so that
the innermost of five levels were compiled five times. It halves the time of the first run. The parts of a kernel stand
in its file, which is the only one that numba's cache watches.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, TypeVar, cast

import numba
from numba import njit
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler

Function = TypeVar("Function", bound=Callable[..., Any])
_TESTED = "0.68."
"""Versions of numba on whose inside a part may rest."""


class _PartLibrary(JITCodeLibrary):
    """Intermediate code to be linked into a kernel's, never run by itself."""

    @property
    def codegen(self) -> Any:
        """Takes no environment, which is what compiled code needs to talk to Python."""
        return SimpleNamespace(set_env=lambda name, env: None)

    def finalize(self) -> None:
        """Link what it calls, without optimising."""
        for library in dict.fromkeys(self._linking_libraries):
            self._reload_init.update(library._reload_init)
            self._final_module.link_in(library._get_module_for_linking(), preserve=True)
        self._finalize_dynamic_globals()  # type: ignore[no-untyped-call]
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        """What Python gets to call: a TypeError, as there is no machine code."""
        return ctypes.cast(ctypes.pythonapi.PyErr_BadArgument, ctypes.c_void_p).value or 0


class PartCompiler(Compiler):
    """Numba's own steps, into a library of another kind and without wrappers for Python and C."""

    def define_pipelines(self) -> Any:
        """The steps; the place where the state is ready and nothing is done yet."""
        state = self.state
        state.library = _PartLibrary(state.targetctx.codegen(), state.func_id.func_qualname)  # type: ignore[no-untyped-call]
        state.flags.no_cpython_wrapper = state.flags.no_cfunc_wrapper = True
        return super().define_pipelines()  # type: ignore[no-untyped-call]


def parts(**options: Any) -> Callable[[Function], Function]:
    """Decorator of a function that kernels call, with numba's options; Python gets a TypeError.

    It rests on the inside of numba: with a version that it was not tested with, parts are compiled as ever, which
    takes longer.
    """
    if numba.__version__.startswith(_TESTED):
        options["pipeline_class"] = PartCompiler
    return cast(Callable[[Function], Function], njit(nogil=True, error_model="numpy", **options))


part = parts()
"""Decorator of a function that kernels call."""
kernel = njit(cache=True, nogil=True, error_model="numpy")
"""Decorator of a function that Python calls."""
