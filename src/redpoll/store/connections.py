"""Read connections of a store, and the shape of its rows."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from redpoll.errors import StoreError
from redpoll.schema.classifications import CLASSES
from redpoll.store import database
from redpoll.store.classes import read_classes
from redpoll.store.columns import rank, table_columns
from redpoll.store.layout import Layout
from redpoll.store.objects import KEY_BITS
from redpoll.store.ports import Row

FROM_ALERTS = f"alerts a CROSS JOIN objects o ON o._id = a._id >> {KEY_BITS}"
_OWN = {"survey": "a._survey", "object_id": "o.object_id"}


class Connections:
    """One read connection per thread, made when first asked for."""

    def __init__(self, layout: Layout) -> None:
        self._layout, self._local, self._guard = layout, threading.local(), threading.Lock()
        self._all: list[sqlite3.Connection] | None = []

    def get(self) -> sqlite3.Connection:
        """The connection of this thread; StoreError if the store is closed."""
        if self._all is None:
            raise StoreError(f"the store {self._layout.root} is closed")
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = database.open_reader(self._layout.index)
            with self._guard:
                self._all.append(connection)
        return connection

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """All rows of a query."""
        connection = self.get()
        with database.sql_errors(self._layout.index):
            return connection.execute(sql, parameters).fetchall()

    def close(self) -> None:
        """Close those of all threads."""
        with self._guard:
            for connection in self._all or ():
                connection.close()
            self._all = None


class Names:
    """Names of surveys, topics, classes and classifiers by their number, read again when a new one appears."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._known: dict[str, dict[int, str]] = {"surveys": {}, "topics": {}, "classes": {}, "classifiers": {}}

    def name(self, table: str, number: int) -> str:
        """Name of a survey, topic, class or classifier."""
        if number not in self._known[table]:
            self._known[table] = dict(self._connections.execute(f"SELECT _id, name FROM {table}"))
        return self._known[table][number]

    def classes(self, blob: bytes | None) -> list[Row]:
        """What is said of an alert: name, probability and by."""
        return [
            {
                "name": self.name("classes", name),
                "probability": None if p != p else p,
                "by": self.name("classifiers", by),
            }
            for name, by, p in read_classes(blob)
        ]

    def topic(self, name: str) -> int | None:
        """Number of a topic; None, which equals nothing, if no alert ever passed it."""
        found = self._connections.execute("SELECT _id FROM topics WHERE name = ?", (name,))
        return int(found[0][0]) if found else None


@dataclass(frozen=True)
class AlertShape:
    """Which columns an alert's row has, and how SQL values become the values of answers.

    ``select`` is the SELECT list for `FROM_ALERTS`.
    """

    version: int
    select: str
    columns: tuple[str, ...]
    bools: tuple[int, ...]
    names: Names

    @classmethod
    def read(cls, connections: Connections, names: Names) -> AlertShape:
        """The shape that the index has now."""
        ((version,),) = connections.execute("PRAGMA schema_version")
        present = {*table_columns(connections.get(), "alerts"), *_OWN}
        found = connections.execute("SELECT name, dtype FROM columns WHERE indexed")
        indexed = sorted(((name, dtype) for name, dtype in found if name in present), key=lambda c: rank(c[0]))
        select = ", ".join([*(_OWN.get(name, f'a."{name}"') for name, _ in indexed), "a._topics", "a._classes"])
        bools = tuple(i for i, (_, dtype) in enumerate(indexed) if dtype == "bool")
        return cls(version, select, tuple(name for name, _ in indexed), bools, names)

    def rows(self, found: Sequence[Sequence[Any]]) -> list[Row]:
        """Answers from the tuples of a query that selected `select`."""
        if not found:
            return []
        by_column: list[Sequence[Any]] = list(zip(*found, strict=True))
        for i in self.bools:
            by_column[i] = [None if value is None else value != 0 for value in by_column[i]]
        at = self.columns.index("survey")
        by_column[at] = _replaced(by_column[at], partial(self.names.name, "surveys"))
        by_column[-2] = [list(topics) for topics in _replaced(by_column[-2], self._topics)]
        by_column[-1] = [list(map(dict, classes)) for classes in _replaced(by_column[-1], self.names.classes)]
        titles = (*self.columns, "topics", CLASSES)
        return [dict(zip(titles, values, strict=True)) for values in zip(*by_column, strict=True)]

    def _topics(self, numbers: str | None) -> tuple[str, ...]:
        return tuple(sorted(self.names.name("topics", int(t)) for t in numbers.split(","))) if numbers else ()


def _replaced(values: Sequence[Any], name: Callable[[Any], Any]) -> list[Any]:
    """Each value's name, asked for once."""
    known = {value: name(value) for value in set(values)}
    return [known[value] for value in values]
