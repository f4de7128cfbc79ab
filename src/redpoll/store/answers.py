"""Answers of searches and fits in a file of the store, for the next alerts of the same objects.

Nothing depends on it: the file may be deleted at any time, and what cannot be read or written is computed.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

from redpoll.store.layout import Layout

log = logging.getLogger(__name__)
_NUMBER = 1
_SECONDS = 10.0
"""Longest wait for another process that writes."""
_TABLES = (
    "DROP TABLE IF EXISTS young", "DROP TABLE IF EXISTS old", "DROP TABLE IF EXISTS size",
    "CREATE TABLE young (key INTEGER PRIMARY KEY, answer BLOB NOT NULL)",
    "CREATE TABLE old (key INTEGER PRIMARY KEY, answer BLOB NOT NULL)",
    "CREATE TABLE size (young INTEGER NOT NULL)", "INSERT INTO size VALUES (0)",
    f"PRAGMA user_version = {_NUMBER}",
)  # fmt: skip
_RENEWAL = (
    "DROP TABLE old", "ALTER TABLE young RENAME TO old",
    "CREATE TABLE young (key INTEGER PRIMARY KEY, answer BLOB NOT NULL)", "UPDATE size SET young = 0",
)  # fmt: skip


class AnswerFile:
    """An answer cache (`redpoll.answer_cache.AnswerCache`) in an SQLite file; several processes may use it.

    New answers go to one table; when it has reached half of the limit, it replaces the other, so that answers that
    were not asked for any more are dropped.

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
            self._give_up(error)
            return {}
        self._aged |= {key: answer for key, answer in old.items() if key not in young}
        return old | young

    def put(self, answers: Mapping[int, bytes]) -> None:
        """Keep answers, and those that were asked for since the last call; a failure is logged once."""
        rows = self._aged | dict(answers)
        if not self._is_usable or not rows:
            return
        self._aged = {}
        try:
            with self._open() as opened:
                opened.execute("BEGIN IMMEDIATE")
                opened.executemany("INSERT OR REPLACE INTO young VALUES (?, ?)", rows.items())
                opened.execute("UPDATE size SET young = young + ?", [sum(map(len, rows.values()))])
                ((young,),) = opened.execute("SELECT young FROM size").fetchall()
                for statement in _RENEWAL if young > self._max_bytes / 2 else ():
                    opened.execute(statement)
        except (sqlite3.Error, OSError) as error:
            self._give_up(error)

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = sqlite3.connect(self._path, timeout=_SECONDS, isolation_level=None)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            with self._connection as opened:
                opened.execute("BEGIN IMMEDIATE")
                ((number,),) = opened.execute("PRAGMA user_version").fetchall()
                for statement in _TABLES if number != _NUMBER else ():
                    opened.execute(statement)
        return self._connection

    def _give_up(self, error: Exception) -> None:
        self._is_usable = False
        log.warning("%s cannot be used: %s; searches and fits are computed anew; the file may be deleted", self._path,
                    error, extra={"path": str(self._path)})  # fmt: skip
