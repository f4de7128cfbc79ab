"""A small answer: its rows as dicts or as an Arrow table, whichever is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa

from redpoll.schema.table_rows import Row


@dataclass(frozen=True)
class AnswerColumns:
    """Names of the columns of answers, and their schema, which is made when it is first needed."""

    names: tuple[str, ...]
    _schema: Callable[[], pa.Schema]

    @cached_property
    def schema(self) -> pa.Schema:
        """The columns with type, unit, UCD, doc and maker."""
        return self._schema()


class StoredRows:
    """Rows that are read already; null where a value is unknown."""

    def __init__(self, columns: AnswerColumns, rows: Sequence[Sequence[Any]]) -> None:
        self._columns, self._rows = columns, rows

    @property
    def schema(self) -> pa.Schema:
        """The columns with type, unit, UCD, doc and maker."""
        return self._columns.schema

    def to_rows(self) -> list[Row]:
        """The rows as dicts."""
        return [dict(zip(self._columns.names, row, strict=True)) for row in self._rows]

    def to_table(self) -> pa.Table:
        """The rows as an Arrow table."""
        values = list(zip(*self._rows, strict=True)) or [()] * len(self._columns.names)
        arrays = [pa.array(column, kind) for column, kind in zip(values, self.schema.types, strict=True)]
        return pa.Table.from_arrays(arrays, schema=self.schema)
