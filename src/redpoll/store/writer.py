"""The one writer of an embedded store: runs, and the commit of a batch."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.errors import StoreError
from redpoll.schema.column import Column
from redpoll.store import columns, database
from redpoll.store.archive import LIGHT_CURVE, Archive, SegmentHead, archived_schema, join_rows, read_head
from redpoll.store.checksums import checksum_of
from redpoll.store.dead_letters import DeadLetterFile
from redpoll.store.histories import add_archived
from redpoll.store.insert import exists, insert_alerts, key
from redpoll.store.layout import LIGHT_CURVES, is_segment_name
from redpoll.store.objects import register
from redpoll.store.parquet import read
from redpoll.store.pool import ReadPool
from redpoll.store.positions import insert_positions
from redpoll.store.records import Commit, LedgerEntry
from redpoll.store.rejected import check_rejected, insert_rejected
from redpoll.store.tidy import remove_segment, tidy
from redpoll.store.write_access import WriteAccess

Clock = Callable[[], datetime]
ALREADY = "already stored"
_RUN_COLUMNS = {
    "run": Column("int64", doc="Number of the run.", ucd="meta.id"),
    "command": Column("string", doc="Command that started it."),
    "started": Column("string", doc="When it started, ISO 8601.", ucd="time.start"),
    "ended": Column("string", doc="When it ended, ISO 8601; null while it runs.", ucd="time.end"),
    "status": Column("string", doc="running, done, interrupted, failed or crashed.", ucd="meta.code.status"),
}
_RUNS = pa.schema([column.field(name) for name, column in _RUN_COLUMNS.items()])
_RETRIED = """SELECT survey, night, reason FROM ledger WHERE outcome = 'rejected' AND reason = ?
    GROUP BY survey, night HAVING sum(n) > 0 ORDER BY survey IS NOT NULL, night IS NOT NULL, night LIMIT 1"""
_LEDGER = """INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (run, ifnull(survey, ''), ifnull(night, 0), outcome, reason) DO UPDATE SET n = n + excluded.n"""


@dataclass(frozen=True)
class _Kept:
    """The alerts of a commit that are new, their segment and positions, and the number of the others per night."""

    batch: pa.RecordBatch | None
    segment: str | None
    head: SegmentHead | None
    positions: Sequence[tuple[str, str]]
    repeats: Counter[int]


class EmbeddedRuns:
    """The port Runs: writes through one connection; knows the number of the run and the columns of its last segment."""

    def __init__(
        self, pool: ReadPool, access: WriteAccess, archive: Archive, letters: DeadLetterFile, now: Clock
    ) -> None:
        self._pool, self._access, self._archive, self._letters, self._now = pool, access, archive, letters, now
        self._run: int | None = None
        self._columns: str | None = None

    def table(self) -> pa.Table:
        """Runs, newest first: run, command, started, ended, status."""
        found = self._pool.execute(f"SELECT {', '.join(_RUNS.names)} FROM runs ORDER BY run DESC")
        return pa.Table.from_pylist([dict(zip(_RUNS.names, row, strict=True)) for row in found], _RUNS)

    def start(self, command: str) -> int:
        """Open a run; marks runs that never ended as crashed, and removes what they left in the archive."""
        with self._transaction() as c:
            c.execute("UPDATE runs SET status = 'crashed' WHERE status = 'running'")
            c.execute("UPDATE revision_jobs SET status = 'interrupted' WHERE status = 'running'")
            sql = "INSERT INTO runs (command, started, status) VALUES (?, ?, 'running')"
            run = c.execute(sql, (command, self._time())).lastrowid
        tidy(self._access.connection(), self._archive.layout)
        assert run is not None
        self._run, self._columns = run, None
        return int(run)

    def end(self, status: str) -> None:
        """Close the run."""
        with self._transaction() as c:
            c.execute("UPDATE runs SET status = ?, ended = ? WHERE run = ?", (status, self._time(), self._run))
        self._run = None

    def commit(self, commit: Commit) -> int:
        """Make everything in `commit` count, or nothing; returns how many alerts were new.

        Raises
        ------
        StoreError
            If no run is open, the segment does not hold these alerts, the ledger disagrees, or the disk is full.
        """
        if self._run is None:
            raise StoreError("commit before the start of a run: every alert belongs to a run")
        kept = self._without_repeats(commit)
        batch, segment, head = kept.batch, kept.segment, kept.head
        entries = _ledger(commit, batch, kept.repeats)
        check_rejected(commit.ledger, commit.rejected)
        self._letters.add(commit.dead_letters, self._time())  # durable before the ledger counts them
        with self._transaction() as c:
            if batch is not None and segment is not None and head is not None:
                self._add_segment(c, batch, segment, head)
                insert_positions(c, segment, kept.positions)
            self._take_back(c, commit.retried)
            c.executemany(_LEDGER, [(self._run, e.survey, e.night, e.outcome, e.reason, e.n) for e in entries])
            insert_rejected(c, self._run, commit.rejected)
        if head is not None:
            self._columns = head.columns
        if commit.segment is not None and segment != commit.segment:
            remove_segment(self._folder(commit.segment))
        return batch.num_rows if batch is not None else 0

    def _take_back(self, c: sqlite3.Connection, retried: Sequence[Sequence[str]]) -> None:
        """Take the earlier counts of packets out of the ledger by negative entries of this run.

        A count that is not there (its ledger was lost, or it was taken back before a crash) is left.
        """
        for reasons in retried:
            found = (c.execute(_RETRIED, (reason,)).fetchone() for reason in reasons)
            if (counted := next(filter(None, found), None)) is not None:
                survey, night, reason = counted
                c.execute(_LEDGER, (self._run, survey, night, "rejected", reason, -1))

    def _without_repeats(self, commit: Commit) -> _Kept:
        """What is left of a commit without the alerts that are stored already or stand twice.

        The rare batch with such alerts gets a new segment without them, so that a segment holds what counts, no more.
        """
        batch, segment = commit.alerts, commit.segment
        if (batch is None) != (segment is None):
            raise StoreError("a commit has alerts and their segment, or neither")
        if commit.positions and (batch is None or len(commit.positions) != batch.num_rows):
            raise StoreError(f"a commit has {len(commit.positions)} positions, but not as many alerts")
        if batch is None or segment is None:
            return _Kept(None, None, None, (), Counter())
        head = _checked_head(self._folder(segment), batch)
        batch = columns.indexed_columns(batch)
        ids = columns.filled(batch["alert_id"], 0)
        first = np.zeros(len(ids), bool)
        first[np.unique(ids, return_index=True)[1]] = True
        keep = np.flatnonzero(first & ~self._exists(_survey(batch), ids))
        if len(keep) == len(ids):
            return _Kept(batch, segment, head, commit.positions, Counter())
        left_out = np.delete(columns.filled(batch["night"], 0), keep).tolist()
        batch = batch.take(pa.array(keep))
        if not len(keep):
            return _Kept(batch, None, None, (), Counter(left_out))
        segment = self._archive.write(join_rows(self._folder(segment), keep).combine_chunks().to_batches()[0])
        positions = [commit.positions[row] for row in keep.tolist()] if commit.positions else ()
        return _Kept(batch, segment, read_head(self._folder(segment)), positions, Counter(left_out))

    def _add_segment(self, c: sqlite3.Connection, batch: pa.RecordBatch, name: str, head: SegmentHead) -> None:
        segment = self._folder(name)
        survey = key(c, "surveys", "name", _survey(batch))
        if head.columns is None or head.columns != self._columns:
            register(c, archived_schema(segment))
        made = key(c, "provenance", "mapping", head.made_by)
        row = (name, survey, self._run, batch.num_rows, made, checksum_of(segment))
        sql = "INSERT INTO segments (name, survey, run, rows, provenance, checksum) VALUES (?, ?, ?, ?, ?, ?)"
        number = c.execute(sql, row).lastrowid
        assert number is not None
        insert_alerts(c, survey, batch, [number] * batch.num_rows, range(batch.num_rows))
        curves = None if columns.HISTORY_NEWS in batch.schema.names else read(segment / LIGHT_CURVES)
        if curves is not None and LIGHT_CURVE in curves.column_names:
            alerts = pa.Table.from_batches([batch]).select(["alert_id", "night", "mjd"])
            add_archived(c, _survey(batch), alerts.append_column(LIGHT_CURVE, curves[LIGHT_CURVE]))

    def _folder(self, segment: str) -> Path:
        if not is_segment_name(segment):
            raise StoreError(f"'{segment}' is no segment of this archive")
        return self._archive.layout.segments / segment

    def _exists(self, survey: str, alert_ids: NDArray[Any]) -> NDArray[np.bool_]:
        with database.sql_errors(self._archive.layout.index):
            return exists(self._access.connection(), survey, alert_ids)

    def _transaction(self) -> AbstractContextManager[sqlite3.Connection]:
        return self._access.transaction()

    def _time(self) -> str:
        return self._now().isoformat(timespec="milliseconds")


def _survey(batch: pa.RecordBatch) -> str:
    return str(batch["survey"][0].as_py())


def _checked_head(segment: Path, batch: pa.RecordBatch) -> SegmentHead:
    try:
        head = read_head(segment)
    except OSError as error:
        raise StoreError(f"{segment} is no segment of this archive: {error}") from error
    if not head.alert_ids.equals(batch["alert_id"].cast(head.alert_ids.type)):
        raise StoreError(f"{segment.name} does not hold the {batch.num_rows} alerts of this commit, in their order")
    return head


def _ledger(commit: Commit, batch: pa.RecordBatch | None, repeats: Counter[int]) -> list[LedgerEntry]:
    """Entries to add; what is stored is counted from the alerts, and must agree with the ledger of the commit."""
    claimed = Counter({(e.survey, e.night): e.n for e in commit.ledger if e.outcome == "stored"})
    if commit.alerts is None or batch is None:
        if claimed.total():
            raise StoreError("the ledger has stored packets, but the commit has no alerts")
        return list(commit.ledger)
    survey = _survey(commit.alerts)
    given = Counter((survey, night) for night in columns.filled(commit.alerts["night"], 0).tolist())
    if claimed and claimed != given:
        raise StoreError(f"the ledger has stored {dict(claimed)}, the alerts are {dict(given)}")
    kept = given - Counter({(survey, night): n for night, n in repeats.items()})
    entries = [e for e in commit.ledger if e.outcome != "stored"]
    entries += [LedgerEntry(survey, night, "stored", "", n) for (survey, night), n in kept.items()]
    return entries + [LedgerEntry(survey, night, "duplicate", ALREADY, n) for night, n in repeats.items()]
