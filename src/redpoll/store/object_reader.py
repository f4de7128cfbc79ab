"""Questions about objects, answered from the index and the archive beside a running writer."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

import pyarrow as pa

from redpoll.errors import NotFound
from redpoll.schema.bands import BANDS
from redpoll.schema.light_curve import LightCurves
from redpoll.store.answer import StoredRows
from redpoll.store.classes import history
from redpoll.store.columns import table_columns
from redpoll.store.layout import Layout
from redpoll.store.light_curves import Packet, merge, single, to_table
from redpoll.store.object_columns import CLASSIFICATION_COLUMNS, summary_columns
from redpoll.store.objects import OF_OBJECT
from redpoll.store.pool import Names, ReadPool
from redpoll.store.rows import find_locations, read_light_curves, while_moving
from redpoll.store.stored_columns import ColumnReader

_CLASS_AND_CLASSIFIER = itemgetter(0, 1)
_OWN_POINT = ("mjd", "band", "flux", "flux_err")


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
        """Points merged over all packets of the object, see `light_curves.merge`; NotFound if it is unknown."""
        packets = while_moving(lambda: self._packets(object_id))
        if not packets:
            raise NotFound(f"no object '{object_id}' in {self._layout.root}")
        return to_table(merge(packets))

    def _packets(self, object_id: str) -> list[Packet]:
        where = f"{OF_OBJECT} AND o.object_id = ?"
        places = find_locations(self._pool, self._layout, where, (object_id,), source="objects o CROSS JOIN alerts a")
        own = self._own_points(object_id)  # asked last: a commit in between adds alerts, and takes none away
        packets = {}
        for inside, column in read_light_curves(places):
            curves = LightCurves.from_arrow(_no_nulls(column))
            for place, curve in zip(inside, curves, strict=True):
                if len(curve.mjd):
                    packets[place.key] = Packet(own[place.key][0], place.alert_id, curve)
        missing = [place for place in places if place.key not in packets]
        return [*packets.values(), *(_own_packet(place.alert_id, own[place.key]) for place in missing)]

    def _own_points(self, object_id: str) -> dict[int, Sequence[Any]]:
        """Key of each alert -> its own time, band, flux and error."""
        with self._pool.lease() as connection:
            present = table_columns(connection, "alerts")
        names = ", ".join(f"a.{name}" if name in present else "NULL" for name in _OWN_POINT)
        sql = f"SELECT a._id, {names} FROM objects o CROSS JOIN alerts a ON {OF_OBJECT} WHERE o.object_id = ?"
        return {key: point for key, *point in self._pool.execute(sql, (object_id,))}


def _own_packet(alert_id: int, point: Sequence[Any]) -> Packet:
    mjd, band, flux, flux_err = point
    return Packet(mjd, alert_id, single(mjd, BANDS.index(band) if band in BANDS else -1, flux, flux_err))


def _no_nulls(column: pa.ChunkedArray) -> pa.Array:
    """The lists as one array, an unknown list being an empty one."""
    array = column.combine_chunks()
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    return pa.concat_arrays([array]).fill_null([]) if array.null_count else array
