"""The port Revisions on the embedded store: new values of alerts that are stored already."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pyarrow as pa

from redpoll.errors import StoreError
from redpoll.schema.classifications import CLASSES
from redpoll.schema.column import Column
from redpoll.store.layout import Layout, is_revision_name
from redpoll.store.lock import is_locked
from redpoll.store.parquet import PARQUET_ERRORS
from redpoll.store.pool import ReadPool
from redpoll.store.records import Revision
from redpoll.store.revise import add_revision, check_types
from redpoll.store.revision_files import (
    Committed,
    mark_committed,
    read_values,
    revised_fields,
    write_revision,
)
from redpoll.store.revision_history import HISTORY, read_history
from redpoll.store.rows import no_alert
from redpoll.store.tidy import tidy
from redpoll.store.write_access import WriteAccess
from redpoll.store.writer import Clock

_JOB_COLUMNS = {
    "job": Column("string", doc="Key of the job.", ucd="meta.id"),
    "command": Column("string", doc="Command that started it."),
    "started": Column("string", doc="When it started, ISO 8601.", ucd="time.start"),
    "updated": Column("string", doc="When it last committed, ISO 8601.", ucd="time.epoch"),
    "status": Column(
        "string",
        doc="running, interrupted, done, or superseded by a job that replaced its values.",
        ucd="meta.code.status",
    ),
    "n_alerts": Column("int64", doc="Alerts to which it gave new values.", ucd="meta.number"),
    "after": Column("string", doc="Token of the page of alerts after which it goes on; null at its beginning or end."),
}
_JOBS = pa.schema([column.field(name) for name, column in _JOB_COLUMNS.items()])
_START = """INSERT INTO revision_jobs (job, command, started, updated, status, n_alerts)
    VALUES (?1, ?2, ?3, ?3, 'running', 0)
    ON CONFLICT (job) DO UPDATE SET command = ?2, updated = ?3, status = 'running',
    started = CASE WHEN status IN ('done', 'superseded') THEN ?3 ELSE started END,
    n_alerts = CASE WHEN status IN ('done', 'superseded') THEN 0 ELSE n_alerts END"""
_MOVE = """UPDATE revision_jobs SET status = CASE WHEN ?2 IS NULL THEN 'done' ELSE 'running' END, after = ?2,
    updated = ?3, n_alerts = n_alerts + ?4 WHERE job = ?1"""
_SUPERSEDE = """WITH others AS MATERIALIZED (SELECT v._id, v.job FROM revisions v JOIN revision_jobs j ON j.job = v.job
        WHERE j.job <> ?1 AND j.status IN ('done', 'interrupted') AND EXISTS (SELECT 1 FROM json_each(v.columns) c
        WHERE c.value IN (SELECT value FROM json_each(?2))))
    UPDATE revision_jobs SET status = 'superseded', after = NULL WHERE job IN (SELECT o.job FROM json_each(?3) k
        CROSS JOIN alerts a ON a.alert_id = k.value AND a._survey = (SELECT _id FROM surveys WHERE name = ?4)
        CROSS JOIN revised x ON x.alert = a._id CROSS JOIN others o ON o._id = x.revision)"""
"""The values of a job that another one replaced are not there any more: it begins anew if it is asked for again."""
_NEXT = """SELECT (SELECT ifnull(max(_id), 0) + 1 FROM revisions),
    (SELECT name FROM segments ORDER BY _id DESC LIMIT 1)"""


class EmbeddedRevisions:
    """The port Revisions: workers write folders of the archive, the one writer commits them."""

    def __init__(self, pool: ReadPool, access: WriteAccess, layout: Layout, now: Clock) -> None:
        self._pool, self._access, self._layout, self._now = pool, access, layout, now

    def write(self, values: pa.RecordBatch, replaced: pa.RecordBatch) -> str:
        """Write and sync new values that do not count until they are committed; see `ports.Revisions.write`."""
        return write_revision(self._layout, values, replaced)

    def start(self, job: str, command: str) -> str | None:
        """Open a job, or go on with one; returns the token to go on after, None at its beginning."""
        if not job:
            raise StoreError("a job needs a key")
        with self._access.transaction() as c:
            c.execute("UPDATE revision_jobs SET status = 'interrupted' WHERE status = 'running'")
            c.execute(_START, (job, command, self._time()))
            (after,) = c.execute("SELECT after FROM revision_jobs WHERE job = ?", (job,)).fetchone()
        tidy(self._access.connection(), self._layout)
        return None if after is None else str(after)

    def commit(self, revision: Revision) -> int:
        """Make new values and the position of the job count, or nothing; returns how many alerts have new values."""
        with self._access.transaction() as c:
            if not c.execute("SELECT 1 FROM revision_jobs WHERE job = ?", (revision.job,)).fetchone():
                raise StoreError(f"the job '{revision.job}' was not started")
            if revision.segment is not None and _is_committed(c, revision.segment):
                return 0
            n = 0 if revision.segment is None else self._add(c, revision.segment, revision.job)
            c.execute(_MOVE, (revision.job, revision.after, self._time(), n))
        return n

    def jobs(self) -> pa.Table:
        """Jobs, newest first; a job is running as long as a process writes to the store."""
        sql = f"SELECT {', '.join(_JOBS.names)} FROM revision_jobs ORDER BY started DESC, rowid DESC"
        rows = [dict(zip(_JOBS.names, row, strict=True)) for row in self._pool.execute(sql)]
        running = [row for row in rows if row["status"] == "running"]
        if running and not is_locked(self._layout.lock):
            running[0]["status"] = "interrupted"
        return pa.Table.from_pylist(rows, _JOBS)

    def of_alert(self, alert_id: int, survey: str) -> pa.Table:
        """Replaced values of an alert, newest first; NotFound if there is no such alert."""
        history = read_history(self._pool, self._layout, alert_id, survey)
        return no_alert(self._layout, alert_id, survey) if history is None else pa.Table.from_pylist(history, HISTORY)

    def _add(self, c: sqlite3.Connection, name: str, job: str) -> int:
        folder = self._folder(name)
        try:
            values = read_values(folder)
        except PARQUET_ERRORS as error:
            raise StoreError(f"{folder} is no revision of this archive: {error}") from error
        check_types(c, values.schema)
        number, newest = c.execute(_NEXT).fetchone()
        committed = Committed(number, job, self._time(), newest)
        missing = add_revision(c, committed, name, values, mark_committed(folder, committed))
        if missing:
            raise StoreError(
                f"{len(missing)} of {values.num_rows} alerts of {name} are not stored, such as {missing[0]}"
            )
        self._supersede(c, job, values)
        return int(values.num_rows)

    def _supersede(self, c: sqlite3.Connection, job: str, values: pa.Table) -> None:
        """Mark the other jobs whose values of the same columns and alerts these replace.

        Classes do not count: every job makes them from the columns of all.
        """
        columns = [field.name for field in revised_fields(values.schema) if field.name != CLASSES]
        alerts, survey = values["alert_id"].to_pylist(), values["survey"][0].as_py()
        c.execute(_SUPERSEDE, (job, json.dumps(columns), json.dumps(alerts), survey))

    def _folder(self, name: str) -> Path:
        if not is_revision_name(name):
            raise StoreError(f"'{name}' is no revision of this archive")
        return self._layout.revisions / name

    def _time(self) -> str:
        return self._now().isoformat(timespec="milliseconds")


def _is_committed(connection: sqlite3.Connection, name: str) -> bool:
    return connection.execute("SELECT 1 FROM revisions WHERE name = ?", (name,)).fetchone() is not None
