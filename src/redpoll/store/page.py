"""Some rows of a scan, read but not yet converted, and where each of their columns comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pyarrow as pa

from redpoll.schema.alert import CUTOUTS
from redpoll.schema.table_rows import Row, column_values
from redpoll.store.archive import LIGHT_CURVE
from redpoll.store.index_rows import SelectList, select_list
from redpoll.store.pool import NameMaps
from redpoll.store.selection import SEPARATION
from redpoll.store.stored_columns import StoredColumns

_LARGE = frozenset([*CUTOUTS, LIGHT_CURVE])
_BATCH_ROWS = {"index": 4096, "archive": 1024, "large": 128}
"""Rows of a record batch: of indexed columns, with archived ones, with light curves, cutouts or nested columns."""
Key = tuple[float | int, int, int]
"""Position of an alert in its order: mjd, hpx29 or separation; alert_id; the store's own number of the alert."""


@dataclass(frozen=True, eq=False)
class Shape:
    """The columns of a scan: those that the index holds, the separation if it is asked for, and archived ones.

    ``order`` has the place of each column of the schema among them; None if they come in this order.
    """

    schema: pa.Schema
    names: tuple[str, ...]
    index: SelectList
    has_separation: bool
    archived: tuple[pa.Field, ...]
    order: tuple[int, ...] | None
    batch_rows: int


@lru_cache(maxsize=64)
def shape_of(names: tuple[str, ...], stored: StoredColumns) -> Shape:
    """The shape of a scan of some columns, made once for each set; UnknownColumn if there is no such column."""
    fields = [stored.field(name) for name in names]
    index = tuple(name for name in names if name != SEPARATION and stored.is_in_index(name))
    archived = tuple(field for field in fields if not stored.is_in_index(field.name))
    there = (*index, *([SEPARATION] if SEPARATION in names else []), *(field.name for field in archived))
    is_large = any(field.name in _LARGE or pa.types.is_nested(field.type) for field in archived)
    return Shape(
        pa.schema(fields),
        names,
        select_list(index, stored),
        SEPARATION in names,
        archived,
        None if there == names else tuple(there.index(name) for name in names),
        _BATCH_ROWS["large" if is_large else "archive" if archived else "index"],
    )


@dataclass(frozen=True)
class Page:
    """Some rows of a scan.

    Parameters
    ----------
    shape
        The columns.
    n_rows
        Number of rows; without any, there are no columns either.
    last
        Key of the last row if rows follow, else None.
    rows, names
        SQL rows that end with the columns of the SELECT list, and the names of the index that they come from.
    separations, archived
        The other columns; `archived` in the order of the shape.
    """

    shape: Shape
    n_rows: int
    last: Key | None
    rows: Sequence[Sequence[Any]]
    names: NameMaps
    separations: Sequence[float]
    archived: Sequence[pa.Array]

    def batch(self) -> pa.RecordBatch:
        """The rows as a record batch."""
        shape = self.shape
        columns = shape.index.arrow(self.rows, self.names) if shape.index.names else []
        if shape.has_separation:
            columns.append(pa.array(self.separations, pa.float64()))
        columns += self.archived
        return pa.RecordBatch.from_arrays(self._ordered(columns), schema=shape.schema)

    def to_rows(self) -> list[Row]:
        """The rows as dicts."""
        shape = self.shape
        columns = shape.index.python(self.rows, self.names) if shape.index.names else []
        if shape.has_separation:
            columns.append(self.separations)
        columns += [column_values(array) for array in self.archived]
        return [dict(zip(shape.names, row, strict=True)) for row in zip(*self._ordered(columns), strict=True)]

    def _ordered(self, columns: list[Any]) -> list[Any]:
        order = self.shape.order
        return columns if order is None else [columns[i] for i in order]
