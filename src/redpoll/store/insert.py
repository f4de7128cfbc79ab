"""Adding the alerts of a segment to the index: alerts, objects, topics, classes. Commit and rebuild both come here."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.schema.names import PASS
from redpoll.store.classes import insert_alert_classes
from redpoll.store.columns import HISTORY_NEWS, KEYS, filled, is_indexed, is_topic, values
from redpoll.store.histories import add
from redpoll.store.objects import update_objects

_OWN = ("_id", "_segment", "_row", "_survey", "_topics", "_classes")


def insert_alerts(
    connection: sqlite3.Connection,
    survey: int,
    batch: pa.RecordBatch,
    segments: Sequence[int],
    rows: Sequence[int],
) -> None:
    """Insert alerts that are not in the index yet, inside the open transaction.

    Parameters
    ----------
    connection, survey
        The index, and the key of the survey of every alert.
    batch
        Indexed columns, topics and classes, registered before; each (alert_id, survey) once.
    segments, rows
        Key of the part of each alert, and its row there.
    """
    if not batch.num_rows:
        return
    keys = update_objects(connection, survey, batch)
    if HISTORY_NEWS in batch.schema.names:
        add(connection, keys.tolist(), batch[HISTORY_NEWS].to_pylist())
    groups: list[Sequence[Any]] = [
        _insert_topics(connection, batch, keys),
        insert_alert_classes(connection, batch, keys),
    ]
    indexed = [f.name for f in batch.schema if is_indexed(f) and f.name not in KEYS]
    names = ", ".join([*_OWN, *(f'"{name}"' for name in indexed)])
    own: list[Sequence[Any]] = [keys.tolist(), segments, rows, [survey] * batch.num_rows, *groups]
    columns = [*own, *(values(batch[name]) for name in indexed)]
    sql = f"INSERT INTO alerts ({names}) VALUES ({','.join('?' * len(columns))})"
    connection.executemany(sql, zip(*columns, strict=True))


def stored(connection: sqlite3.Connection, survey: int, alert_ids: Iterable[int]) -> set[int]:
    """Which of these alerts of a survey the index has."""
    wanted = json.dumps([int(i) for i in alert_ids])
    sql = "SELECT alert_id FROM alerts WHERE _survey = ? AND alert_id IN (SELECT value FROM json_each(?))"
    return {row[0] for row in connection.execute(sql, (survey, wanted))}


def exists(connection: sqlite3.Connection, survey: str, alert_ids: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether the index has each of these alerts."""
    row = connection.execute("SELECT _id FROM surveys WHERE name = ?", (survey,)).fetchone()
    have = stored(connection, row[0], alert_ids.tolist()) if row else set()
    return np.fromiter((i in have for i in alert_ids.tolist()), bool, len(alert_ids))


def key(connection: sqlite3.Connection, table: str, column: str, value: str) -> int:
    """Number of a survey, topic or provenance mapping; given on first sight."""
    connection.execute(f"INSERT OR IGNORE INTO {table} ({column}) VALUES (?)", (value,))
    row = connection.execute(f"SELECT _id FROM {table} WHERE {column} = ?", (value,)).fetchone()
    return int(row[0])


def _insert_topics(connection: sqlite3.Connection, batch: pa.RecordBatch, keys: NDArray[np.int64]) -> list[str | None]:
    """Insert one row per alert and topic; returns the topics of each alert as the text `_topics` holds."""
    texts: list[str | None] = [None] * batch.num_rows
    night, mjd, alert_id = (filled(batch[name], 0) for name in ("night", "mjd", "alert_id"))
    for field in batch.schema:
        passed = np.flatnonzero(filled(batch[field.name], False)) if is_topic(field) else keys[:0]
        if not len(passed):
            continue
        topic = key(connection, "topics", "name", field.name.removeprefix(PASS))
        columns: list[list[Any]] = [column[passed].tolist() for column in (night, mjd, alert_id, keys)]
        rows = ((topic, *row) for row in zip(*columns, strict=True))
        connection.executemany("INSERT INTO alert_topics VALUES (?, ?, ?, ?, ?)", rows)
        for i in passed.tolist():
            texts[i] = f"{topic}" if texts[i] is None else f"{texts[i]},{topic}"
    return texts
