"""The writer's connection and lock, or their absence."""

from __future__ import annotations

import sqlite3
from contextlib import AbstractContextManager
from dataclasses import dataclass

from redpoll.errors import StoreError
from redpoll.store import database
from redpoll.store.layout import Layout
from redpoll.store.lock import WriterLock


@dataclass(frozen=True)
class WriteAccess:
    """Objects needed for writing; without a connection, the store is open for reading."""

    layout: Layout
    writer: sqlite3.Connection | None = None
    lock: WriterLock | None = None

    def connection(self) -> sqlite3.Connection:
        """The writer's connection; StoreError if the store is open for reading."""
        if self.writer is None:
            raise StoreError(f"{self.layout.root} is open for reading; open_store(url, mode='write') permits writing")
        return self.writer

    def transaction(self) -> AbstractContextManager[sqlite3.Connection]:
        """A transaction of the writer: all or nothing."""
        return database.transaction(self.connection(), self.layout.index)

    def close(self) -> None:
        """Close the connection and release the lock."""
        if self.writer is not None:
            database.close_writer(self.writer)
        if self.lock is not None:
            self.lock.release()
