"""The one writer of an embedded store: runs, known alerts, and the commit that makes a batch count."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from redpoll.errors import StoreError
from redpoll.store import columns, database
from redpoll.store.archive import Archive, archived_schema, join_rows, made_by
from redpoll.store.checksums import checksum_of
from redpoll.store.dead_letters import DeadLetterFile
from redpoll.store.insert import exists, insert_alerts, key
from redpoll.store.layout import CUTOUT_FILE
from redpoll.store.ports import Commit, LedgerEntry
from redpoll.store.tidy import remove_segment, tidy

Clock = Callable[[], datetime]
ALREADY = "already stored"
_LEDGER = """INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (run, ifnull(survey, ''), ifnull(night, 0), outcome, reason) DO UPDATE SET n = n + excluded.n"""


class Writer:
    """Writes through one connection; holds no state but the run's number."""

    def __init__(self, connection: sqlite3.Connection, archive: Archive, letters: DeadLetterFile, now: Clock) -> None:
        self._connection, self._archive, self._letters, self._now = connection, archive, letters, now
        self._run: int | None = None

    def start_run(self, command: str) -> int:
        """Open a run; marks runs that never ended as crashed, and removes what they left in the archive."""
        with self._transaction() as c:
            c.execute("UPDATE runs SET status = 'crashed' WHERE status = 'running'")
            sql = "INSERT INTO runs (command, started, status) VALUES (?, ?, 'running')"
            run = c.execute(sql, (command, self._time())).lastrowid
        tidy(self._connection, self._archive.layout)
        assert run is not None
        self._run = run
        return int(run)

    def end_run(self, status: str) -> None:
        """Close the run."""
        with self._transaction() as c:
            c.execute("UPDATE runs SET status = ?, ended = ? WHERE run = ?", (status, self._time(), self._run))
        self._run = None

    def exists(self, survey: str, alert_ids: NDArray[Any]) -> NDArray[np.bool_]:
        """Whether each alert is stored already."""
        with database.sql_errors(self._archive.layout.index):
            return exists(self._connection, survey, alert_ids)

    def commit(self, commit: Commit) -> int:
        """Make everything in `commit` count, or nothing; returns how many alerts were new.

        Raises
        ------
        StoreError
            If no run is open, the segment does not hold these alerts, the ledger says otherwise, or the disk is full.
        """
        if self._run is None:
            raise StoreError("commit before start_run: every alert belongs to a run")
        batch, segment, repeats = self._without_repeats(commit)
        entries = _ledger(commit, batch, repeats)
        self._letters.add(commit.dead_letters, self._time())  # durable before the ledger counts them
        with self._transaction() as c:
            if batch is not None and segment is not None and batch.num_rows:
                self._add_segment(c, batch, segment)
            c.executemany(_LEDGER, [(self._run, e.survey, e.night, e.outcome, e.reason, e.n) for e in entries])
        if commit.segment is not None and segment != commit.segment:
            remove_segment(commit.segment)
        return batch.num_rows if batch is not None else 0

    def _without_repeats(self, commit: Commit) -> tuple[pa.RecordBatch | None, Path | None, Counter[int]]:
        """Alerts, segment and, per night, the number of alerts left out because they are stored or stand twice.

        The rare batch with such alerts gets a new segment without them, so that a segment holds what counts, no more.
        """
        batch, segment = commit.alerts, commit.segment
        if (batch is None) != (segment is None):
            raise StoreError("a commit has alerts and their segment, or neither")
        if batch is None or segment is None:
            return None, None, Counter()
        _check_segment(segment, batch)
        batch = columns.indexed_columns(batch)
        ids = columns.filled(batch["alert_id"], 0)
        first = np.zeros(len(ids), bool)
        first[np.unique(ids, return_index=True)[1]] = True
        keep = np.flatnonzero(first & ~self.exists(_survey(batch), ids))
        if len(keep) == len(ids):
            return batch, segment, Counter()
        left_out = np.delete(columns.filled(batch["night"], 0), keep).tolist()
        if len(keep):
            segment = self._archive.write_segment(join_rows(segment, keep).combine_chunks().to_batches()[0])
        return batch.take(pa.array(keep)), segment if len(keep) else None, Counter(left_out)

    def _add_segment(self, c: sqlite3.Connection, batch: pa.RecordBatch, segment: Path) -> None:
        survey = key(c, "surveys", "name", _survey(batch))
        columns.register(c, archived_schema(segment))
        made = key(c, "provenance", "mapping", made_by(segment))
        row = (segment.name, survey, self._run, batch.num_rows, made, checksum_of(segment))
        sql = "INSERT INTO segments (name, survey, run, rows, provenance, checksum) VALUES (?, ?, ?, ?, ?, ?)"
        number = c.execute(sql, row).lastrowid
        assert number is not None
        insert_alerts(c, survey, batch, [number] * batch.num_rows, range(batch.num_rows))

    def _transaction(self) -> Any:
        return database.transaction(self._connection, self._archive.layout.index)

    def _time(self) -> str:
        return self._now().isoformat(timespec="milliseconds")


def _survey(batch: pa.RecordBatch) -> str:
    return str(batch["survey"][0].as_py())


def _check_segment(segment: Path, batch: pa.RecordBatch) -> None:
    try:
        ids = pq.read_table(segment / CUTOUT_FILE, columns=["alert_id"])["alert_id"].combine_chunks()
    except OSError as error:
        raise StoreError(f"{segment} is no part of this archive: {error}") from error
    if not ids.equals(batch["alert_id"].cast(ids.type)):
        raise StoreError(f"{segment.name} does not hold the {batch.num_rows} alerts of this commit, in their order")


def _ledger(commit: Commit, batch: pa.RecordBatch | None, repeats: Counter[int]) -> list[LedgerEntry]:
    """Entries to add; what is stored is counted from the alerts, and must be what the commit says."""
    said = Counter({(e.survey, e.night): e.n for e in commit.ledger if e.outcome == "stored"})
    if commit.alerts is None or batch is None:
        if said.total():
            raise StoreError("the ledger says stored, but the commit has no alerts")
        return list(commit.ledger)
    survey = _survey(commit.alerts)
    given = Counter((survey, night) for night in columns.filled(commit.alerts["night"], 0).tolist())
    if said and said != given:
        raise StoreError(f"the ledger says stored {dict(said)}, the alerts are {dict(given)}")
    kept = given - Counter({(survey, night): n for night, n in repeats.items()})
    entries = [e for e in commit.ledger if e.outcome != "stored"]
    entries += [LedgerEntry(survey, night, "stored", "", n) for (survey, night), n in kept.items()]
    return entries + [LedgerEntry(survey, night, "duplicate", ALREADY, n) for night, n in repeats.items()]
