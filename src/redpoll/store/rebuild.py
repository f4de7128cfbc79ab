"""Making the index anew from the archive alone."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from redpoll.errors import StoreError
from redpoll.store import columns, database
from redpoll.store.archive_loading import Archived, Load
from redpoll.store.layout import TEMPORARY, Layout, disk_errors, sync
from redpoll.store.lock import WriterLock
from redpoll.store.positions import drop_wrong
from redpoll.store.records import Progress
from redpoll.store.rejected import cut_differences

_KEPT = ("runs", "ledger", "rejected", "positions", "revision_jobs")  # the archive does not hold them


@dataclass(frozen=True)
class Rebuilt:
    """What `rebuild` found.

    ``kept`` and ``not_kept`` name the tables that the archive does not hold and that could, or could not, be copied
    from the old index; ``missing`` the segments, pixels and revisions that the index named and the archive has no
    longer; ``damaged`` those that could not be read, which now lie in ``archive/damaged``; ``lost`` counts the alerts
    that compacted segments had and that no pixel has.
    """

    alerts: int
    segments: int
    kept: tuple[str, ...]
    not_kept: tuple[str, ...]
    missing: tuple[str, ...]
    damaged: tuple[str, ...]
    lost: int

    @property
    def ok(self) -> bool:
        """Whether everything that the index named is in the new one."""
        return not (self.missing or self.damaged or self.lost)


def rebuild(root: Path | str, *, progress: Progress) -> Rebuilt:
    """Make the index of a store anew from its archive, and replace the old one by it.

    Alerts, objects, light curves, topics, classes and provenance come from the archive. Runs, ledger, rejected alerts
    and positions of packets are copied from the old index if it can be read; if it cannot, every segment in the
    archive counts, and the ledger starts with what is stored. Files that cannot be read are left out, named, and moved
    to ``archive/damaged``.
    Dead letters, ``app.sqlite`` and the models are not touched. Nobody may have the store open.

    Raises
    ------
    StoreError
        If there is no archive, the store is open elsewhere, or the disk is full; the old index then stays.
    """
    layout = Layout(Path(root).absolute())
    if not layout.segments.is_dir():
        raise StoreError(f"{layout.root} has no archive to rebuild an index from")
    lock = WriterLock(layout.lock)
    fresh = layout.root / f"{TEMPORARY}{uuid4().hex}.sqlite"
    try:
        with disk_errors(f"cannot rebuild {layout.root}"):
            result = _rebuild(fresh, layout, progress)
            sync(fresh)
            if result.not_kept:
                _set_aside(layout)
            fresh.replace(layout.index)
            sync(layout.root)
            for name in result.damaged:
                _move_damaged(layout, name)
        return result
    finally:
        for path in layout.root.glob(fresh.name + "*"):
            path.unlink()
        lock.release()


def _rebuild(fresh: Path, layout: Layout, progress: Progress) -> Rebuilt:
    old = _open_old(layout)
    try:
        return _fill(fresh, old, layout, progress)
    finally:
        if old is not None:
            old.close()


def _fill(fresh: Path, old: sqlite3.Connection | None, layout: Layout, progress: Progress) -> Rebuilt:
    connection = database.create(fresh)
    try:
        for setting in ("journal_mode = DELETE", "journal_mode = OFF", "synchronous = OFF"):
            connection.execute(f"PRAGMA {setting}")  # the file counts only once it is whole and synced
        with database.transaction(connection, fresh):
            archived = Archived.find(old, layout)
            kept = tuple(table for table in _KEPT if old is not None and _copy(old, connection, table))
            load = Load(connection, layout, progress)
            load.archive(archived)
            drop_wrong(connection)
            _correct_ledger(connection)
        sql = "SELECT (SELECT count(*) FROM alerts), count(*), ifnull(sum(lost), 0) FROM segments"
        alerts, segments, lost = connection.execute(sql).fetchone()
    finally:
        connection.close()
    not_kept = tuple(table for table in _KEPT if table not in kept)
    return Rebuilt(alerts, segments, kept, not_kept, tuple(load.missing), tuple(load.damaged), lost)


def _correct_ledger(connection: sqlite3.Connection) -> None:
    """Correct the copied ledger by entries of a run of their own: what is stored, and what cuts rejected."""
    sql = """SELECT survey, night, sum(n) FROM (
        SELECT s.name AS survey, night, count(*) AS n FROM alerts JOIN surveys s ON s._id = _survey GROUP BY 1, 2
        UNION ALL SELECT survey, night, -n FROM ledger WHERE outcome = 'stored') GROUP BY 1, 2 HAVING sum(n) != 0"""
    entries = [(*key, "stored", "", n) for *key, n in connection.execute(sql)]
    for survey, night, reason, rows, counted in cut_differences(connection):
        entries.append((survey, night, "rejected", reason, rows - counted))
        if rows < counted:
            entries.append((survey, night, "rejected", f"identifiers lost, {reason}", counted - rows))
    if not entries:
        return
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    sql = "INSERT INTO runs (command, started, ended, status) VALUES ('store rebuild', ?, ?, 'done')"
    run = connection.execute(sql, (now, now)).lastrowid
    connection.executemany("INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?)", [(run, *entry) for entry in entries])


def _open_old(layout: Layout) -> sqlite3.Connection | None:
    """The old index, out of its WAL so that one file is all there is of it; None if it cannot be opened."""
    if not layout.index.exists():
        return None
    if database.is_newer(layout.index):
        raise StoreError(f"{layout.index} was written by a newer Redpoll: upgrade, then rebuild")
    try:
        connection = database.open_writer(layout.index, older=True)
    except StoreError:
        return None
    try:
        connection.execute("PRAGMA busy_timeout = 1000")
        connection.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.OperationalError as error:
        connection.close()
        raise StoreError(f"{layout.root} is open elsewhere ({error}): stop `redpoll serve` and try again") from error
    except sqlite3.DatabaseError:
        connection.close()
        return None
    return connection


def _copy(old: sqlite3.Connection, new: sqlite3.Connection, table: str) -> bool:
    """Copy a table as far as it can be read; returns whether all of it could."""
    holes = ",".join("?" * len(columns.table_columns(new, table)))
    try:
        for row in old.execute(f"SELECT * FROM {table}"):
            new.execute(f"INSERT INTO {table} VALUES ({holes})", row)
    except sqlite3.DatabaseError:
        return False
    return True


def _set_aside(layout: Layout) -> None:
    """Keep an old index that could not be read in full under another name, so that it can be repaired."""
    mark = uuid4().hex[:8]
    for end in ("", "-wal", "-shm"):
        path = layout.index.with_name(layout.index.name + end)
        if path.exists():
            path.rename(path.with_name(f"broken-{mark}-{path.name}"))


def _move_damaged(layout: Layout, name: str) -> None:
    """Move a segment or a pixel out of the way of the next writer, which removes what the index does not name."""
    layout.damaged.mkdir(exist_ok=True)
    source = layout.damaged.parent / name
    if source.exists():
        source.rename(layout.damaged / f"{uuid4().hex[:8]}-{name.replace('/', '-')}")
        sync(layout.damaged)
        sync(source.parent)
