"""Questions about objects, answered from the index and the archive beside a running writer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from redpoll.errors import NotFound
from redpoll.schema.bands import BANDS
from redpoll.schema.light_curve import LightCurves
from redpoll.store.classes import history
from redpoll.store.columns import rank, table_columns
from redpoll.store.connections import Connections, Names
from redpoll.store.layout import Layout
from redpoll.store.light_curves import Packet, merge, single, to_table
from redpoll.store.objects import OF_OBJECT
from redpoll.store.ports import Row
from redpoll.store.rows import find_places, read_light_curves, while_moving

_OWN_POINT = ("mjd", "band", "flux", "flux_err")


class ObjectQueries:
    """The port ObjectReader on the embedded store."""

    def __init__(self, connections: Connections, names: Names, layout: Layout) -> None:
        self._connections, self._names, self._layout = connections, names, layout

    def object(self, object_id: str) -> Row:
        """Summary of an object; NotFound if there is none of this name."""
        sql = "SELECT * FROM objects WHERE object_id = ? ORDER BY last_mjd DESC LIMIT 1"
        connection = self._connections.get()
        found = self._connections.execute(sql, (object_id,))
        if not found:
            raise NotFound(f"no object '{object_id}' in {self._layout.root}")
        row = dict(zip(table_columns(connection, "objects"), found[0], strict=True))
        survey = self._names.name("surveys", row["_survey"])
        return {"survey": survey} | {name: value for name, value in row.items() if not name.startswith("_")}

    def classes_of(self, object_id: str) -> list[Row]:
        """What the object was said to be: per class and classifier, since and until when, how often, how probable."""
        sql = f"SELECT a.mjd, a.alert_id, a._classes FROM objects o CROSS JOIN alerts a ON {OF_OBJECT}"
        found = self._connections.execute(f"{sql} WHERE o.object_id = ?", (object_id,))
        if not found:
            raise NotFound(f"no object '{object_id}' in {self._layout.root}")
        rows = [self._said(*said) for said in history([row for row in found if row[2]])]
        return sorted(rows, key=lambda row: (row["name"], row["by"]))

    def _said(self, name: int, by: int, first: float, last: float, n: int, best: float, newest: float) -> Row:
        return {
            "name": self._names.name("classes", name), "by": self._names.name("classifiers", by), "first_mjd": first,
            "last_mjd": last, "n_alerts": n, "max_probability": None if best != best else best,
            "last_probability": None if newest != newest else newest,
        }  # fmt: skip

    def light_curve(self, object_id: str) -> pa.Table:
        """Points merged over all packets of the object, see `light_curves.merge`; NotFound if it is unknown."""
        packets = while_moving(lambda: self._packets(object_id))
        if not packets:
            raise NotFound(f"no object '{object_id}' in {self._layout.root}")
        return to_table(merge(packets))

    def columns(self) -> list[Row]:
        """Columns of the stored alerts: name, dtype, unit, doc, ucd, indexed and aggregate."""
        names = ("name", "dtype", "unit", "doc", "ucd", "indexed", "aggregate")
        found = self._connections.execute(f"SELECT {', '.join(names)} FROM columns")
        rows = [dict(zip(names, row, strict=True)) for row in sorted(found, key=lambda row: rank(row[0]))]
        return [row | {"indexed": bool(row["indexed"]), "aggregate": row["aggregate"] or None} for row in rows]

    def _packets(self, object_id: str) -> list[Packet]:
        where = f"{OF_OBJECT} AND o.object_id = ?"
        places = find_places(
            self._connections, self._layout, where, (object_id,), source="objects o CROSS JOIN alerts a"
        )
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
        present = table_columns(self._connections.get(), "alerts")
        names = ", ".join(f"a.{name}" if name in present else "NULL" for name in _OWN_POINT)
        sql = f"SELECT a._id, {names} FROM objects o CROSS JOIN alerts a ON {OF_OBJECT} WHERE o.object_id = ?"
        return {key: point for key, *point in self._connections.execute(sql, (object_id,))}


def _own_packet(alert_id: int, point: Sequence[Any]) -> Packet:
    mjd, band, flux, flux_err = point
    return Packet(mjd, alert_id, single(mjd, BANDS.index(band) if band in BANDS else -1, flux, flux_err))


def _no_nulls(column: pa.ChunkedArray) -> pa.Array:
    """The lists as one array, an unknown list being an empty one."""
    array = column.combine_chunks()
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    return pa.concat_arrays([array]).fill_null([]) if array.null_count else array
