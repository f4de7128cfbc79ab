"""A condition on alerts in one line, such as ``mag < 18 and band in ("g", "r")``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from redpoll.expression import arrow, sql
from redpoll.expression.parser import parse
from redpoll.expression.plan import plan
from redpoll.expression.syntax import Logic, Name, Tree, walk
from redpoll.schema.alert import COLUMNS
from redpoll.schema.column import Column


@dataclass(frozen=True)
class Expression:
    """A parsed expression; two are equal if they mean the same tree. ``str()`` gives its tidy form."""

    root: Tree
    text: str = field(compare=False)

    def __str__(self) -> str:
        return str(self.root)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it reads, in order of appearance."""
        return tuple(dict.fromkeys(tree.name for tree, _ in walk(self.root) if isinstance(tree, Name)))

    @property
    def depth(self) -> int:
        """How deeply it is nested; 1 for a column or constant alone."""
        return max(depth for _, depth in walk(self.root))

    def check(self, columns: Mapping[str, Column] = COLUMNS) -> None:
        """Raise ExpressionError if a column is unknown or a type does not fit."""
        plan(self.root, columns, self.text)

    def conditions(self) -> Iterator[Expression]:
        """The conditions that it joins by ``and``, each as an expression of its own; an alert must fulfil all.

        >>> [str(part) for part in parse_expression("mag < 18 and (a or b) and n == 1").conditions()]
        ['mag < 18', 'a or b', 'n == 1']
        """
        is_and = isinstance(self.root, Logic) and self.root.operator == "and"
        parts = self.root.parts if isinstance(self.root, Logic) and is_and else (self.root,)
        for part in parts:
            yield Expression(part, self.text)

    def passes(self, batch: pa.RecordBatch | arrow.ArrowColumns) -> pa.BooleanArray:
        """Which alerts of a batch fulfil it; never null, because unknown is no.

        Raises
        ------
        ExpressionError
            If it does not fit the batch's columns.
        SchemaError
            If the batch lacks a column.

        Examples
        --------
        >>> batch = pa.record_batch({"mag": pa.array([17.0, 19.0, None]), "n": pa.array([1, 2, 3])})
        >>> parse_expression("mag < 18 or n == 3").passes(batch).to_pylist()
        [True, False, True]
        """
        columns = arrow.BatchColumns(batch) if isinstance(batch, pa.RecordBatch) else batch
        table = {name: Column(columns.arrow(name).type) for name in self.columns}
        return arrow.passes(plan(self.root, table, self.text), columns)

    def to_sql(
        self, columns: Mapping[str, Column] = COLUMNS, *, quote: sql.Quote = sql.quoted
    ) -> tuple[str, list[Any]]:
        """A WHERE clause for SQLite that chooses the same rows, and its parameters.

        Float columns must be stored with REAL affinity, integers and booleans as INTEGER, strings as TEXT with the
        BINARY collation, NaN as NULL. `quote` turns a column's name into SQL, to add a table's name for instance.

        Raises
        ------
        ExpressionError
            If it does not fit the columns.

        Examples
        --------
        >>> parse_expression("mag < 18 and band in ('g', 'r')").to_sql()
        ('(("mag" < ?) AND ("band" IN (?, ?)))', [18.0, 'g', 'r'])
        """
        return sql.where(plan(self.root, columns, self.text), quote)


def parse_expression(text: str) -> Expression:
    """Read an expression: comparisons (also chained), and, or, not, + - * /, in, between, is null, and functions.

    Columns and types are checked where they are known: by `Expression.check` or when a graph is built.

    Raises
    ------
    ExpressionError
        If the text is no expression; the message shows the position of the error.

    Examples
    --------
    >>> expression = parse_expression("15 < mag <= 18 and sso_name is null")
    >>> expression.columns
    ('mag', 'sso_name')
    """
    return Expression(parse(text), text)
