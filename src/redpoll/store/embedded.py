"""The embedded store: one folder with an SQLite index and a Parquet archive, one writer, any number of readers."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import pyarrow as pa
from numpy.typing import NDArray

from redpoll.errors import StoreError
from redpoll.store import database
from redpoll.store.alert_reader import AlertQueries
from redpoll.store.archive import Archive
from redpoll.store.check import check
from redpoll.store.compaction import compact
from redpoll.store.connections import Connections, Names
from redpoll.store.dead_letters import MAX_BYTES, DeadLetterFile
from redpoll.store.insert import exists
from redpoll.store.layout import Layout, disk_errors
from redpoll.store.ledger import LedgerQueries
from redpoll.store.lock import WriterLock
from redpoll.store.object_reader import ObjectQueries
from redpoll.store.ports import Commit, Compacted, DeadLetter, Progress, Report, Row
from redpoll.store.rebuild import Rebuilt, rebuild
from redpoll.store.writer import Clock, Writer


def no_progress(what: str, done: int, total: int) -> None:
    """Tell nobody."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Store:
    """A store on this machine, open for reading or for reading and writing; all ports in one.

    Open it with `open_store`. It may be shared between threads, not between processes: a worker process that
    writes segments gets ``store.segments`` (an `Archive`), which is small and picklable.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        writer: sqlite3.Connection | None,
        lock: WriterLock | None,
        now: Clock,
        dead_letter_bytes: int,
    ) -> None:
        self.path = layout.root
        self.segments = Archive(layout.root)
        self._layout, self._connection, self._lock = layout, writer, lock
        self._connections = Connections(layout)
        names = Names(self._connections)
        self._alerts = AlertQueries(self._connections, names, layout)
        self._objects = ObjectQueries(self._connections, names, layout)
        self._ledger = LedgerQueries(self._connections)
        self._letters = DeadLetterFile(layout, max_bytes=dead_letter_bytes)
        self._writer = Writer(writer, self.segments, self._letters, now) if writer is not None else None

    # writing

    def start_run(self, command: str) -> int:
        """Open a run and return its number; removes what a crashed run left behind."""
        return self._writing_port().start_run(command)

    def exists(self, survey: str, alert_ids: NDArray[Any]) -> NDArray[Any]:
        """Boolean per id: is this alert stored already? A reader may ask too."""
        if self._writer is not None:
            return self._writer.exists(survey, alert_ids)
        return exists(self._connections.get(), survey, alert_ids)

    def archive(self, alerts: pa.RecordBatch) -> Path:
        """Write and sync an archive segment that does not count until it is committed."""
        return self.segments.write_segment(alerts)

    def commit(self, commit: Commit) -> int:
        """Make everything in `commit` count, or nothing; returns how many alerts were new."""
        return self._writing_port().commit(commit)

    def end_run(self, status: str) -> None:
        """Close the run: done, interrupted or failed."""
        self._writing_port().end_run(status)

    # alerts

    def alerts_of(self, object_id: str, *, limit: int | None = None) -> list[Row]:
        """Alerts of an object, newest first."""
        return self._alerts.alerts_of(object_id, limit=limit)

    def cone(self, ra: float, dec: float, radius_arcsec: float, *, limit: int | None = None) -> list[Row]:
        """Alerts within a radius, nearest first, with ``separation_arcsec``."""
        return self._alerts.cone(ra, dec, radius_arcsec, limit=limit)

    def latest(
        self,
        *,
        topic: str | None = None,
        class_: str | None = None,
        night: int | None = None,
        limit: int = 100,
        before: tuple[float, int] | None = None,
    ) -> list[Row]:
        """Newest alerts, of one topic or class and of one night if given; see `ports.AlertReader.latest`."""
        return self._alerts.latest(topic=topic, class_=class_, night=night, limit=limit, before=before)

    def get_alert(self, alert_id: int, survey: str, columns: Sequence[str] | None = None) -> Row:
        """One alert from the archive with history, added values and cutouts; NotFound if unknown."""
        return self._alerts.get_alert(alert_id, survey, columns)

    def provenance(self, alert_id: int, survey: str) -> dict[str, str]:
        """Column -> module@version for the values added to this alert."""
        return self._alerts.provenance(alert_id, survey)

    # objects

    def object(self, object_id: str) -> Row:
        """Summary of an object, or NotFound."""
        return self._objects.object(object_id)

    def classes_of(self, object_id: str) -> list[Row]:
        """What an object was said to be: per class and classifier, since and until when, how often, how probable."""
        return self._objects.classes_of(object_id)

    def light_curve(self, object_id: str) -> pa.Table:
        """Points merged over all packets of the object, without duplicates, time-sorted."""
        return self._objects.light_curve(object_id)

    def columns(self) -> list[Row]:
        """Columns of the stored alerts: name, dtype, unit, doc, ucd, indexed and aggregate."""
        return self._objects.columns()

    # ledger and dead letters

    def ledger(self, *, by: Literal["night", "run"] = "night") -> list[Row]:
        """Packets received, stored, duplicate and rejected, per night or run."""
        return self._ledger.ledger(by=by)

    def runs(self) -> list[Row]:
        """Runs, newest first."""
        return self._ledger.runs()

    def topics(self, *, night: int | None = None) -> dict[str, int]:
        """Alerts per topic, over one night or all."""
        return self._ledger.topics(night=night)

    def classes(self, *, night: int | None = None) -> dict[str, int]:
        """Alerts per class that was said, over one night or all."""
        return self._ledger.classes(night=night)

    def dead_letters(self, *, limit: int = 100, reason: str | None = None) -> list[Row]:
        """Dead letters without their bytes, newest first."""
        return list(self._letters.table(limit=limit, reason=reason).to_pylist())

    def dead_letter(self, id: int) -> DeadLetter:
        """One dead letter with its bytes; NotFound if there is none."""
        return self._letters.get(id)

    def iter_dead_letters(self, reason: str | None = None) -> Iterator[DeadLetter]:
        """All dead letters with their bytes, oldest first."""
        return self._letters.stream(reason)

    def remove_dead_letters(self, ids: Sequence[int]) -> None:
        """Forget letters, because they were replayed."""
        self._letters.remove(ids)

    def purge_dead_letters(self, reason: str | None = None, *, before: datetime | None = None) -> int:
        """Remove all letters, or those of one reason or received before a time; returns how many there were."""
        return self._letters.purge(reason, before=before)

    def dropped_dead_letters(self) -> list[Row]:
        """Letters that were dropped because the limit on their size was reached: reason, n and n_bytes."""
        return list(self._letters.dropped().to_pylist())

    # the store itself

    def compact(self, *, rows_per_pixel: int | None = None, progress: Progress = no_progress) -> list[Compacted]:
        """Sort all committed alerts into one HATS catalogue per survey, in ``archive/hats/<survey>``.

        Parameters
        ----------
        rows_per_pixel
            Most alerts in one file of the catalogue; by default as many as fit in 256 MB of memory.
        progress
            Called with what is being done, how much is done, and how much there is.

        Raises
        ------
        StoreError
            If the store is open for reading, or the disk is full; the old catalogue then still counts.
        """
        self._writing_port()
        assert self._connection is not None
        with database.sql_errors(self._layout.index):
            return compact(self._connection, self._layout, rows_per_pixel=rows_per_pixel, progress=progress)

    def check(self, *, deep: bool = False, progress: Progress = no_progress) -> Report:
        """Compare index, archive and ledger in every row; see `redpoll.store.check.check`."""
        with database.sql_errors(self._layout.index):
            return check(self._connections.get(), self._layout, deep=deep, progress=progress)

    def close(self) -> None:
        """Close all connections and let the next writer in; harmless if done before."""
        self._connections.close()
        self._letters.close()
        if self._connection is not None:
            database.close_writer(self._connection)
            self._connection = None
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _writing_port(self) -> Writer:
        if self._writer is None:
            raise StoreError(f"{self.path} is open for reading; open_store(path, mode='write') lets you write")
        return self._writer


def rebuild_store(path: Path | str, *, progress: Progress = no_progress) -> Rebuilt:
    """Make the index of the store in a folder anew from its archive; see `redpoll.store.rebuild.rebuild`.

    Raises
    ------
    StoreError
        If there is no archive, the store is open elsewhere, or the disk is full; the old index then stays.
    """
    return rebuild(path, progress=progress)


def open_store(
    path: Path | str,
    *,
    mode: Literal["read", "write"] = "read",
    now: Clock = _utc_now,
    dead_letter_bytes: int = MAX_BYTES,
) -> Store:
    """Open the store in a folder; for writing, make it if the folder is new or empty.

    Parameters
    ----------
    path
        Folder of the store.
    mode
        "read" beside any other process, or "write" as the only writer.
    now
        The clock that dates runs and dead letters.
    dead_letter_bytes
        Limit on the size of all dead letters; beyond it the oldest are dropped, and counted.

    Raises
    ------
    StoreLocked
        If another process writes to it.
    StoreError
        If the folder is no store, cannot be read or written, or was written by a newer Redpoll.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, open_store(folder, mode="write") as store:
    ...     store.runs()
    []
    """
    layout = Layout(Path(path).absolute())
    if mode == "write":
        return _open_writer(layout, now, dead_letter_bytes)
    if not layout.index.exists() or database.is_unfinished(layout.index):
        raise StoreError(_no_store(layout))
    store = Store(layout, writer=None, lock=None, now=now, dead_letter_bytes=dead_letter_bytes)
    store.runs()
    return store


def _open_writer(layout: Layout, now: Clock, dead_letter_bytes: int) -> Store:
    is_new = _prepare(layout)
    lock = WriterLock(layout.lock)
    try:
        connection = database.create(layout.index) if is_new else database.open_writer(layout.index)
    except BaseException:
        lock.release()
        raise
    return Store(layout, writer=connection, lock=lock, now=now, dead_letter_bytes=dead_letter_bytes)


def _prepare(layout: Layout) -> bool:
    """Make the folders; returns whether there is no index yet, or one whose creation was interrupted."""
    is_new = not layout.index.exists() or database.is_unfinished(layout.index)
    with disk_errors(f"cannot make a store in {layout.root}"):
        if is_new and (layout.foreign_names() or any(layout.segments.glob("*"))):
            raise StoreError(_no_store(layout))
        for folder in layout.folders():
            folder.mkdir(parents=True, exist_ok=True)
    return is_new


def _no_store(layout: Layout) -> str:
    if layout.segments.is_dir() and any(layout.segments.iterdir()):
        return f"{layout.root} has an archive but no index: `redpoll store rebuild` makes it from the archive"
    if layout.foreign_names():
        return f"{layout.root} is not a Redpoll store and not empty: name another folder"
    return f"there is no Redpoll store in {layout.root}: `redpoll run ALERTS --store DIR` makes one"
