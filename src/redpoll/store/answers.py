"""Answers of searches and fits in a file of the store, for the next alerts of the same objects.

Nothing depends on it: the file may be deleted when nothing runs, and what cannot be read or written is computed.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from zlib import crc32

from redpoll.store.layout import Layout

log = logging.getLogger(__name__)
_NUMBER = 1
_SECONDS = 10.0
"""Longest wait for another process that writes."""
_CHECK, _ROW = 4, 16
"""Bytes of an answer's checksum, and of its key and its place in the file, about."""
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_SETTINGS = (
    "PRAGMA secure_delete = OFF",  # else a table that is dropped is overwritten first, which takes half a minute
    "PRAGMA journal_mode = WAL", "PRAGMA journal_size_limit = 67108864", "PRAGMA synchronous = NORMAL",
)  # fmt: skip
_TABLE = "CREATE TABLE {} (key INTEGER PRIMARY KEY, answer BLOB NOT NULL)"
_TABLES = (
    "DROP TABLE IF EXISTS young", "DROP TABLE IF EXISTS old", "DROP TABLE IF EXISTS size",
    _TABLE.format("young"), _TABLE.format("old"), "CREATE TABLE size (young INTEGER NOT NULL)",
    "INSERT INTO size VALUES (0)", f"PRAGMA user_version = {_NUMBER}",
)  # fmt: skip
_RENEWAL = (
    "DROP TABLE old", "ALTER TABLE young RENAME TO old", _TABLE.format("young"), "UPDATE size SET young = 0",
)  # fmt: skip


class AnswerFile:
    """An answer cache (`redpoll.answer_cache.AnswerCache`) in an SQLite file; several processes may use it.

    New answers go to one table; when it has reached half of the limit, it replaces the other, so that answers that
    were not asked for meanwhile are dropped. An answer has a checksum; one that does not fit is not given.

    Parameters
    ----------
    store
        Folder of the store.
    max_bytes
        Limit on all answers together.
    """

    def __init__(self, store: Path, max_bytes: int) -> None:
        self._path, self._max_bytes = Layout(store).answers, max_bytes
        self._connection: sqlite3.Connection | None = None
        self._is_usable = max_bytes > 0
        self._aged: dict[int, bytes] = {}

    def get(self, keys: Sequence[int]) -> dict[int, bytes]:
        """Those of the answers that it has; none if the file cannot be used, which is logged once."""
        if not self._is_usable:
            return {}
        try:
            opened, wanted = self._open(), json.dumps(list(keys))
            query = "SELECT key, answer FROM {} WHERE key IN (SELECT value FROM json_each(?))"
            young = dict(opened.execute(query.format("young"), [wanted]).fetchall())
            old = dict(opened.execute(query.format("old"), [wanted]).fetchall())
        except (sqlite3.Error, OSError) as error:
            self._failed(error)
            return {}
        self._aged |= {key: answer for key, answer in old.items() if key not in young}
        return {key: answer[:-_CHECK] for key, answer in (old | young).items() if _is_whole(key, answer)}

    def put(self, answers: Mapping[int, bytes]) -> None:
        """Keep answers, and those that were asked for since the last call; a failure is logged once."""
        rows = self._aged | {key: answer + _checksum(key, answer) for key, answer in answers.items()}
        if not self._is_usable or not rows:
            return
        self._aged = {}
        try:
            with self._open() as opened:
                opened.execute("BEGIN IMMEDIATE")
                n_new = opened.executemany("INSERT OR IGNORE INTO young VALUES (?, ?)", rows.items()).rowcount
                n_bytes = sum(len(answer) + _ROW for answer in rows.values()) * n_new // len(rows)
                opened.execute("UPDATE size SET young = young + ?", [n_bytes])
                ((young,),) = opened.execute("SELECT young FROM size").fetchall()
                for statement in _RENEWAL if young > self._max_bytes / 2 else ():
                    opened.execute(statement)
        except (sqlite3.Error, OSError) as error:
            self._failed(error)

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            opened = sqlite3.connect(self._path, timeout=_SECONDS, isolation_level=None)
            try:
                for setting in _SETTINGS:
                    opened.execute(setting)
                with opened:
                    opened.execute("BEGIN IMMEDIATE")
                    ((number,),) = opened.execute("PRAGMA user_version").fetchall()
                    for statement in _TABLES if number != _NUMBER else ():
                        opened.execute(statement)
            except sqlite3.Error:
                opened.close()
                raise
            self._connection = opened
        return self._connection

    def _failed(self, error: Exception) -> None:
        """Go on without the file; if another process has locked it, only this once."""
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _BUSY:
            log.debug("%s is locked", self._path)
            return
        self._is_usable = False
        log.warning("%s cannot be used: %s; searches and fits are computed anew; the file may be deleted", self._path,
                    error, extra={"path": str(self._path)})  # fmt: skip


def _checksum(key: int, answer: bytes) -> bytes:
    return crc32(answer, key & 0xFFFFFFFF).to_bytes(_CHECK, "big")


def _is_whole(key: int, stored: object) -> bool:
    return isinstance(stored, bytes) and stored[-_CHECK:] == _checksum(key, stored[:-_CHECK])
