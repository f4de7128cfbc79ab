"""What `redpoll.compiler` leaves out of numba's work, as measured by ``benchmarks/compile.py``.

- Numba tries all versions of a function, as of ``+`` for numbers, texts, lists and sets, wherever it is called, and
  again where the call is lowered. Here it is looked up once for the same types of arguments.
- Parts, which call no closures, skip the pass that inlines closures, and the rewriting after types are known: an
  expression of whole arrays makes an array at every operation.
- Parts that make no arrays count no references: the kernel holds its arguments until it returns.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from numba.core import types
from numba.core.compiler_machinery import AnalysisPass, register_pass
from numba.core.targetconfig import ConfigStack
from numba.core.typed_passes import InlineOverloads, NopythonRewrites, NopythonTypeInference
from numba.core.untyped_passes import InlineClosureLikes

_PLAIN: Any = types.BaseFunction.get_call_type
"""Numba's own look-up of a function for types of arguments."""
_MAKING = frozenset({"call", "binop", "inplace_binop", "unary", "build_list", "build_set", "build_map"})
"""Expressions whose result may be a new array or container; others, as a slice, borrow from their operands."""


@register_pass(mutates_CFG=False, analysis_only=True)  # type: ignore[no-untyped-call]
class _CountNoReferences(AnalysisPass):
    """Turns reference counting off for a function that neither creates nor returns counted objects."""

    _name = "redpoll_count_no_references"

    def __init__(self) -> None:
        AnalysisPass.__init__(self)  # type: ignore[no-untyped-call]

    def run_pass(self, state: Any) -> bool:
        """False: the code is not changed."""
        state.targetctx.enable_nrt = _is_counted(state, state.return_type) or any(
            expression.op in _MAKING and _makes_counted(state, expression)
            for block in state.func_ir.blocks.values()
            for expression in block.find_exprs()
        )
        return False


def _makes_counted(state: Any, expression: Any) -> bool:
    signature = state.calltypes.get(expression)
    return signature is None or _is_counted(state, signature.return_type)


def _is_counted(state: Any, of: Any) -> bool:
    return bool(state.targetctx.data_model_manager[of].contains_nrt_meminfo())


def lean_passes(pipelines: Any) -> Any:
    """Numba's pipelines without the passes that parts do not need."""
    for passes in pipelines:
        left_out = (InlineClosureLikes, InlineOverloads, NopythonRewrites)
        passes.passes = [each for each in passes.passes if each[0] not in left_out]
        passes.add_pass_after(_CountNoReferences, NopythonTypeInference)
        passes.finalize()
    return pipelines


class _Calls:
    """Numba's look-up of functions, with what it found before."""

    def __init__(self, plain: Any) -> None:
        self.plain = plain
        self.found: dict[Any, tuple[Any, Any, Any]] = {}
        self.options: dict[int, tuple[Any, str]] = {}

    def look_up(self, function: Any, context: Any, args: Any, kws: Any) -> Any:
        """The signature of a function for these types of arguments; sets what it is lowered with, as numba does."""
        if kws:
            return self.plain(function, context, args, kws)
        key = (id(function), id(context), tuple(args), self._options())
        if key in self.found:
            _, signature, lowered_with = self.found[key]
            function._impl_keys[signature.args] = lowered_with
            return signature
        signature = self.plain(function, context, args, kws)
        self.found[key] = function, signature, function._impl_keys[signature.args]
        return signature

    def _options(self) -> str:
        """The compiler's options of the function that is compiled."""
        flags: Any = ConfigStack.top_or_none()  # type: ignore[no-untyped-call]
        if id(flags) not in self.options:
            self.options[id(flags)] = flags, repr(flags)
        return self.options[id(flags)][1]


@contextmanager
def remembered_calls() -> Iterator[None]:
    """Within the body, a function is looked up once for the same types of arguments and options of the compiler.

    Numba compiles under one lock for all threads, so that only one is in the body.
    """
    functions: Any = types.BaseFunction
    if functions.get_call_type is not _PLAIN:  # a part of the kernel that is compiled
        yield
        return
    calls = _Calls(_PLAIN)

    def look_up(function: Any, context: Any, args: Any, kws: Any) -> Any:
        return calls.look_up(function, context, args, kws)

    functions.get_call_type = look_up
    try:
        yield
    finally:
        functions.get_call_type = _PLAIN
