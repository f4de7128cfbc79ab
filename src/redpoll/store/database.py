"""The SQLite files of a store: creating, opening, settings, one transaction, errors that name the file."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from redpoll.errors import StoreError, UsageError
from redpoll.store.layout import TEMPORARY, disk_errors, sync
from redpoll.store.schemas import SCHEMAS, Schema

_WRITER: Mapping[str, str | int] = {
    "page_size": 4096,  # a commit changes some four pages an alert: 8 kB pages doubled what is written
    "journal_mode": "WAL",
    "synchronous": "FULL",  # a commit that returned survives a power cut
    "cache_size": -262144,
    "wal_autocheckpoint": 40_000,  # 160 MB: later commits change the same pages again
    "journal_size_limit": 256 << 20,
}
_READER: Mapping[str, str | int] = {
    "cache_size": -16384,
    "mmap_size": 1 << 33,  # a mapped page is not held up by the checkpoint that writes others: 4 times faster then
    "query_only": 1,
}
_DISK_READER: Mapping[str, str | int] = {**_READER, "cache_size": -4096, "mmap_size": 0}
APP_SETTINGS: Mapping[str, str | int] = {
    "journal_mode": "WAL",
    "synchronous": "FULL",
    "cache_size": -8192,
    "wal_autocheckpoint": 1000,
    "foreign_keys": 1,
}
"""For the small databases that several processes write, each in short transactions."""
_REMEDIES = {
    "anomalies.sqlite": "copy it from a backup of the store, or move it away to go on without anomaly models",
    "app.sqlite": "copy it from a backup of the store, or move it away to go on without labels, models and filters",
    "dead_letters.sqlite": "copy it from a backup of the store, or move it away to go on without its packets",
}
"""What to do about a damaged file that no rebuild makes anew."""


def is_newer(path: Path, of: str = "index") -> bool:
    """Whether a later Redpoll wrote this file; read from the file's header, which survives most damage."""
    number, application = _marks(path)
    return application == SCHEMAS[of].application and number > SCHEMAS[of].number


def _marks(path: Path) -> tuple[int, int]:
    """Schema number and application_id in the header of a file; 0 for what it is too short to hold."""
    with path.open("rb") as file:
        header = file.read(100)
    return int.from_bytes(header[60:64], "big"), int.from_bytes(header[68:72], "big")


def is_unfinished(path: Path) -> bool:
    """Whether a file is an SQLite database without mark and tables: its creation was interrupted before it counted."""
    number, application = _marks(path)
    if application or number:
        return False
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            (n_tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError:
        return False
    return bool(application == 0 and n_tables == 0)


def create(path: Path) -> sqlite3.Connection:
    """Create the index of a new store and open it for writing."""
    make(path, "index")
    return open_writer(path)


def make(path: Path, of: str) -> None:
    """Create a database under a temporary name and move it to `path` once it is complete and on the disk.

    A file that is at `path` by then stays, if it is a database of that kind: another process was faster.
    """
    fresh = path.with_name(f"{TEMPORARY}{uuid4().hex}-{path.name}")
    try:
        with sql_errors(path), disk_errors(f"cannot create {path}"):
            _write_new(fresh, SCHEMAS[of])
            sync(fresh)
            _put_in_place(fresh, path)
            sync(path.parent)
    finally:
        for left in path.parent.glob(fresh.name + "*"):
            left.unlink(missing_ok=True)


def _write_new(path: Path, schema: Schema) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA page_size = {_WRITER['page_size']}")
        connection.execute("BEGIN IMMEDIATE")
        schema.create(connection)
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = WAL")


def _put_in_place(fresh: Path, path: Path) -> None:
    """Give a complete file its name, without replacing a complete file of that name."""
    if path.exists() and is_unfinished(path):
        for end in ("-wal", "-shm", "-journal"):  # of the unfinished file: SQLite would apply it to the new one
            path.with_name(path.name + end).unlink(missing_ok=True)
        fresh.replace(path)
        return
    try:
        os.link(fresh, path)
    except FileExistsError:
        return
    except OSError:  # a file system without hard links
        if not path.exists():
            fresh.rename(path)


def open_writer(path: Path, *, older: bool = False) -> sqlite3.Connection:
    """Open an index for writing; one of an older schema number only if the caller asks for it."""
    return _open(path, SCHEMAS["index"], _WRITER, older=older)


def open_shared(path: Path, of: str) -> sqlite3.Connection:
    """Open a small database that several processes write; a write waits up to 30 seconds for the others."""
    return _open(path, SCHEMAS[of], APP_SETTINGS)


def open_reader(path: Path, of: str = "index", *, mapped: bool = True) -> OpenConnection:
    """Open a database for reading beside a writer; also in a folder that cannot be written.

    A mapped file is fastest from memory. From the disk, random pages come several times as fast if it is not mapped:
    the kernel does not read their neighbours too.
    Its ``file.is_same()`` is False once a rebuild has replaced the file: open it again then.
    """
    frozen = not os.access(path.parent, os.W_OK) and not path.with_name(path.name + "-wal").exists()
    address = f"{path.absolute().as_uri()}?mode=ro" + ("&immutable=1" if frozen else "")
    return _open(path, SCHEMAS[of], _READER if mapped else _DISK_READER, address=address)


def close_writer(connection: sqlite3.Connection) -> None:
    """Move everything from the write-ahead log into the file, as far as readers let it, and close.

    After a run the index is then one complete file, which a plain copy takes whole. Harmless if closed before.
    """
    with closing(connection), suppress(sqlite3.OperationalError, sqlite3.ProgrammingError):
        connection.execute("PRAGMA busy_timeout = 2000")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


Inode = tuple[int, int] | None
"""Device and inode of a file, None if there is none: another file has another one."""


class OpenedFile:
    """Identity of the file at a path; checks whether the path still leads to the same file.

    SQLite goes on with a file that was deleted or replaced under it: what it then commits is lost.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.inode = path, _inode(path)

    def is_same(self) -> bool:
        """Whether the path still names that file."""
        return self.inode is not None and _inode(self.path) == self.inode

    def require(self) -> None:
        """Raise StoreError if the path names no file, or another."""
        if not self.is_same():
            raise StoreError(f"{self.path} was removed or replaced while it was open: run again")


class OpenConnection(sqlite3.Connection):
    """A connection and the identity of its file."""

    file: OpenedFile


def _inode(path: Path) -> Inode:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


@contextmanager
def transaction(connection: sqlite3.Connection, path: Path) -> Iterator[sqlite3.Connection]:
    """All or nothing: commit at the end, undo on any error.

    Raises
    ------
    StoreError
        If the disk is full, or the file was removed or replaced since it was opened.
    """
    with sql_errors(path):
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            if isinstance(connection, OpenConnection):
                connection.file.require()
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:  # a full disk may have undone it already
                connection.execute("ROLLBACK")
            raise


@contextmanager
def sql_errors(path: Path) -> Iterator[None]:
    """Turn an SQLite error into a StoreError that names the file and what to do.

    A value that SQLite cannot hold (half a character, an integer of more than 64 bits) is a UsageError.
    """
    try:
        yield
    except UnicodeEncodeError as error:
        raise UsageError(f"{ascii(error.object)[:100]} is no text: it has half a character or is not UTF-8") from error
    except OverflowError as error:
        raise UsageError(f"an integer has more than 64 bits: {error}") from error
    except sqlite3.OperationalError as error:
        is_foreign = str(error).startswith(("no such column", "no such table"))
        remedy = _remedy(path) if is_foreign else "check free space and permissions"
        raise StoreError(f"{path}: {error}; {remedy}") from error
    except sqlite3.DatabaseError as error:
        raise StoreError(f"{path}: {error}; {_remedy(path)}") from error


def _remedy(path: Path) -> str:
    return _REMEDIES.get(path.name, "`redpoll store rebuild` makes a new index from the archive")


def require(connection: sqlite3.Connection, path: Path, schema: Schema, *, older: bool = False) -> int:
    """The number of an open database; StoreError with what to do if it is another kind of file, newer or older."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (number,) = connection.execute("PRAGMA user_version").fetchone()
    if application != schema.application:
        raise StoreError(f"{path} is not the {schema.name} of a Redpoll store")
    if number > schema.number:
        raise StoreError(f"{path} has schema number {number}, this Redpoll has {schema.number}: upgrade Redpoll")
    if number < schema.number and not older:
        raise StoreError(
            f"{path} has schema number {number}, this Redpoll has {schema.number}: "
            f"`redpoll store upgrade --store {path.parent}` brings it up to date"
        )
    return int(number)


def _open(
    path: Path,
    schema: Schema,
    settings: Mapping[str, str | int],
    *,
    address: str | None = None,
    older: bool = False,
) -> OpenConnection:
    with sql_errors(path):
        name = address or f"{path.absolute().as_uri()}?mode=rw"
        connection = sqlite3.connect(
            name, uri=True, isolation_level=None, check_same_thread=False, timeout=30, factory=OpenConnection
        )
        connection.file = OpenedFile(path)
        try:
            require(connection, path, schema, older=older)
            for setting, value in settings.items():
                connection.execute(f"PRAGMA {setting} = {value}")
        except BaseException:
            connection.close()
            raise
        return connection
