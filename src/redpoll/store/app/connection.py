"""Connections to ``app.sqlite`` and its like, which serve, the command and learning write at any time."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from redpoll.errors import StoreError
from redpoll.store import database
from redpoll.store.layout import Layout
from redpoll.store.schemas import SCHEMAS


class AppConnections:
    """One connection per thread, made when first asked for; the file is created at the first use.

    Where the folder cannot be written and has no such file, an empty database in memory answers.
    """

    def __init__(self, layout: Layout, *, writable: bool, of: str = "app") -> None:
        self._layout, self._writable, self._of, self._path = layout, writable, of, layout.databases()[of]
        self._local, self._guard = threading.local(), threading.Lock()
        self._all: list[sqlite3.Connection] | None = []

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """All rows of a query."""
        with database.sql_errors(self._path):
            return self._get().execute(sql, parameters).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, after waiting up to 30 seconds for other writers; keep it short."""
        connection = self._get()
        if not self._writable:
            raise StoreError(f"{self._path} cannot be written")
        with database.transaction(connection, self._path):
            yield connection

    def close(self) -> None:
        """Close those of all threads; harmless if done before."""
        with self._guard:
            for connection in self._all or ():
                connection.close()
            self._all = None

    def _get(self) -> sqlite3.Connection:
        if self._all is None:
            raise StoreError(f"the store {self._layout.root} is closed")
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._open()
            with self._guard:
                self._all.append(connection)
        return connection

    def _open(self) -> sqlite3.Connection:
        path = self._path
        if self._writable:
            if not path.exists() or database.is_unfinished(path):
                database.make(path, self._of)
            return database.open_shared(path, self._of)
        return database.open_reader(path, self._of) if path.exists() else _empty(self._of)


def now() -> str:
    """The time in UTC as ISO text, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _empty(of: str) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    SCHEMAS[of].create(connection)
    return connection
