"""Evaluating a plan on Arrow columns. Unknown is null, NaN counts as unknown, logic is Kleene's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from redpoll.errors import SchemaError
from redpoll.expression.plan import Step

_TYPES = {"bool": pa.bool_(), "int": pa.int64(), "float": pa.float64(), "string": pa.string()}
_COMPARISONS = {
    "<": pc.less,
    "<=": pc.less_equal,
    ">": pc.greater,
    ">=": pc.greater_equal,
    "==": pc.equal,
    "!=": pc.not_equal,
}


class ArrowColumns(Protocol):
    """Columns of one batch by name; ``n`` is its number of rows."""

    @property
    def n(self) -> int:
        """Number of rows."""
        ...

    def arrow(self, name: str) -> pa.Array:
        """The column; SchemaError if there is none."""
        ...


@dataclass(frozen=True)
class BatchColumns:
    """The columns of a record batch."""

    batch: pa.RecordBatch

    @property
    def n(self) -> int:
        """Number of rows."""
        return int(self.batch.num_rows)

    def arrow(self, name: str) -> pa.Array:
        """The column; SchemaError if there is none."""
        if name not in self.batch.schema.names:
            raise SchemaError(f"the batch has no column '{name}'")
        return self.batch[name]


def passes(step: Step, columns: ArrowColumns) -> pa.BooleanArray:
    """Which alerts fulfil a plan that gives a yes or no; null is no."""
    answer = pc.fill_null(evaluate(step, columns), False)
    return pa.repeat(answer, columns.n) if isinstance(answer, pa.Scalar) else answer


def evaluate(step: Step, columns: ArrowColumns) -> Any:
    """The result of a step: an array, or a scalar where no column is involved."""
    if step.operation == "column":
        return _column(step, columns)
    if step.operation == "constant":
        return pa.scalar(step.value, _TYPES[step.kind])
    args = [evaluate(arg, columns) for arg in step.args]
    if step.operation == "in":
        return _is_in(args[0], pa.array(step.value, _TYPES[step.args[0].kind]))
    return _OPERATIONS[step.operation](*args)


def _column(step: Step, columns: ArrowColumns) -> pa.Array:
    array = columns.arrow(str(step.value))
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    array = array.cast(_TYPES[step.kind], safe=step.kind != "float")
    return _known(array) if step.kind == "float" else array


def _known(values: Any) -> Any:
    """The same values, null for NaN."""
    return pc.if_else(pc.is_nan(values), pa.scalar(None, pa.float64()), values)


def _where(condition: Any, values: Any) -> Any:
    return pc.if_else(condition, values, pa.scalar(None, values.type))


def _divide(a: Any, b: Any) -> Any:
    return _known(_where(pc.not_equal(b, 0.0), pc.divide(a, b)))


def _is_in(values: Any, choices: pa.Array) -> Any:
    """Arrow's `is_in` takes -0.0 and 0.0 for different values; adding zero makes them equal."""
    if pa.types.is_floating(choices.type):
        values, choices = pc.add(values, 0.0), pc.add(choices, 0.0)
    return _where(pc.is_valid(values), pc.is_in(values, value_set=choices))


def _all(*parts: Any) -> Any:
    return _fold(pc.and_kleene, parts)


def _any(*parts: Any) -> Any:
    return _fold(pc.or_kleene, parts)


def _fold(join: Callable[[Any, Any], Any], parts: tuple[Any, ...]) -> Any:
    result = parts[0]
    for part in parts[1:]:
        result = join(result, part)
    return result


_OPERATIONS: dict[str, Callable[..., Any]] = {
    **_COMPARISONS,
    "and": _all,
    "or": _any,
    "not": pc.invert,
    "is_null": pc.is_null,
    "to_float": lambda x: x.cast(pa.float64(), safe=False),
    "negate": pc.negate,
    "+": lambda a, b: _known(pc.add(a, b)),
    "-": lambda a, b: _known(pc.subtract(a, b)),
    "*": lambda a, b: _known(pc.multiply(a, b)),
    "/": _divide,
    "abs": pc.abs,
    "sqrt": lambda x: _where(pc.greater_equal(x, 0.0), pc.sqrt(x)),
    "log10": lambda x: _where(pc.greater(x, 0.0), pc.log10(x)),
    "min": lambda *parts: pc.min_element_wise(*parts, skip_nulls=False),
    "max": lambda *parts: pc.max_element_wise(*parts, skip_nulls=False),
}
