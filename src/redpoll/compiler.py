"""Numba as `redpoll.kernels` uses it: compiling parts only within kernels, and the cache of compiled code.

A part is typed and lowered to LLVM's intermediate code, and is optimised and compiled to machine code only within the
kernels that call it. Numba by itself would also compile each part, with all functions it calls: the innermost of five
levels five times. This halves the time of the first run. Kernels are cached on disk, until a source changes that they
depend on.
"""

from __future__ import annotations

import ctypes
import logging
import re
import sys
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numba
from numba import njit
from numba.core.caching import IndexDataCacheFile
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler

from redpoll import compiler_passes
from redpoll.compiler_passes import lean_passes, remembered_calls

log = logging.getLogger(__name__)
_TESTED = "0.68."
"""Prefix of the versions of numba whose internals are tested with parts."""


class _PartLibrary(JITCodeLibrary):
    """Intermediate code that is linked into the code of kernels, and never run directly."""

    @property
    def codegen(self) -> Any:
        """A code generator that ignores the environment, which only code that calls Python needs."""
        return SimpleNamespace(set_env=lambda name, env: None)

    def _optimize_functions(self, ll_module: Any) -> None:
        """Simplify the code of each function; numba also prepares to simplify those that are only declared."""
        ll_module.data_layout = self._codegen._data_layout
        for function in ll_module.functions:
            if not function.is_declaration:
                passes, builder = self._codegen._function_pass_manager()  # type: ignore[no-untyped-call]
                passes.run(function, builder)

    def finalize(self) -> None:
        """Link the functions it calls, without optimising."""
        for library in dict.fromkeys(self._linking_libraries):
            self._reload_init.update(library._reload_init)
            self._final_module.link_in(library._get_module_for_linking(), preserve=True)
        self._finalize_dynamic_globals()  # type: ignore[no-untyped-call]
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        """Address of a function that raises TypeError, because there is no machine code."""
        return ctypes.cast(ctypes.pythonapi.PyErr_BadArgument, ctypes.c_void_p).value or 0


class KernelCompiler(Compiler):
    """Numba's compiler, which looks up functions once for the same types."""

    def _compile_core(self) -> Any:
        with remembered_calls():
            return super()._compile_core()  # type: ignore[no-untyped-call]


class PartCompiler(KernelCompiler):
    """Numba's compiler with a `_PartLibrary` as its target, and without wrappers for Python and C."""

    def define_pipelines(self) -> Any:
        """Numba's pipelines; the library is replaced here, where the state is ready and compilation has not begun."""
        state = self.state
        state.library = _PartLibrary(state.targetctx.codegen(), state.func_id.func_qualname)  # type: ignore[no-untyped-call]
        state.flags.no_cpython_wrapper = state.flags.no_cfunc_wrapper = True
        return lean_passes(super().define_pipelines())  # type: ignore[no-untyped-call]


def part(function: Callable[..., Any], **options: Any) -> Any:
    """Numba's dispatcher of a part, with options of numba; a call from Python raises TypeError.

    It depends on internals of numba: with an untested version of numba, parts are compiled the ordinary way, which is
    slower.
    """
    return njit(nogil=True, error_model="numpy", pipeline_class=_tested(PartCompiler), **options)(function)


def kernel(function: Callable[..., Any]) -> Any:
    """Numba's dispatcher of a kernel, with its cache on the disk."""
    compiled: Any = njit(cache=True, nogil=True, error_model="numpy", pipeline_class=_tested(KernelCompiler))(function)
    compiled._cache._cache_file = _CacheFile(compiled._cache._cache_file, sources_key(function.__module__))
    return compiled


def _tested(compiler: type[Compiler]) -> type[Compiler] | None:
    """The compiler if its dependence on numba's internals is tested with this version of numba, else numba's."""
    return compiler if numba.__version__.startswith(_TESTED) else None


class _CacheFile(IndexDataCacheFile):
    """The index of a kernel's compiled versions and their files, named by what was compiled.

    Numba by itself numbers the files. Two processes that compile a kernel for different types at the same time can then
    choose the same number, and later processes run the code for other types: strided arrays were read as contiguous.
    """

    def __init__(self, plain: IndexDataCacheFile, sources: str) -> None:
        super().__init__(plain._cache_path, plain._index_name.removesuffix(".nbi"), plain._source_stamp)  # type: ignore[no-untyped-call]
        self._version = f"{plain._version} {sources}"  # read before anything else of an index

    def save(self, key: Any, data: Any) -> None:
        """Save the code for a key, which has the types, the machine and the byte code; files that no key has go.

        A disk that does not take the files, because it is full, costs nothing but compiling again in other processes.
        """
        try:
            self._save(key, data)
        except OSError as error:
            log.warning("compiled code is not kept in %s: %s", self._cache_path, error)

    def _save(self, key: Any, data: Any) -> None:
        overloads = self._load_index()  # type: ignore[no-untyped-call]
        name = self._data_name(sha256(repr((self._version, key)).encode()).hexdigest()[:16])
        self._save_data(name, data)  # type: ignore[no-untyped-call]
        overloads[key] = name
        self._save_index(overloads)  # type: ignore[no-untyped-call]
        for path in Path(self._cache_path).glob(self._data_name("*")):
            if path.name not in overloads.values():
                path.unlink(missing_ok=True)

    def _data_name(self, what: str) -> str:
        return f"{self._index_name.removesuffix('.nbi')}.{what}.nbc"


def sources_key(module: str) -> str:
    """A hash of the source of a module and of all modules of its package that it imports, directly or not.

    Numba by itself compares the kernel's own file only. It would run old code after a constant or a part changed in
    another file, and it fails on a cache that names a class that was renamed.
    """
    root = module.partition(".")[0]
    folder = Path(str(sys.modules[root].__file__)).parent
    waiting = [Path(str(sys.modules[module].__file__))]
    compilers = (Path(__file__), Path(compiler_passes.__file__))
    found = {path.name: _source(path)[0] for path in compilers}
    while waiting:
        path = waiting.pop()
        name = path.relative_to(folder).as_posix()
        if name not in found:
            found[name], imported = _source(path)
            paths = (folder.joinpath(*parts) for top, *parts in imported if top == root and parts)
            waiting += (file for path in paths for file in (path.with_suffix(".py"), path / "__init__.py")
                        if file.is_file())  # fmt: skip
    return sha256(repr(sorted(found.items())).encode()).hexdigest()[:32]


@cache
def _source(path: Path) -> tuple[str, tuple[tuple[str, ...], ...]]:
    """Hash of a source file, and what it imports at its top level that may be modules, as the parts of their names."""
    text = path.read_bytes()
    imported = set()
    for module, *names in _IMPORT.findall(text.decode()):
        imported |= {module, *(f"{module}.{name}" for name in re.findall(r"\w+", " ".join(names)))}
    return sha256(text).hexdigest(), tuple(tuple(name.split(".")) for name in sorted(imported))


_IMPORT = re.compile(r"^(?:from|import) ([\w.]+)(?: import (?:\(([^)]*)\)|([\w, ]+)))?", re.MULTILINE)
