"""Dead letters in ``dead_letters.sqlite``, beside the index: bounded in size, and purged at any time.

Letters are durable before the ledger counts them, and each is kept once: a crash between the two leaves letters that
are not counted yet, and the same packets, processed again, find them there.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import pyarrow as pa

from redpoll.errors import NotFound, StoreError
from redpoll.schema.column import Column
from redpoll.store import database
from redpoll.store.layout import Layout
from redpoll.store.records import DeadLetter

MAX_BYTES = 1 << 30
"""Default limit on the size of all letters together."""
_COLUMNS = {
    "id": Column("int64", doc="Number of the dead letter.", ucd="meta.id"),
    "received": Column("string", doc="When it was received, ISO 8601.", ucd="time"),
    "source": Column("string", doc="File or topic that it came from."),
    "position": Column("string", doc="Position in the source."),
    "reason": Column("string", doc="Why the packet could not be used."),
    "n_bytes": Column("int64", "byte", "Size of the packet."),
}
_DROPPED = {
    "reason": Column("string", doc="Why the packets could not be used."),
    "n": Column("int64", doc="Letters removed because the limit on their size was reached."),
    "n_bytes": Column("int64", "byte", "Size of their packets."),
}
_LETTER = "SELECT data, source, position, reason, id, received FROM dead_letters"
_OLDEST = 100  # letters dropped in one step


class DeadLetterFile:
    """The port DeadLetters on the embedded store, and the adding of letters by the writer.

    Reading a store that never had a dead letter creates no file.
    """

    def __init__(self, layout: Layout, *, max_bytes: int = MAX_BYTES) -> None:
        self._layout, self._path, self._max_bytes = layout, layout.dead_letters, max_bytes
        self._local, self._guard = threading.local(), threading.Lock()
        self._all: list[sqlite3.Connection] | None = []

    def add(self, letters: Sequence[DeadLetter], received: str) -> None:
        """Add letters that are not there yet, durably; beyond the limit, the oldest letters are dropped and counted."""
        if not letters:
            return
        sql = "INSERT OR IGNORE INTO dead_letters (received, source, position, reason, sha256, data)"
        rows = (
            (le.received or received, le.source, le.position, le.reason, hashlib.sha256(le.data).digest(), le.data)
            for le in letters
        )
        with database.transaction(self._writing(), self._path) as connection:
            connection.executemany(sql + " VALUES (?, ?, ?, ?, ?, ?)", rows)
            self._drop_oldest(connection)

    def table(self, *, limit: int = 100, reason: str | None = None) -> pa.Table:
        """Newest first, without their bytes."""
        sql = (
            "SELECT id, received, source, position, reason, length(data) FROM dead_letters WHERE ifnull(reason = ?, 1)"
        )
        return _table(_COLUMNS, self._rows(f"{sql} ORDER BY id DESC LIMIT ?", (reason, limit)))

    def dropped(self) -> pa.Table:
        """Letters that were dropped because the limit on their size was reached, by reason."""
        return _table(_DROPPED, self._rows("SELECT reason, n, n_bytes FROM dropped ORDER BY reason"))

    def get(self, id: int) -> DeadLetter:
        """One dead letter with its bytes; NotFound if there is none."""
        found = self._rows(f"{_LETTER} WHERE id = ?", (id,))
        if not found:
            raise NotFound(f"no dead letter {id}; `redpoll dead-letters list` shows those there are")
        return DeadLetter(*found[0])

    def stream(self, reason: str | None = None) -> Iterator[DeadLetter]:
        """The letters there are now, oldest first, one in memory at a time; letters may come and go meanwhile."""
        ((last,),) = self._rows("SELECT ifnull(max(id), 0) FROM dead_letters") or [(0,)]
        sql, number = f"{_LETTER} WHERE id > ? AND id <= ? AND ifnull(reason = ?, 1) ORDER BY id LIMIT 1", 0
        while found := self._rows(sql, (number, last, reason)):
            letter = DeadLetter(*found[0])
            yield letter
            number = letter.id or last

    def count(self) -> int:
        """Number of letters."""
        found = self._rows("SELECT count(*) FROM dead_letters")
        return int(found[0][0]) if found else 0

    def remove(
        self, ids: Sequence[int] | None = None, *, reason: str | None = None, before: datetime | None = None
    ) -> int:
        """Remove letters by their numbers, or all of one reason or received before a time; returns how many."""
        if not self._path.exists() or ids == []:
            return 0
        connection = self._writing()
        numbers = None if ids is None else json.dumps([int(i) for i in ids])
        limit = None if before is None else before.isoformat(timespec="milliseconds")
        sql = """DELETE FROM dead_letters WHERE ifnull(reason = ?, 1) AND
            ifnull(julianday(received) < julianday(?), 1) AND (? IS NULL OR id IN (SELECT value FROM json_each(?)))"""
        with database.transaction(connection, self._path):
            n = connection.execute(sql, (reason, limit, numbers, numbers or "[]")).rowcount
        if ids is None:
            with suppress(sqlite3.OperationalError):  # another process reads or writes: the space is used again later
                connection.execute("VACUUM")
        return n

    def close(self) -> None:
        """Close the connections of all threads; harmless if done before."""
        with self._guard:
            for connection in self._all or ():
                database.close_writer(connection)
            self._all = None

    def _drop_oldest(self, connection: sqlite3.Connection) -> None:
        size = "SELECT n_bytes FROM size"
        oldest = f"id IN (SELECT id FROM dead_letters ORDER BY id LIMIT {_OLDEST})"
        count = f"""INSERT INTO dropped
            SELECT reason, count(*), sum(length(data)) FROM dead_letters WHERE {oldest} GROUP BY reason
            ON CONFLICT (reason) DO UPDATE SET n = n + excluded.n, n_bytes = n_bytes + excluded.n_bytes"""
        while connection.execute(size).fetchone()[0] > self._max_bytes:
            connection.execute(count)
            connection.execute(f"DELETE FROM dead_letters WHERE {oldest}")

    def _rows(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        if not self._path.exists():
            return []
        with database.sql_errors(self._path):
            return self._connection().execute(sql, values).fetchall()

    def _writing(self) -> sqlite3.Connection:
        if not self._path.exists() or database.is_unfinished(self._path):
            database.make(self._path, "dead_letters")
        return self._connection()

    def _connection(self) -> sqlite3.Connection:
        if self._all is None:
            raise StoreError(f"the store {self._layout.root} is closed")
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            opened = database.open_shared if self._layout.is_writable() else database.open_reader
            connection = self._local.connection = opened(self._path, "dead_letters")
            with self._guard:
                self._all.append(connection)
        return connection


def _table(columns: dict[str, Column], rows: Sequence[Sequence[Any]]) -> pa.Table:
    schema = pa.schema([column.field(name) for name, column in columns.items()])
    return pa.Table.from_pylist([dict(zip(columns, row, strict=True)) for row in rows], schema)
