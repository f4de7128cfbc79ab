"""The SQLite file of a store: opening, settings, one transaction, errors in our words."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from redpoll.errors import StoreError

SCHEMA_VERSION = 3
_APPLICATION = 0x5250_4F4C  # "RPOL": tells a store from any other SQLite file
_WRITER: Mapping[str, str | int] = {
    "page_size": 4096,  # a commit changes some four pages an alert: 8 kB pages doubled what is written
    "journal_mode": "WAL",
    "synchronous": "FULL",  # a commit that returned survives a power cut: sources are told so
    "cache_size": -262144,
    "wal_autocheckpoint": 40_000,  # 160 MB: later commits change the same pages again
    "journal_size_limit": 256 << 20,
}
_READER: Mapping[str, str | int] = {
    "cache_size": -16384,
    "mmap_size": 1 << 33,  # a mapped page is not held up by the checkpoint that writes others: 4 times faster then
    "query_only": 1,
}
_HERE = Path(__file__)


def is_newer(path: Path) -> bool:
    """Whether a later Redpoll wrote this index; read from the file's header, which survives most damage."""
    with path.open("rb") as file:
        header = file.read(100)
    version, application = (int.from_bytes(header[i : i + 4], "big") for i in (60, 68))
    return application == _APPLICATION and version > SCHEMA_VERSION


def create(path: Path) -> sqlite3.Connection:
    """Make the index of a new store and open it for writing."""
    with sql_errors(path):
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        _set(connection, _WRITER)
        connection.execute("BEGIN IMMEDIATE")
        for script in ("index.sql", "index_keys.sql", "histories.sql"):
            run_script(connection, script)
        connection.execute(f"PRAGMA application_id = {_APPLICATION}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("COMMIT")
        return connection


def open_writer(path: Path, *, older: bool = False) -> sqlite3.Connection:
    """Open an index for writing; also one of an older layout, if whoever asks knows what to expect of it."""
    with sql_errors(path):
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
        _check(connection, path, older=older)
        _set(connection, _WRITER)
        return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """Open an index for reading beside a writer; also in a folder that cannot be written."""
    frozen = not os.access(path.parent, os.W_OK) and not path.with_name(path.name + "-wal").exists()
    address = f"{path.absolute().as_uri()}?mode=ro" + ("&immutable=1" if frozen else "")
    with sql_errors(path):
        connection = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False, timeout=30)
        _check(connection, path)
        _set(connection, _READER)
        return connection


@contextmanager
def transaction(connection: sqlite3.Connection, path: Path) -> Iterator[sqlite3.Connection]:
    """All or nothing: commit at the end, undo on any error."""
    with sql_errors(path):
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:  # a full disk may have undone it already
                connection.execute("ROLLBACK")
            raise


@contextmanager
def sql_errors(path: Path) -> Iterator[None]:
    """Turn an SQLite error into a StoreError that names the file and what to do."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise StoreError(f"{path}: {error}; check free space and permissions") from error
    except sqlite3.DatabaseError as error:
        raise StoreError(f"{path}: {error}; `redpoll store check`, then `redpoll store rebuild`") from error


def run_script(connection: sqlite3.Connection, name: str) -> None:
    """Run the statements of a .sql file of this folder inside the open transaction."""
    text = _HERE.with_name(name).read_text()
    for statement in text.split(";\n"):
        if statement.strip():
            connection.execute(statement)


def _set(connection: sqlite3.Connection, settings: Mapping[str, str | int]) -> None:
    for name, value in settings.items():
        connection.execute(f"PRAGMA {name} = {value}")


def _check(connection: sqlite3.Connection, path: Path, *, older: bool = False) -> None:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != _APPLICATION:
        connection.close()
        raise StoreError(f"{path} is not the index of a Redpoll store")
    if version > SCHEMA_VERSION:
        connection.close()
        raise StoreError(f"{path} has layout {version}, this Redpoll knows {SCHEMA_VERSION}: upgrade Redpoll")
    if version < SCHEMA_VERSION and not older:
        connection.close()
        raise StoreError(f"{path} is of an older Redpoll, layout {version}: `redpoll store rebuild` makes it anew")
