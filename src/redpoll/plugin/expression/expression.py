"""A condition on alerts in one line, such as ``mag < 18 and band in ("g", "r")``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from redpoll.plugin.columns import Columns
from redpoll.plugin.expression.arrow import passes
from redpoll.plugin.expression.parser import parse
from redpoll.plugin.expression.plan import plan
from redpoll.plugin.expression.sql import Quote, quoted, where
from redpoll.plugin.expression.syntax import Name, Tree, walk
from redpoll.schema.alert import COLUMNS
from redpoll.schema.column import Column


@dataclass(frozen=True)
class Expression:
    """A parsed expression; two are equal if their trees are equal. ``str()`` returns the normalised text."""

    root: Tree
    text: str = field(compare=False)

    def __str__(self) -> str:
        return str(self.root)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it reads, in order of appearance."""
        return tuple(dict.fromkeys(tree.name for tree, _ in walk(self.root) if isinstance(tree, Name)))

    def check(self, columns: Mapping[str, Column] = COLUMNS) -> None:
        """Raise ExpressionError if a column is unknown or a type does not fit."""
        plan(self.root, columns, self.text)

    def passes(self, batch: pa.RecordBatch | Columns) -> pa.BooleanArray:
        """Whether each alert of a batch fulfils the expression; null counts as false.

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
        columns = batch if isinstance(batch, Columns) else Columns(batch)
        table = {name: Column(columns.arrow(name).type) for name in self.columns}
        return passes(plan(self.root, table, self.text), columns)

    def to_sql(self, columns: Mapping[str, Column] = COLUMNS, *, quote: Quote = quoted) -> tuple[str, list[Any]]:
        """A WHERE clause for SQLite that selects the same rows, and its parameters.

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
        return where(plan(self.root, columns, self.text), quote)


def parse_expression(text: str) -> Expression:
    """Parse an expression: comparisons (also chained), and, or, not, + - * /, in, between, is null, and functions.

    Columns and types are checked later, by `Expression.check` or when a graph is built.

    Raises
    ------
    ExpressionError
        If the text is no expression; the message shows the position.

    Examples
    --------
    >>> expression = parse_expression("15 < mag <= 18 and sso_name is null")
    >>> expression.columns
    ('mag', 'sso_name')
    """
    return Expression(parse(text), text)
