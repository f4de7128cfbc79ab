"""Columns of alerts from the index: the SELECT list that reads them, and their values from the rows found."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pyarrow as pa

from redpoll.astro.sky import separation_arcsec
from redpoll.schema.classifications import CLASSES
from redpoll.store.column_values import Classifications, ColumnValues, Converted, NumberedName, Plain, TopicNames
from redpoll.store.columns import python_type
from redpoll.store.layout import Layout
from redpoll.store.objects import KEY_BITS
from redpoll.store.pool import NameMaps, ReadPool
from redpoll.store.rows import LOCATION_SQL, Location, locations
from redpoll.store.selection import Cone
from redpoll.store.stored_columns import TOPICS, StoredColumns

_SQL = {"survey": "a._survey", "object_id": "o.object_id", TOPICS: "a._topics", CLASSES: "a._classes"}
OF_ALERT = f"CROSS JOIN objects o ON o._id = a._id >> {KEY_BITS}"
"""Join of the object ``o`` of each alert ``a``."""


@dataclass(frozen=True, eq=False)
class SelectList:
    """What to select for some columns of an alert ``a``, and how to read each of them.

    ``join`` adds what the columns need besides the alert, unless the object ``o`` of the alert is there already.
    """

    names: tuple[str, ...]
    columns: tuple[ColumnValues, ...]

    @cached_property
    def sql(self) -> str:
        """The columns in SQL; empty if there are none."""
        return ", ".join(_SQL.get(name, f'a."{name}"') for name in self.names)

    @cached_property
    def join(self) -> str:
        """Join of what the columns need, for a source of alerts ``a``."""
        return OF_ALERT if "object_id" in self.names else ""

    @cached_property
    def changed(self) -> tuple[tuple[int, ColumnValues], ...]:
        """Position and conversion of the columns whose values are not those of SQLite."""
        return tuple((i, column) for i, column in enumerate(self.columns) if not isinstance(column, Plain))

    def python(self, rows: Sequence[Sequence[Any]], names: NameMaps) -> list[Sequence[Any]]:
        """Python values of each column, from rows that end with the selected columns."""
        values = self._by_column(rows)
        for i, column in self.changed:
            values[i] = column.python(values[i], names)
        return values

    def arrow(self, rows: Sequence[Sequence[Any]], names: NameMaps) -> list[pa.Array]:
        """The same as Arrow."""
        return [column.arrow(raw, names) for column, raw in zip(self.columns, self._by_column(rows), strict=True)]

    def _by_column(self, rows: Sequence[Sequence[Any]]) -> list[Sequence[Any]]:
        columns: Iterable[Sequence[Any]] = zip(*rows, strict=True)
        return list(columns)[-len(self.columns) :]


@lru_cache(maxsize=64)
def select_list(names: tuple[str, ...], stored: StoredColumns) -> SelectList:
    """What to select for some indexed columns; made once for each set of columns."""
    return SelectList(names, tuple(_values_of(name, stored) for name in names))


def _values_of(name: str, stored: StoredColumns) -> ColumnValues:
    if name == TOPICS:
        return TopicNames()
    if name == CLASSES:
        return Classifications()
    kind = stored.field(name).type
    if name == "survey":
        return NumberedName("surveys", kind)
    python = python_type(kind)
    return Converted(kind, python) if python is bool or name in stored.mixed else Plain(kind)


class IndexRows:
    """Reads columns of alerts by the keys of the alerts."""

    def __init__(self, pool: ReadPool) -> None:
        self._pool = pool

    def read(self, keys: Sequence[int], select: SelectList) -> list[Any]:
        """Rows of a SELECT list for the alerts with these keys, in their order."""
        return self._select(keys, select.sql, select.join)

    def locations(self, keys: Sequence[int], layout: Layout) -> list[Location]:
        """Where each of the alerts is in the archive now, in their order."""
        return locations(layout, self._select(keys, LOCATION_SQL, "CROSS JOIN segments p ON p._id = a._segment"))

    def separations(self, keys: Sequence[int], cone: Cone) -> list[float]:
        """Distance of each of the alerts from the centre of a cone [arcsec], in their order."""
        ra, dec = np.array(self._select(keys, "a.ra, a.dec", ""), np.float64).reshape(-1, 2).T
        distances: list[float] = separation_arcsec(cone.ra, cone.dec, ra, dec).tolist()
        return distances

    def _select(self, keys: Sequence[int], select: str, join: str) -> list[Any]:
        sql = f"SELECT {select} FROM json_each(?) k CROSS JOIN alerts a ON a._id = k.value {join} ORDER BY k.key"
        return self._pool.execute(sql, (json.dumps(list(keys)),))
