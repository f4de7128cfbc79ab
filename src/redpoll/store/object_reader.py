"""Questions about objects, answered from the index beside a running writer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

import pyarrow as pa

from redpoll.errors import NotFound
from redpoll.schema.light_curve import POINT_TYPE, LightCurves
from redpoll.store.answer import StoredRows
from redpoll.store.classes import history
from redpoll.store.histories import read_name
from redpoll.store.layout import Layout
from redpoll.store.object_columns import CLASSIFICATION_COLUMNS, SummaryColumns, summary_columns
from redpoll.store.objects import OF_OBJECT
from redpoll.store.pool import Names, ReadPool
from redpoll.store.stored_columns import ColumnReader

_CLASS_AND_CLASSIFIER = itemgetter(0, 1)
_AT_ONCE = 1000
"""Objects that one query reads."""


class EmbeddedObjects:
    """The port Objects on the embedded store."""

    def __init__(self, pool: ReadPool, names: Names, layout: Layout) -> None:
        self._pool, self._names, self._layout = pool, names, layout
        self._columns = ColumnReader()

    def get(self, object_id: str) -> StoredRows:
        """Summary of an object, one row; NotFound if there is none of this name."""
        return self.get_all([object_id])

    def get_all(self, object_ids: Sequence[str]) -> StoredRows:
        """Summaries of objects, one row each, in this order; NotFound, with the first name, if one is unknown."""
        with self._pool.lease() as connection:
            columns = summary_columns(self._columns.read(connection))
            found: dict[str, Sequence[Any]] = {}
            names = list(dict.fromkeys(object_ids))
            for some in (names[i : i + _AT_ONCE] for i in range(0, len(names), _AT_ONCE)):
                sql = f"SELECT object_id, * FROM objects WHERE object_id IN ({','.join('?' * len(some))})"
                found |= {name: row for name, *row in connection.execute(f"{sql} ORDER BY last_mjd", some)}
            surveys = self._names.of(connection).names("surveys", {row[columns.survey] for row in found.values()})
        missing = next((name for name in object_ids if name not in found), None)
        if missing is not None:
            raise NotFound(f"no object '{missing}' in {self._layout.root}")
        return StoredRows(columns.answer, [_summary(found[name], columns, surveys) for name in object_ids])

    def classifications(self, object_id: str) -> StoredRows:
        """How the object was classified, per class and classifier; NotFound if it is unknown."""
        sql = f"SELECT a.mjd, a.alert_id, a._classes FROM objects o CROSS JOIN alerts a ON {OF_OBJECT}"
        with self._pool.lease() as connection:
            found = connection.execute(f"{sql} WHERE o.object_id = ?", (object_id,)).fetchall()
            names = self._names.of(connection)
        if not found:
            raise NotFound(f"no object '{object_id}' in {self._layout.root}")
        summed = history([row for row in found if row[2]])
        classes = names.names("classes", {row[0] for row in summed})
        makers = names.names("classifiers", {row[1] for row in summed})
        rows = [
            (classes[name], makers[by], first, last, n, best if best == best else None, p if p == p else None)
            for name, by, first, last, n, best, p in summed
        ]
        return StoredRows(CLASSIFICATION_COLUMNS, sorted(rows, key=_CLASS_AND_CLASSIFIER))

    def light_curve(self, object_id: str) -> pa.Table:
        """Points that the packets of the object brought, at most 2,000, see `HistoryReader`; NotFound if unknown.

        Raises
        ------
        StoreError
            If the stored history is damaged.
        """
        curve = read_name(self._pool.execute, object_id)
        if curve is None:
            raise NotFound(f"no object '{object_id}' in {self._layout.root}")
        return _table(curve)


def _summary(found: Sequence[Any], columns: SummaryColumns, surveys: Mapping[int, str]) -> list[Any]:
    """The summary that a row of the table of objects holds."""
    row = [surveys[found[columns.survey]], *map(found.__getitem__, columns.positions)]
    for i, convert in columns.convert:
        row[i] = None if row[i] is None else convert(row[i])
    return row


def _table(curve: LightCurves) -> pa.Table:
    """One light curve as a table with the columns of ``POINT_TYPE``."""
    points = curve.to_arrow().values
    return pa.Table.from_arrays(points.flatten(), schema=pa.schema(list(POINT_TYPE)))
