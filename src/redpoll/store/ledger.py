"""Counts of packets by outcome, of alerts by topic and class; and the dead letters."""

from __future__ import annotations

from typing import Any, Literal

import pyarrow as pa

from redpoll.errors import NotFound
from redpoll.schema.column import Column
from redpoll.store.pool import ReadPool
from redpoll.store.positions import unpacked

OUTCOMES = ("received", "stored", "duplicate", "rejected")
"""Columns of counts: all packets, and what became of them."""
_GROUPS = {
    "night": Column("int32", doc="Night, YYYYMMDD; null where a packet could not be read.", ucd="time.epoch"),
    "run": Column("int64", doc="Number of the run.", ucd="meta.id"),
}
_COUNTS = {
    "survey": Column("string", doc="Survey; null where a packet could not be read.", ucd="meta.id"),
    "received": Column("int64", doc="Packets received.", ucd="meta.number"),
    "stored": Column("int64", doc="Alerts stored.", ucd="meta.number"),
    "duplicate": Column("int64", doc="Alerts that were stored already.", ucd="meta.number"),
    "rejected": Column("int64", doc="Packets that a cut or a fault rejected.", ucd="meta.number"),
    "reasons": Column(pa.map_(pa.string(), pa.int64()), doc="Packets per reason of rejection or duplication."),
}
_ORIGIN = {
    "run": Column("int64", doc="Number of the run that stored the alert; null if a rebuild lost it.", ucd="meta.id"),
    "segment": Column("string", doc="Segment of the archive that it was written to.", ucd="meta.id"),
    "row": Column("int64", doc="Its row in that segment.", ucd="meta.number"),
    "source": Column("string", doc="File or topic that its packet came from; null if unknown."),
    "position": Column("string", doc="Position in the source; null if unknown."),
}
_LETTERS = {
    "id": Column("int64", doc="Number of the dead letter.", ucd="meta.id"),
    "received": Column("string", doc="When it was received, ISO 8601.", ucd="time.epoch"),
    "source": Column("string", doc="File or topic that it came from."),
    "position": Column("string", doc="Position in its source."),
    "reason": Column("string", doc="Why the packet could not be used."),
    "n_bytes": Column("int64", "byte", "Size of the packet.", "meta.number"),
}


class EmbeddedLedger:
    """The port Ledger on the embedded store."""

    def __init__(self, pool: ReadPool) -> None:
        self._pool = pool

    def table(self, *, by: Literal["night", "run"] = "night") -> pa.Table:
        """Sums per survey and night, or per survey and run, newest first; nights unknown come last."""
        column = {"night": "night", "run": "run"}[by]
        sql = f"SELECT survey, {column}, outcome, reason, sum(n) FROM ledger GROUP BY 1, 2, 3, 4 HAVING sum(n) != 0"
        rows: dict[Any, dict[str, Any]] = {}
        for survey, group, outcome, reason, n in self._pool.execute(f"{sql} ORDER BY 2 DESC, 1, 4"):
            start = {"survey": survey, by: group, **dict.fromkeys(OUTCOMES, 0), "reasons": {}}
            row = rows.setdefault((survey, group), start)
            row["received"] += n
            row[outcome] += n
            if reason:
                row["reasons"][reason] = row["reasons"].get(reason, 0) + n
        survey_column, *counts = _COUNTS.items()
        columns = dict([survey_column, (by, _GROUPS[by]), *counts])
        schema = pa.schema([column.field(name) for name, column in columns.items()])
        plain = [row | {"reasons": list(row["reasons"].items())} for row in rows.values()]
        return pa.Table.from_pylist(plain, schema)

    def origin(self, alert_id: int, survey: str) -> pa.Table:
        """Run, segment and packet of a stored alert; NotFound if there is no such alert."""
        sql = """SELECT q.data, p.run, p.name, a._row FROM alerts a JOIN segments p ON p._id = a._segment
            LEFT JOIN positions q ON q.segment = p.name
            WHERE a.alert_id = ? AND a._survey = (SELECT _id FROM surveys WHERE name = ?)"""
        found = self._pool.execute(sql, (alert_id, survey)) if abs(alert_id) < 2**63 else []
        if not found:
            raise NotFound(f"no alert {alert_id} of '{survey}' in this store")
        schema = pa.schema([column.field(name) for name, column in _ORIGIN.items()])
        data, *facts = found[0]
        facts += (None, None) if data is None else unpacked(data)[facts[-1]]
        return pa.Table.from_pylist([dict(zip(_ORIGIN, facts, strict=True))], schema)

    def topics(self, *, night: int | None = None) -> dict[str, int]:
        """Alerts per topic, over one night or all, by name."""
        return self._counts("topics", "alert_topics WHERE topic", night)

    def classes(self, *, night: int | None = None) -> dict[str, int]:
        """Alerts per assigned class, over one night or all, by name."""
        return self._counts("classes", "alert_classes WHERE class", night)

    def _counts(self, names: str, members: str, night: int | None) -> dict[str, int]:
        where, values = ("", ()) if night is None else (" AND night = ?", (night,))
        counted = f"(SELECT count(*) FROM {members} = {names}._id{where})"
        found = self._pool.execute(f"SELECT name, {counted} AS n FROM {names} ORDER BY name", values)
        return {name: n for name, n in found if n}
