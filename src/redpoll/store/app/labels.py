"""Labels in ``app.sqlite``: rows are added and never changed; a label is taken back by a new row."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, get_args

import pyarrow as pa

from redpoll.errors import NotFound, StoreError, UsageError
from redpoll.store.app import columns, texts
from redpoll.store.app.connection import AppConnections, now
from redpoll.store.app.ports import Label, LabelQuery, LabelSource

_NAMES = ", ".join(columns.LABELS.names)
_INSERT = f"INSERT INTO labels ({_NAMES}) VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING label_id"
_CURRENT = "retracts IS NULL AND label_id NOT IN (SELECT retracts FROM labels WHERE retracts IS NOT NULL)"
_ALL = LabelQuery()


class LabelTable:
    """The port Labels on the embedded store."""

    def __init__(self, connections: AppConnections) -> None:
        self._connections = connections

    def add(self, labels: Sequence[Label]) -> list[int]:
        """Add labels, all or none; returns their numbers.

        Raises
        ------
        UsageError
            If a text is empty or too long, the source is unknown, or a confidence is not between 0 and 1.
        """
        rows = [_row(label) for label in labels]
        with self._connections.transaction() as connection:
            return [int(connection.execute(_INSERT, row).fetchone()[0]) for row in rows]

    def retract(self, label_id: int, *, by: str, note: str = "") -> int:
        """Take a label back by a new row that names it; returns the number of the new row.

        Raises
        ------
        NotFound
            If there is no such label.
        StoreError
            If it was taken back already, or is itself such a row.
        """
        texts.name(by, "by"), texts.text(note, "note", longest=4000, empty=True)
        with self._connections.transaction() as connection:
            sql = "SELECT survey, object_id, alert_id, label, source, retracts FROM labels WHERE label_id = ?"
            found = connection.execute(sql, (label_id,)).fetchone()
            if found is None:
                raise NotFound(f"no label {label_id}")
            if found[5] is not None:
                raise StoreError(f"{label_id} takes back label {found[5]}: add the label again instead")
            if connection.execute("SELECT 1 FROM labels WHERE retracts = ?", (label_id,)).fetchone():
                raise StoreError(f"label {label_id} was taken back already")
            row = (*found[:5], by, now(), None, note, label_id)
            return int(connection.execute(_INSERT, row).fetchone()[0])

    def scan(self, query: LabelQuery = _ALL, *, batch_rows: int = 10_000) -> Iterator[pa.RecordBatch]:
        """Stream labels in the order they were added; each batch is a query of its own, so that no lock is held."""
        last = query.after
        while rows := self._rows(query, last, batch_rows):
            yield columns.batch(columns.LABELS, rows)
            last = rows[-1][0]

    def table(self, query: LabelQuery = _ALL, *, limit: int | None = None) -> pa.Table:
        """Labels in the order they were added, as one table."""
        return columns.table(columns.LABELS, self._rows(query, query.after, -1 if limit is None else limit))

    def _rows(self, query: LabelQuery, after: int, limit: int) -> list[Any]:
        asked = {name: getattr(query, name) for name in ("survey", "object_id", "label", "source")}
        given = {name: value for name, value in asked.items() if value is not None}
        where = ["label_id > ?", *(f"{name} = ?" for name in given), *([_CURRENT] if query.current else [])]
        sql = f"SELECT {_NAMES} FROM labels WHERE {' AND '.join(where)} ORDER BY label_id LIMIT ?"
        return self._connections.rows(sql, (after, *given.values(), limit))


def _row(label: Label) -> tuple[Any, ...]:
    if label.source not in get_args(LabelSource):
        raise UsageError(f"source {label.source!r} of a label: expected one of {', '.join(get_args(LabelSource))}")
    confidence = None if label.confidence is None else float(label.confidence)
    if confidence is not None and not (math.isfinite(confidence) and 0 <= confidence <= 1):
        raise UsageError(f"confidence {label.confidence} of a label: expected 0 to 1")
    if label.alert_id is not None and not -(1 << 63) <= label.alert_id < 1 << 63:
        raise UsageError(f"alert_id {label.alert_id} of a label: expected a 64-bit integer")
    return (
        texts.name(label.survey, "survey"),
        texts.text(label.object_id, "object_id", longest=300),
        None if label.alert_id is None else int(label.alert_id),
        texts.text(label.label, "label", longest=100),
        label.source,
        texts.name(label.by, "by"),
        now(),
        confidence,
        texts.text(label.note, "note", longest=4000, empty=True),
        None,
    )
