"""Taking the SQLite files of a store forward to the schema numbers of this Redpoll."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from redpoll.errors import StoreError
from redpoll.store import database
from redpoll.store.layout import Layout
from redpoll.store.lock import WriterLock
from redpoll.store.records import Progress
from redpoll.store.schemas import SCHEMAS


@dataclass(frozen=True)
class Upgraded:
    """One file of a store: its schema number before and after."""

    file: str
    before: int
    after: int


def upgrade(root: Path | str, *, progress: Progress) -> list[Upgraded]:
    """Take every SQLite file of a store to the current schema number; returns one entry per file.

    Each step is one transaction that also writes the new number: a crash leaves a file complete at the number
    before or after a step, and the next upgrade goes on from there. A store that is up to date is not touched.

    Raises
    ------
    StoreError
        If there is no store, a newer Redpoll wrote it, a step is missing, the store is open elsewhere, or the disk is
        full.
    """
    layout = Layout(Path(root).absolute())
    if not layout.index.exists():
        raise StoreError(f"there is no Redpoll store in {layout.root}")
    lock = WriterLock(layout.lock)
    try:
        files = {name: path for name, path in layout.databases().items() if path.exists()}
        return [_upgrade_file(name, path, progress) for name, path in files.items()]
    finally:
        lock.release()


def _upgrade_file(of: str, path: Path, progress: Progress) -> Upgraded:
    schema = SCHEMAS[of]
    with database.sql_errors(path), closing(_connect(path)) as connection:
        before = database.require(connection, path, schema, older=True)
        steps = schema.steps_from(before)
        if steps:
            with _alone(connection, path):
                for done, (number, step) in enumerate(steps):
                    progress(of, done, len(steps))
                    with database.transaction(connection, path):
                        step(connection)
                        connection.execute(f"PRAGMA user_version = {number}")
        progress(of, len(steps), len(steps))
    return Upgraded(path.name, before, schema.number)


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=1)


@contextmanager
def _alone(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    """Leave the write-ahead log, which only the sole user of a file can do, and return to it at the end.

    A reader that is open elsewhere would otherwise find other columns under its queries.
    """
    try:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA synchronous = FULL")
    except sqlite3.OperationalError as error:
        raise StoreError(f"{path} is open elsewhere ({error}): stop `redpoll serve` and try again") from error
    try:
        yield
    finally:
        connection.execute("PRAGMA journal_mode = WAL")
