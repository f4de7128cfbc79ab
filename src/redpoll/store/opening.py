"""Opening a store by its URL: a folder with an SQLite index and a Parquet archive, one writer, many readers."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from redpoll.errors import StoreError
from redpoll.store import database
from redpoll.store.alerts import EmbeddedAlerts
from redpoll.store.app import App
from redpoll.store.archive import Archive
from redpoll.store.composition import Store
from redpoll.store.dead_letters import MAX_BYTES, DeadLetterFile
from redpoll.store.histories import DISK_THREADS, Histories
from redpoll.store.layout import Layout, disk_errors
from redpoll.store.ledger import EmbeddedLedger
from redpoll.store.lock import WriterLock
from redpoll.store.maintenance import EmbeddedMaintenance
from redpoll.store.object_reader import EmbeddedObjects
from redpoll.store.pool import Names, ReadPool
from redpoll.store.rebuild import Rebuilt, rebuild
from redpoll.store.records import Progress, no_progress
from redpoll.store.rejected import EmbeddedRejected
from redpoll.store.revisions import EmbeddedRevisions
from redpoll.store.write_access import WriteAccess
from redpoll.store.writer import Clock, EmbeddedRuns

_DECISION = "docs/explanation/decisions/0016-postgresql-adapter.md"


def _utc_now() -> datetime:
    return datetime.now(UTC)


def open_store(
    url: Path | str,
    *,
    mode: Literal["read", "write"] = "read",
    now: Clock = _utc_now,
    dead_letter_bytes: int = MAX_BYTES,
) -> Store:
    """Open a store; for writing, make it if the folder is new or empty.

    Parameters
    ----------
    url
        Folder of the store, as a path or as ``file://`` URL.
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
        If the URL or folder is no store, cannot be read or written, or was written by a newer Redpoll.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, open_store(folder, mode="write") as store:
    ...     store.runs.table().num_rows
    0
    """
    layout = Layout(folder_of(url))
    if mode == "write":
        return _open_writer(layout, now, dead_letter_bytes)
    if not layout.index.exists() or database.is_unfinished(layout.index):
        raise StoreError(_no_store(layout))
    store = _compose(layout, WriteAccess(layout), now, dead_letter_bytes)
    store.runs.table()
    return store


def rebuild_store(url: Path | str, *, progress: Progress = no_progress) -> Rebuilt:
    """Make the index of a store anew from its archive; see `redpoll.store.rebuild.rebuild`.

    Raises
    ------
    StoreError
        If there is no archive, the store is open elsewhere, or the disk is full; the old index then stays.
    """
    return rebuild(folder_of(url), progress=progress)


def folder_of(url: Path | str) -> Path:
    """The folder that a URL or a path names; StoreError if the URL names something else.

    >>> folder_of("file:///data/my%20store").as_posix()
    '/data/my store'
    """
    if isinstance(url, Path) or "://" not in url:
        return Path(url).absolute()
    parts = urlsplit(url)
    if parts.scheme in ("postgresql", "postgres"):
        raise StoreError(f"stores in PostgreSQL are designed but not built: see {_DECISION}; give a folder instead")
    if parts.scheme != "file" or parts.netloc not in ("", "localhost") or parts.query or parts.fragment:
        raise StoreError(f"'{parts.scheme}://' is no store: give a folder, as a path or as file:///path")
    return Path(unquote(parts.path)).absolute()


def _open_writer(layout: Layout, now: Clock, dead_letter_bytes: int) -> Store:
    is_new = _prepare(layout)
    lock = WriterLock(layout.lock)
    try:
        connection = database.create(layout.index) if is_new else database.open_writer(layout.index)
    except BaseException:
        lock.release()
        raise
    return _compose(layout, WriteAccess(layout, connection, lock), now, dead_letter_bytes)


def _compose(layout: Layout, access: WriteAccess, now: Clock, dead_letter_bytes: int) -> Store:
    pool, disk_pool = ReadPool(layout), ReadPool(layout, DISK_THREADS, mapped=False)
    archive = Archive(layout.root)
    names, letters = Names(pool), DeadLetterFile(layout, max_bytes=dead_letter_bytes)

    app = App(layout, writable=layout.is_writable())
    is_closed = False

    def close() -> None:
        nonlocal is_closed
        if not is_closed:
            is_closed = True
            pool.close()
            disk_pool.close()
            app.close()
            letters.close()
            access.close()

    return Store(
        url=layout.root.as_uri(),
        alerts=EmbeddedAlerts(pool, names, layout),
        objects=EmbeddedObjects(pool, names, layout),
        histories=Histories(pool.execute, disk_pool.execute),
        ledger=EmbeddedLedger(pool),
        rejected=EmbeddedRejected(pool),
        dead_letters=letters,
        runs=EmbeddedRuns(pool, access, archive, letters, now),
        segments=archive,
        revisions=EmbeddedRevisions(pool, access, layout, now),
        maintenance=EmbeddedMaintenance(pool, access, layout),
        labels=app.labels,
        models=app.models,
        served_models=app.models,
        filters=app.filters,
        watchlists=app.watchlists,
        _close=close,
        _reopen=open_store,
    )


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
