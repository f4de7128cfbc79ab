"""Questions about alerts, answered from the index and the archive beside a running writer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll.astro.sky import cone_ranges, separation_arcsec
from redpoll.errors import NotFound, UsageError
from redpoll.store.classes import kinds_of, newest_of_class
from redpoll.store.columns import PASS
from redpoll.store.connections import FROM_ALERTS, AlertShape, Connections, Names
from redpoll.store.layout import Layout
from redpoll.store.objects import OF_OBJECT
from redpoll.store.ports import Row
from redpoll.store.rows import find_places, read_whole, while_moving

_WITH_TOPIC = f"alert_topics t CROSS JOIN {FROM_ALERTS.replace('alerts a', 'alerts a ON a._id = t.alert')}"
_CELL_ARCSEC = 1e-3  # a cell of order 29 is 0.4 mas wide
_ONE = "a.alert_id = ? AND a._survey = (SELECT _id FROM surveys WHERE name = ?)"


class AlertQueries:
    """The port AlertReader on the embedded store."""

    def __init__(self, connections: Connections, names: Names, layout: Layout) -> None:
        self._connections, self._names, self._layout = connections, names, layout
        self._last_shape: AlertShape | None = None

    def alerts_of(self, object_id: str, *, limit: int | None = None) -> list[Row]:
        """Alerts of an object, newest first."""
        sql = f"objects o CROSS JOIN alerts a ON {OF_OBJECT} WHERE o.object_id = ?"
        sql += " ORDER BY a.mjd DESC, a.alert_id DESC LIMIT ?"
        return self._rows(sql, (object_id, -1 if limit is None else limit))

    def cone(self, ra: float, dec: float, radius_arcsec: float, *, limit: int | None = None) -> list[Row]:
        """Alerts within a radius, nearest first, at one distance newest first; UsageError if there is no such cone."""
        try:
            ranges = cone_ranges(ra, dec, radius_arcsec)
        except ValueError as error:
            raise UsageError(str(error)) from error
        keys = self._near(ra, dec, radius_arcsec, ranges, limit)
        rows = self._by_key(keys)
        separation = separation_arcsec(ra, dec, [row["ra"] for row in rows], [row["dec"] for row in rows])
        for row, distance in zip(rows, separation.tolist(), strict=True):
            row["separation_arcsec"] = distance
        rows.sort(key=lambda row: (row["separation_arcsec"], -row["mjd"], -row["alert_id"]))
        return [row for row in rows if row["separation_arcsec"] <= radius_arcsec][:limit]

    def latest(
        self,
        *,
        topic: str | None = None,
        class_: str | None = None,
        night: int | None = None,
        limit: int = 100,
        before: tuple[float, int] | None = None,
    ) -> list[Row]:
        """Newest alerts, of one topic or class, and of one night if given, after the row `before` = (mjd, alert_id)."""
        if class_ is not None:
            if topic is not None:
                raise UsageError("ask for the latest alerts of a topic or of a class, not of both")
            return self._latest_of_class(class_, night, limit, before)
        t, source = ("a", FROM_ALERTS) if topic is None else ("t", _WITH_TOPIC)
        wanted: list[tuple[str, Any]] = [] if topic is None else [("t.topic = ?", self._names.topic(topic))]
        wanted += [] if night is None else [(f"{t}.night = ?", night)]
        where = " AND ".join([condition for condition, _ in wanted] or ["1"])
        values = [value for _, value in wanted]
        if before is not None:
            where += f" AND ({t}.mjd, {t}.alert_id) < (?, ?)"
            values += before
        order = f"ORDER BY {t}.mjd DESC, {t}.alert_id DESC LIMIT ?"
        return self._rows(f"{source} WHERE {where} {order}", (*values, limit))

    def _latest_of_class(self, name: str, night: int | None, limit: int, before: tuple[float, int] | None) -> list[Row]:
        """Newest alerts said to be of a class or of a kind of it."""
        sql = "SELECT _id FROM classes WHERE name IN (SELECT value FROM json_each(?))"
        numbers = [row[0] for row in self._connections.execute(sql, (json.dumps(kinds_of(name)),))]
        if not numbers:
            return []
        newest = newest_of_class(numbers, of_night=night is not None, before=before is not None)
        source = f"({newest}) t CROSS JOIN {FROM_ALERTS.replace('alerts a', 'alerts a ON a._id = t.alert')}"
        return self._rows(f"{source} ORDER BY t.mjd DESC, t.alert_id DESC", (night, *(before or (None, None)), limit))

    def get_alert(self, alert_id: int, survey: str, columns: Sequence[str] | None = None) -> Row:
        """One alert from the archive; NotFound if there is no such alert or column."""
        self._check_columns(columns)

        def read() -> Row:
            places = find_places(self._connections, self._layout, _ONE, (alert_id, survey))
            return read_whole(places[0], columns) if places else self._no_alert(alert_id, survey)

        row = while_moving(read)
        if columns is not None:
            return {name: row.get(name) for name in columns}
        return {name: value for name, value in row.items() if not name.startswith("_")}

    def provenance(self, alert_id: int, survey: str) -> dict[str, str]:
        """Column -> module@version for the values added to this alert; NotFound if there is no such alert."""
        sql = "SELECT v.mapping FROM alerts a JOIN segments p ON p._id = a._segment"
        sql += " JOIN provenance v ON v._id = p.provenance"
        found = self._connections.execute(f"{sql} WHERE {_ONE}", (alert_id, survey))
        return dict(json.loads(found[0][0])) if found else self._no_alert(alert_id, survey)

    def _rows(self, source: str, values: Sequence[Any]) -> list[Row]:
        shape = self._shape()
        return shape.rows(self._connections.execute(f"SELECT {shape.select} FROM {source}", values))

    def _shape(self) -> AlertShape:
        """The shape of rows now; modules may have added columns since the last question."""
        ((version,),) = self._connections.execute("PRAGMA schema_version")
        if self._last_shape is None or self._last_shape.version != version:
            self._last_shape = AlertShape.read(self._connections, self._names)
        return self._last_shape

    def _near(
        self, ra: float, dec: float, radius_arcsec: float, ranges: NDArray[np.int64], limit: int | None
    ) -> list[int]:
        """Keys of all alerts that may be among the nearest within the radius.

        Their places are those of their cells, read from the b-tree alone; `_CELL_ARCSEC` is what that can be wrong.
        """
        from redpoll.astro.healpix import centres  # brings numba, which few commands need

        holes = ", ".join(["(?, ?)"] * len(ranges))
        sql = f"WITH r (start, stop) AS (VALUES {holes}) SELECT a._id, a.hpx29 FROM r CROSS JOIN alerts a"
        found = self._connections.execute(sql + " ON a.hpx29 >= start AND a.hpx29 < stop", ranges.ravel().tolist())
        keys, cells = np.array(found, np.int64).reshape(-1, 2).T
        distance = separation_arcsec(ra, dec, *centres(cells, 29))
        farthest = radius_arcsec + _CELL_ARCSEC
        if limit is not None and 0 < limit < len(distance):
            farthest = min(farthest, float(np.partition(distance, limit - 1)[limit - 1]) + 2 * _CELL_ARCSEC)
        return [int(key) for key in keys[distance <= farthest]]

    def _by_key(self, keys: list[int]) -> list[Row]:
        join = FROM_ALERTS.replace("alerts a", "alerts a ON a._id = k.value")
        return self._rows(f"json_each(?) k CROSS JOIN {join} ORDER BY k.key", (json.dumps(keys),))

    def _check_columns(self, columns: Sequence[str] | None) -> None:
        known = {name for (name,) in self._connections.execute("SELECT name FROM columns")} if columns else set()
        for name in columns or ():
            if name not in known and not name.startswith(PASS):
                raise NotFound(f"no column '{name}' in {self._layout.root}")

    def _no_alert(self, alert_id: int, survey: str) -> Row:
        raise NotFound(f"no alert {alert_id} of '{survey}' in {self._layout.root}")
