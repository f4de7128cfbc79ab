"""Questions about objects, answered from the index beside a running writer."""

from __future__ import annotations

from operator import itemgetter

import pyarrow as pa

from redpoll.errors import NotFound
from redpoll.schema.light_curve import POINT_TYPE, LightCurves
from redpoll.store.answer import StoredRows
from redpoll.store.classes import history
from redpoll.store.histories import read_name
from redpoll.store.layout import Layout
from redpoll.store.object_columns import CLASSIFICATION_COLUMNS, summary_columns
from redpoll.store.objects import OF_OBJECT
from redpoll.store.pool import Names, ReadPool
from redpoll.store.stored_columns import ColumnReader

_CLASS_AND_CLASSIFIER = itemgetter(0, 1)


class EmbeddedObjects:
    """The port Objects on the embedded store."""

    def __init__(self, pool: ReadPool, names: Names, layout: Layout) -> None:
        self._pool, self._names, self._layout = pool, names, layout
        self._columns = ColumnReader()

    def get(self, object_id: str) -> StoredRows:
        """Summary of an object, one row; NotFound if there is none of this name."""
        sql = "SELECT * FROM objects WHERE object_id = ? ORDER BY last_mjd DESC LIMIT 1"
        with self._pool.lease() as connection:
            columns = summary_columns(self._columns.read(connection))
            found = connection.execute(sql, (object_id,)).fetchone()
            if found is None:
                raise NotFound(f"no object '{object_id}' in {self._layout.root}")
            number = found[columns.survey]
            survey = self._names.of(connection).names("surveys", (number,))[number]
        row = [survey, *map(found.__getitem__, columns.positions)]
        for i, convert in columns.convert:
            row[i] = None if row[i] is None else convert(row[i])
        return StoredRows(columns.answer, [row])

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


def _table(curve: LightCurves) -> pa.Table:
    """One light curve as a table with the columns of ``POINT_TYPE``."""
    points = curve.to_arrow().values
    return pa.Table.from_arrays(points.flatten(), schema=pa.schema(list(POINT_TYPE)))
