"""Making the new values of a revision count in the index: columns, topics, classes and aggregates of objects.

Commit and rebuild both come here. The index holds the newest value of each indexed column, so that no query pays for
revisions; archived columns are joined when they are read (store/revised_values.py).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.errors import StoreError
from redpoll.schema.classifications import CLASSES
from redpoll.schema.names import PASS
from redpoll.store.classes import insert_alert_classes, read_classes
from redpoll.store.columns import filled, is_indexed, is_topic, one_batch
from redpoll.store.columns import values as sql_values
from redpoll.store.insert import key
from redpoll.store.objects import KEY_BITS, recompute_aggregates, register
from redpoll.store.revision_files import Committed, made_by, revised_fields
from redpoll.store.types import read_type

_GROUP = "(?, ?, ?, ?, ?)"


@dataclass(frozen=True)
class _Alerts:
    """Stored alerts, each with its row in the revision, and the facts by which the tables of groups are sorted."""

    rows: NDArray[np.int64]
    keys: NDArray[np.int64]
    facts: Sequence[tuple[int, float, int, int]]  # night, mjd, alert_id, key
    topics: Sequence[str | None]
    classes: Sequence[bytes | None]
    compacted: Sequence[bool]

    @classmethod
    def of(cls, found: Sequence[Sequence[Any]]) -> _Alerts:
        """Alerts from rows of `_FIND`."""
        rows, keys = (np.array([row[i] for row in found], np.int64) for i in (0, 1))
        facts = [(night, mjd, alert_id, alert) for _, alert, night, mjd, alert_id, *_ in found]
        topics, classes, compacted = ([row[i] for row in found] for i in (5, 6, 7))
        return cls(rows, keys, facts, topics, classes, compacted)

    def not_compacted(self) -> _Alerts:
        """Those whose values do not come from the compacted catalogue."""
        at = [i for i, moved in enumerate(self.compacted) if not moved]
        facts, topics = [self.facts[i] for i in at], [self.topics[i] for i in at]
        classes = [self.classes[i] for i in at]
        return _Alerts(self.rows[at], self.keys[at], facts, topics, classes, [False] * len(at))


_ADD = """INSERT INTO revisions (_id, name, survey, job, revised, rows, columns, provenance, checksum, segment)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, (SELECT _id FROM segments WHERE name = ?))"""


def add_revision(
    connection: sqlite3.Connection, committed: Committed, name: str, values: pa.Table, checksum: str, *, held: int = 0
) -> list[int]:
    """Add a revision to the index inside the open transaction; returns those of its alerts that are not stored.

    Parameters
    ----------
    connection, committed, name, checksum
        The index; number, name and checksum of the revision, which is newer than all others that were added.
    values
        The new values, with survey and alert_id.
    held
        The newest revision that the compacted catalogue holds: alerts that came from there have its values already.
    """
    survey = key(connection, "surveys", "name", values["survey"][0].as_py())
    made = key(connection, "provenance", "mapping", made_by(values.schema))
    columns = json.dumps([field.name for field in revised_fields(values.schema)])
    row: tuple[Any, ...] = (committed.number, name, survey, committed.job, committed.revised, values.num_rows)
    connection.execute(_ADD, (*row, columns, made, checksum, committed.segment))
    ids = values["alert_id"].to_pylist()
    wanted = json.dumps([None if i in committed.lost else i for i in ids])
    alerts = _Alerts.of(connection.execute(_FIND, (wanted, survey)).fetchall())
    rows = zip(alerts.keys.tolist(), alerts.rows.tolist(), strict=True)
    numbered = ((alert, committed.number, row) for alert, row in rows)
    connection.executemany("INSERT INTO revised VALUES (?, ?, ?)", numbered)
    _apply(connection, values, alerts if committed.number > held else alerts.not_compacted())
    return [ids[row] for row in np.delete(np.arange(len(ids)), alerts.rows).tolist()]


def _apply(connection: sqlite3.Connection, values: pa.Table, alerts: _Alerts) -> None:
    if not len(alerts.rows):
        return
    schema = describe_columns(connection, values.schema)
    batch = one_batch(values.take(pa.array(alerts.rows)).cast(schema))
    _update_columns(connection, batch, alerts)
    _update_topics(connection, batch, alerts)
    if CLASSES in batch.schema.names:
        _update_classes(connection, batch, alerts)
    objects = np.unique(alerts.keys >> KEY_BITS).tolist()
    recompute_aggregates(connection, objects, [field.name for field in revised_fields(schema)])


def check_types(connection: sqlite3.Connection, schema: pa.Schema) -> None:
    """Raise StoreError if a column's new values are of another kind than those stored: text for numbers, and so on."""
    stored = dict(connection.execute("SELECT name, type FROM columns"))
    for field in revised_fields(schema):
        if field.name not in stored:
            continue
        before = pa.field(field.name, read_type(stored[field.name]))
        try:
            pa.unify_schemas([pa.schema([before]), pa.schema([field.remove_metadata()])], promote_options="permissive")
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise StoreError(
                f"column '{field.name}' is stored as {before.type}: new values of type {field.type} need a new name"
            ) from error


_FIND = """SELECT k.key, a._id, a.night, a.mjd, a.alert_id, a._topics, a._classes, p.compacted FROM json_each(?) k
    CROSS JOIN alerts a ON a.alert_id = k.value AND a._survey = ? CROSS JOIN segments p ON p._id = a._segment
    ORDER BY k.key"""


def describe_columns(connection: sqlite3.Connection, schema: pa.Schema) -> pa.Schema:
    """Record the columns of a revision; returns its schema, with each column indexed or not as it was before."""
    before = dict(connection.execute("SELECT name, indexed FROM columns"))
    schema = pa.schema([_with_fact(field, before.get(field.name)) for field in schema])
    register(connection, pa.schema(revised_fields(schema)))
    return schema


def _with_fact(field: pa.Field, indexed: int | None) -> pa.Field:
    return field if indexed is None else field.with_metadata({**(field.metadata or {}), b"indexed": b"%d" % indexed})


def _update_columns(connection: sqlite3.Connection, batch: pa.RecordBatch, alerts: _Alerts) -> None:
    names = [field.name for field in revised_fields(batch.schema) if is_indexed(field)]
    if names:
        sets = ", ".join(f'"{name}" = ?' for name in names)
        rows = zip(*(sql_values(batch[name]) for name in names), alerts.keys.tolist(), strict=True)
        connection.executemany(f"UPDATE alerts SET {sets} WHERE _id = ?", rows)


def _update_topics(connection: sqlite3.Connection, batch: pa.RecordBatch, alerts: _Alerts) -> None:
    """Put alerts into the topics that they pass now, and take them out of those that they do not pass any more."""
    fields = [field for field in batch.schema if is_topic(field)]
    if not fields:
        return
    topics = [set(map(int, text.split(","))) if text else set() for text in alerts.topics]
    for field in fields:
        passed = filled(batch[field.name], False).astype(bool).tolist()
        number = _topic(connection, field.name.removeprefix(PASS), create=any(passed))
        for does_pass, of_alert in zip(passed, topics, strict=True):
            of_alert.add(number) if does_pass else of_alert.discard(number)
        into = [(number, *fact) for does_pass, fact in zip(passed, alerts.facts, strict=True) if does_pass]
        out = [(number, *fact) for does_pass, fact in zip(passed, alerts.facts, strict=True) if not does_pass]
        connection.executemany(f"INSERT OR IGNORE INTO alert_topics VALUES {_GROUP}", into)
        connection.executemany(_leave("alert_topics", "topic"), out)
    texts = [",".join(map(str, sorted(of_alert))) or None for of_alert in topics]
    rows = zip(texts, alerts.keys.tolist(), strict=True)
    connection.executemany("UPDATE alerts SET _topics = ? WHERE _id = ?", rows)


def _topic(connection: sqlite3.Connection, name: str, *, create: bool) -> int:
    """Number of a topic; 0, which no topic has, if there is none and no alert passes it."""
    if create:
        return key(connection, "topics", "name", name)
    found = connection.execute("SELECT _id FROM topics WHERE name = ?", (name,)).fetchone()
    return int(found[0]) if found else 0


def _update_classes(connection: sqlite3.Connection, batch: pa.RecordBatch, alerts: _Alerts) -> None:
    out = [
        (number, *fact)
        for blob, fact in zip(alerts.classes, alerts.facts, strict=True)
        for number in {number for number, _, _ in read_classes(blob)}
    ]
    connection.executemany(_leave("alert_classes", "class"), out)
    night, mjd, alert_id = (pa.array([fact[i] for fact in alerts.facts]) for i in range(3))
    facts: dict[str, Any] = {"night": night, "mjd": mjd, "alert_id": alert_id}
    sorted_by = pa.record_batch([*facts.values(), batch[CLASSES]], names=[*facts, CLASSES])
    blobs = insert_alert_classes(connection, sorted_by, alerts.keys)
    connection.executemany(
        "UPDATE alerts SET _classes = ? WHERE _id = ?", zip(blobs, alerts.keys.tolist(), strict=True)
    )


def _leave(table: str, column: str) -> str:
    return f"DELETE FROM {table} WHERE ({column}, night, mjd, alert_id, alert) = {_GROUP}"
