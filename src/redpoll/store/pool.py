"""Read connections of a store: a bounded pool, which notices that the index was replaced, and names by number."""

from __future__ import annotations

import queue
import sqlite3
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import Any

from redpoll.errors import StoreError, StoreTimeout
from redpoll.store import database
from redpoll.store.database import Inode, OpenConnection
from redpoll.store.layout import Layout

POOL_SIZE = 4
"""Read connections of one store at most; further readers wait."""
_WAIT_SECONDS = 60.0
_STEPS = 100_000
"""Steps of SQLite's machine, about 2 ms, after which a query looks whether it has to stop."""


_now = time.monotonic
_DEADLINE: ContextVar[float | None] = ContextVar("_DEADLINE", default=None)


@contextmanager
def query_time(seconds: float) -> Iterator[None]:
    """Let the queries of any store within a ``with`` statement take so long in all; then they raise StoreTimeout.

    The time is that of the context, as of a task and the threads that it calls.
    """
    before, ends = _DEADLINE.get(), _now() + seconds
    token = _DEADLINE.set(ends if before is None else min(before, ends))
    try:
        yield
    finally:
        _DEADLINE.reset(token)


def _is_late() -> bool:
    ends = _DEADLINE.get()
    return ends is not None and _now() > ends


class _OfThread(threading.local):
    """What belongs to one thread: the connection that it leases."""

    connection: OpenConnection | None = None


class ReadPool:
    """At most `size` read connections, made when first needed and shared by all threads; `mapped`: see `open_reader`.

    A connection is lent for one question, as one read transaction. If ``store rebuild`` put another index in place of
    the one that a connection has open, the connection is closed and a new one is made. A query stops when the thread
    receives Ctrl-C, the pool is closed, or the time of `query_time` is over.
    """

    def __init__(self, layout: Layout, size: int = POOL_SIZE, *, mapped: bool = True) -> None:
        self._layout, self._of_thread, self._mapped = layout, _OfThread(), mapped
        self._free: queue.SimpleQueue[None] = queue.SimpleQueue()  # one item for each connection that can be lent
        for _ in range(size):
            self._free.put(None)
        self._idle: list[OpenConnection] = []
        self._closed = False

    def lease(self) -> Lease:
        """A connection inside a read transaction; within it, further leases of the thread give the same one."""
        return Lease(self)

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """All rows of a query."""
        connection = self._of_thread.connection
        if connection is not None:
            return connection.execute(sql, parameters).fetchall()
        with Lease(self) as connection:
            return connection.execute(sql, parameters).fetchall()

    def close(self) -> None:
        """Close the connections; the queries of those that are lent stop, and they are closed when they come back."""
        self._closed = True
        while (connection := self._pop()) is not None:
            connection.close()

    def take(self) -> OpenConnection:
        """A connection to the index that there is now, for this thread alone, in a read transaction."""
        if _is_late():
            raise self._timeout()
        try:
            self._free.get(timeout=_WAIT_SECONDS)
        except queue.Empty as error:
            message = f"the store {self._layout.root} is busy: no read connection in {_WAIT_SECONDS:.0f} s"
            raise StoreError(message) from error
        try:
            connection = self._newest()
            connection.execute("BEGIN")
        except BaseException:
            self._free.put(None)
            raise
        self._of_thread.connection = connection
        return connection

    def give_back(self, connection: OpenConnection) -> None:
        """Take a connection back."""
        self._of_thread.connection = None
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            self._idle.append(connection)
        finally:
            self._free.put(None)
        if self._closed:
            self.close()

    def raise_plainly(self, error: Exception) -> None:
        """Raise a Redpoll error for an SQLite error or for a value out of its range."""
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
            if self._closed:
                raise StoreError(f"the store {self._layout.root} was closed during a query") from error
            if _is_late():
                raise self._timeout() from error
            raise KeyboardInterrupt from error  # the exception of the signal's handler is lost in SQLite
        with database.sql_errors(self._layout.index):
            raise error

    def _newest(self) -> OpenConnection:
        if self._closed:
            raise StoreError(f"the store {self._layout.root} is closed")
        while (connection := self._pop()) is not None:
            if connection.file.is_same():
                return connection
            connection.close()
        return self._new()

    def _pop(self) -> OpenConnection | None:
        try:
            return self._idle.pop()  # atomic, unlike a look whether there is one
        except IndexError:
            return None

    def _new(self) -> OpenConnection:
        try:
            self._layout.index.stat()
        except OSError as error:
            message = f"{self._layout.index} is gone: {error.strerror}; `redpoll store rebuild` makes it anew"
            raise StoreError(message) from error
        connection = database.open_reader(self._layout.index, mapped=self._mapped)
        connection.set_progress_handler(self._has_to_stop, _STEPS)
        return connection

    def _has_to_stop(self) -> bool:
        """Whether the query that runs is to stop; SQLite calls this, and here Python handles signals."""
        return self._closed or _is_late()

    def _timeout(self) -> StoreTimeout:
        return StoreTimeout(f"{self._layout.root}: the query takes too long; ask for fewer alerts, or in parts")


class Lease:
    """A connection of a pool for the time of a ``with`` statement."""

    __slots__ = ("_connection", "_is_outer", "_pool")

    def __init__(self, pool: ReadPool) -> None:
        self._pool = pool

    def __enter__(self) -> OpenConnection:
        lent = self._pool._of_thread.connection
        self._is_outer = lent is None
        self._connection = self._pool.take() if lent is None else lent
        return self._connection

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_outer:
            self._pool.give_back(self._connection)
            if isinstance(error, sqlite3.DatabaseError | UnicodeEncodeError | OverflowError):
                self._pool.raise_plainly(error)


class NameMaps:
    """Names of surveys, topics, classes and classifiers of one index file by their number.

    A number means the same name as long as the file lasts; names that appear are read when they are first met.
    """

    def __init__(self, pool: ReadPool, inode: Inode) -> None:
        self._pool, self.inode = pool, inode
        self._names: dict[str, dict[int, str]] = {}
        self._numbers: dict[str, dict[str, int]] = {}

    def names(self, table: str, numbers: Collection[int]) -> Mapping[int, str]:
        """Number -> name for at least these numbers of a table; StoreError if the index was replaced meanwhile."""
        found = self._names.get(table)
        if found is None or not found.keys() >= set(numbers):
            self._read(table)
        return self._names[table]

    def numbers(self, table: str, names: Collection[str]) -> list[int]:
        """Numbers of those of the names that the store has, in order."""
        known = self._numbers.get(table)
        if known is None or not known.keys() >= set(names):
            ((last,),) = self._pool.execute(f"SELECT max(_id) FROM {table}")
            if known is None or last not in self._names[table]:
                self._read(table)
            known = self._numbers[table]
        return sorted([known[name] for name in names if name in known])

    def _read(self, table: str) -> None:
        with self._pool.lease() as connection:
            if connection.file.inode != self.inode:
                raise StoreError(f"{connection.file.path} was rebuilt during a query; ask again")
            names = dict(connection.execute(f"SELECT _id, name FROM {table}"))
        self._names[table] = names
        self._numbers[table] = {name: number for number, name in names.items()}


class Names:
    """The names of the index file that a connection has open."""

    def __init__(self, pool: ReadPool) -> None:
        self._pool = pool
        self._last: tuple[Inode, NameMaps] | None = None

    def of(self, connection: OpenConnection) -> NameMaps:
        """The names, as long as the file lasts: a rebuilt index numbers them anew."""
        last, inode = self._last, connection.file.inode
        if last is None or last[0] != inode:
            last = self._last = inode, NameMaps(self._pool, inode)
        return last[1]
