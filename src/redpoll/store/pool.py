"""Read connections of a store: a bounded pool, which notices that the index was replaced."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from redpoll.errors import StoreError
from redpoll.store import database
from redpoll.store.layout import Layout

POOL_SIZE = 4
"""Read connections of one store at most; further readers wait."""
_WAIT_SECONDS = 60.0
Identity = tuple[int, int]
"""Device and inode of the index file: another file has another one."""


class ReadPool:
    """At most `size` read connections, made when first needed and shared by all threads.

    A connection is lent for one question, as one read transaction. If ``store rebuild`` put another index in place of
    the one that a connection has open, the connection is closed and a new one is made.
    """

    def __init__(self, layout: Layout, size: int = POOL_SIZE) -> None:
        self._layout, self._local, self._guard = layout, threading.local(), threading.Lock()
        self._free = threading.BoundedSemaphore(size)
        self._path = layout.index
        self._idle: list[tuple[Identity, sqlite3.Connection]] = []
        self._closed = False

    @contextmanager
    def lease(self) -> Iterator[sqlite3.Connection]:
        """A connection inside a read transaction; within it, further leases of the thread give the same one."""
        lent: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if lent is not None:
            yield lent
            return
        if not self._free.acquire(timeout=_WAIT_SECONDS):
            raise StoreError(f"the store {self._layout.root} is busy: no read connection in {_WAIT_SECONDS:.0f} s")
        try:
            with self._lent() as connection, database.sql_errors(self._layout.index):
                yield connection
        finally:
            self._free.release()

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """All rows of a query."""
        with self.lease() as connection:
            return connection.execute(sql, parameters).fetchall()

    def identity(self) -> Identity:
        """Which index file there is now; StoreError if there is none."""
        try:
            found = self._path.stat()
        except OSError as error:
            message = f"{self._layout.index} is gone: {error.strerror}; `redpoll store rebuild` makes it anew"
            raise StoreError(message) from error
        return found.st_dev, found.st_ino

    def close(self) -> None:
        """Close the connections; those that are lent are closed when they come back."""
        with self._guard:
            self._closed = True
            idle, self._idle = self._idle, []
        for _, connection in idle:
            connection.close()

    @contextmanager
    def _lent(self) -> Iterator[sqlite3.Connection]:
        identity, connection = self._take()
        self._local.connection = connection
        try:
            connection.execute("BEGIN")
            yield connection
        finally:
            self._local.connection = None
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            self._give_back(identity, connection)

    def _take(self) -> tuple[Identity, sqlite3.Connection]:
        if self._closed:
            raise StoreError(f"the store {self._layout.root} is closed")
        identity = self.identity()
        with self._guard:
            idle, self._idle = self._idle, []
            stale = [connection for other, connection in idle if other != identity]
            self._idle = [entry for entry in idle if entry[0] == identity]
            found = self._idle.pop() if self._idle else None
        for connection in stale:
            connection.close()
        return found or (identity, database.open_reader(self._layout.index))

    def _give_back(self, identity: Identity, connection: sqlite3.Connection) -> None:
        with self._guard:
            if not self._closed:
                self._idle.append((identity, connection))
                return
        connection.close()


class Names:
    """Names of surveys, topics, classes and classifiers by their number, read again when a new one appears."""

    def __init__(self, pool: ReadPool) -> None:
        self._pool = pool
        self._identity: Identity | None = None
        self._names: dict[str, dict[int, str]] = {}

    def name(self, table: str, number: int) -> str:
        """Name of a survey, topic, class or classifier."""
        return self.names(table, [number])[number]

    def names(self, table: str, numbers: Collection[int]) -> dict[int, str]:
        """Number -> name for at least these numbers of a table."""
        if (identity := self._pool.identity()) != self._identity:  # a rebuilt index numbers them anew
            self._identity, self._names = identity, {}
        found = self._names.get(table, {})
        if any(number not in found for number in numbers):
            found = self._names[table] = dict(self._pool.execute(f"SELECT _id, name FROM {table}"))
        return found

    def number(self, table: str, name: str) -> int | None:
        """Number of a name; None, which equals nothing in SQL, if the store has no such survey, topic or class."""
        found = self._pool.execute(f"SELECT _id FROM {table} WHERE name = ?", (name,))
        return int(found[0][0]) if found else None
