"""Alerts that a quality cut rejected: their identifiers, the cut and the value, without their packets."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence

import pyarrow as pa

from redpoll.errors import StoreError
from redpoll.schema.column import Column
from redpoll.schema.names import CUT
from redpoll.store.pool import ReadPool
from redpoll.store.records import LedgerEntry, RejectedAlert

MAX_TEXT = 300
"""Maximum number of characters kept of an identifier, reason, value, source or position."""
_COLUMNS = {
    "survey": Column("string", doc="Survey.", ucd="meta.id"),
    "alert_id": Column("int64", doc="Identifier of the alert.", ucd="meta.id"),
    "object_id": Column("string", doc="Identifier of its object.", ucd="meta.id"),
    "night": Column("int32", doc="Night, YYYYMMDD.", ucd="time.epoch"),
    "mjd": Column("float64", "d", "Time of the triggering detection, TAI.", "time.epoch"),
    "reason": Column("string", doc="The cut: column, comparison and threshold."),
    "value": Column("string", doc="The value that the cut rejected; null if it was missing."),
    "run": Column("int64", doc="Number of the run that rejected it last.", ucd="meta.id"),
    "source": Column("string", doc="File or topic that its packet came from."),
    "position": Column("string", doc="Position in the source."),
    "n": Column("int64", doc="How many times it was received and rejected.", ucd="meta.number"),
}
_SCHEMA = pa.schema([column.field(name) for name, column in _COLUMNS.items()])
_INSERT = """INSERT INTO rejected (alert_id, survey, reason, object_id, night, mjd, value, run, source, position, n)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT DO UPDATE SET object_id = excluded.object_id,
    mjd = excluded.mjd, value = excluded.value, run = excluded.run, source = excluded.source,
    position = excluded.position, n = n + 1"""
_DIFFERENCES = f"""SELECT survey, night, reason, sum(r), sum(l) FROM (
    SELECT survey, night, reason, n AS r, 0 AS l FROM rejected UNION ALL
    SELECT survey, night, reason, 0, n FROM ledger
    WHERE outcome = 'rejected' AND substr(reason, 1, {len(CUT)}) = '{CUT}')
    GROUP BY 1, 2, 3 HAVING sum(r) != sum(l)"""


class EmbeddedRejected:
    """The port Rejected on the embedded store."""

    def __init__(self, pool: ReadPool) -> None:
        self._pool = pool

    def find(
        self, *, alert_id: int | None = None, object_id: str | None = None, survey: str | None = None, limit: int = 1000
    ) -> pa.Table:
        """Rejected alerts of this identifier, or all, newest first; see `ports.Rejected.find`."""
        which = "1" if alert_id is None and object_id is None else "alert_id = ?1 OR object_id = ?2"
        if alert_id is not None and not -(2**63) <= alert_id < 2**63:
            alert_id = None
        name = None if object_id is None else head(object_id)
        sql = f"""SELECT {", ".join(_COLUMNS)} FROM rejected WHERE ({which})
            AND ifnull(survey = ?3, 1) ORDER BY mjd DESC, alert_id DESC, run DESC LIMIT ?4"""
        found = self._pool.execute(sql, (alert_id, name, survey, limit))
        return pa.Table.from_pylist([dict(zip(_COLUMNS, row, strict=True)) for row in found], _SCHEMA)


def insert_rejected(connection: sqlite3.Connection, run: int, alerts: Sequence[RejectedAlert]) -> None:
    """Insert rejected alerts inside the open transaction; one that is there is counted and gets the new position."""
    rows = (
        (a.alert_id, a.survey, a.reason, head(a.object_id), a.night, a.mjd, None if a.value is None else head(a.value),
         run, tail(a.source), tail(a.position))
        for a in alerts
    )  # fmt: skip
    connection.executemany(_INSERT, rows)


def check_rejected(ledger: Sequence[LedgerEntry], alerts: Sequence[RejectedAlert]) -> None:
    """Raise StoreError unless a commit names exactly the alerts that its ledger counts as rejected by a cut."""
    counted: Counter[tuple[str | None, int | None, str]] = Counter()
    for entry in ledger:
        if entry.outcome == "rejected" and entry.reason.startswith(CUT):
            counted[entry.survey, entry.night, entry.reason] += entry.n
    named = Counter((alert.survey, alert.night, alert.reason) for alert in alerts)
    if counted != named:
        raise StoreError(f"the ledger counts {dict(counted)} rejected by cuts, the commit names {dict(named)}")


def cut_differences(connection: sqlite3.Connection) -> list[tuple[str, int, str, int, int]]:
    """Survey, night, reason, alerts named and alerts counted by the ledger, where these two differ."""
    return connection.execute(_DIFFERENCES).fetchall()


def head(text: str) -> str:
    """The first characters of a text, as the store keeps them."""
    return text[:MAX_TEXT]


def tail(text: str) -> str:
    """The last characters of a text: of a path, those that differ.

    >>> tail("/data/night.tar"), len(tail("a" * 400))
    ('/data/night.tar', 300)
    """
    return text[-MAX_TEXT:]
