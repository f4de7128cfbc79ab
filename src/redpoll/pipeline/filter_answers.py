"""Why an alert passed a filter or not: the conditions of expressions on the values that are stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from redpoll.errors import ExpressionError, SchemaError
from redpoll.expression import Expression
from redpoll.plugin.expression_filter import ExpressionFilter
from redpoll.plugin.node import Node


@dataclass(frozen=True)
class Condition:
    """One condition of an expression, whether it holds, and the values it reads; None: it reads what is not stored."""

    text: str
    holds: bool | None
    values: Mapping[str, Any]


@dataclass(frozen=True)
class FilterAnswer:
    """What a filter answers for an alert.

    ``passed`` is what the run stored; None if the filter was not part of that run. ``conditions`` are those that an
    expression joins by ``and``; None for a filter in Python, whose conditions cannot be read. ``values`` are those of
    the columns that the filter reads.
    """

    topic: str
    passed: bool | None
    conditions: tuple[Condition, ...] | None
    values: Mapping[str, Any]

    @property
    def failed(self) -> list[Condition]:
        """The conditions that do not hold."""
        return [condition for condition in self.conditions or () if not condition.holds]

    @property
    def n_failed(self) -> int | None:
        """How many conditions do not hold; None if they cannot be read."""
        return None if self.conditions is None else len(self.failed)

    @property
    def outcome(self) -> str:
        """``passed``, ``nearly passed`` (one condition fails), ``not passed``, or ``would pass`` if it was not run."""
        if self.passed:
            return "passed"
        if self.n_failed == 1:
            return "nearly passed"
        if self.passed is None:
            return "would pass" if self.n_failed == 0 else "not run"
        return "not passed"


def columns_of(filters: Sequence[Node]) -> tuple[str, ...]:
    """The columns that the answers of filters need."""
    needed = [name for node in filters for name in (*node.reads, *node.outputs)]
    return tuple(dict.fromkeys(needed))


def filter_answers(filters: Sequence[Node], alert: pa.RecordBatch) -> Iterator[FilterAnswer]:
    """The answer of each filter for an alert, given as a batch of one row with the columns that are stored."""
    for node in filters:
        (name,) = node.outputs
        passed = alert[name][0].as_py() if name in alert.schema.names else None
        conditions = None
        if isinstance(node, ExpressionFilter):
            conditions = tuple(_condition(part, alert) for part in node.expression.conditions())
        yield FilterAnswer(node.name, passed, conditions, _values(node.reads, alert))


def _condition(part: Expression, alert: pa.RecordBatch) -> Condition:
    try:
        holds = part.passes(alert)[0].as_py()
    except (SchemaError, ExpressionError):  # a column is not stored, or stored with another type
        holds = None
    return Condition(str(part), holds, _values(part.columns, alert))


def _values(names: Sequence[str], alert: pa.RecordBatch) -> dict[str, Any]:
    """Values of the plain columns among the names; light curves and cutouts are left out."""
    there = [name for name in names if name in alert.schema.names]
    plain = [name for name in there if not pa.types.is_nested(alert.schema.field(name).type)]
    return {name: _shown(alert[name]) for name in plain if not _is_bytes(alert[name].type)}


def _shown(column: pa.Array) -> Any:
    """The value, a float32 with the digits it has."""
    value = column[0].as_py()
    return float(f"{value:.7g}") if isinstance(value, float) and column.type == pa.float32() else value


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))
