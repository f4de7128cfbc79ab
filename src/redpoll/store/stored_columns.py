"""Every column of the stored alerts, as the index has it: type, unit, UCD, doc, maker, and where its values are."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import pyarrow as pa

from redpoll.errors import UnknownColumn
from redpoll.schema.classifications import CLASSES, CLASSES_COLUMN, CLASSES_TYPE
from redpoll.schema.column import Column
from redpoll.store.columns import rank, table_columns
from redpoll.store.makers import last_makers
from redpoll.store.pool import ReadPool
from redpoll.store.selection import SEPARATION
from redpoll.store.types import read_type

TOPICS = "topics"
_KEYS = ("survey", "object_id")
_FACTS = ("name", "dtype", "unit", "doc", "ucd", "label", "indexed", "aggregate", "type")
_NEWEST = "SELECT (SELECT max(_id) FROM segments), (SELECT max(_id) FROM revisions)"
"""Columns and their makers change with segments and revisions only."""
_OWN = {
    TOPICS: Column(pa.list_(pa.string()), doc="Topics: the filters this alert passed.").field(TOPICS),
    CLASSES: CLASSES_COLUMN.field(CLASSES),
    SEPARATION: Column("float64", "arcsec", "Distance from the centre of the cone.", "pos.angDistance").field(
        SEPARATION
    ),
}
"""Columns that the index computes from its own tables."""


@dataclass(frozen=True, eq=False)
class StoredColumns:
    """Columns of the stored alerts, in the order of the data model; ``indexed`` names those that the index holds."""

    schema: pa.Schema
    indexed: frozenset[str]

    def field(self, name: str) -> pa.Field:
        """The field of a column, also of ``topics``, ``classes`` and ``separation_arcsec``; UnknownColumn if none."""
        if name in _OWN:
            return _OWN[name]
        if name not in self._at:
            raise UnknownColumn("the query", name, [*self._at, TOPICS])
        return self.schema.field(self._at[name])

    @cached_property
    def declared(self) -> Mapping[str, Column]:
        """The columns as expressions see them."""
        return {field.name: Column(field.type) for field in self.schema}

    @cached_property
    def defaults(self) -> tuple[str, ...]:
        """The columns of an answer that asks for none by name."""
        return (*(name for name in self.schema.names if name in self.indexed), TOPICS, CLASSES)

    def is_in_index(self, name: str) -> bool:
        """Whether the values of a column come from the index, not from the archive."""
        return name in self.indexed or name in _OWN

    def schema_of(self, names: Sequence[str]) -> pa.Schema:
        """The schema of some columns, made once for each set of columns; UnknownColumn if there is no such column."""
        return _schema_of(self, tuple(names))

    @cached_property
    def _at(self) -> Mapping[str, int]:
        return {name: i for i, name in enumerate(self.schema.names)}


@lru_cache(maxsize=64)
def _schema_of(stored: StoredColumns, names: tuple[str, ...]) -> pa.Schema:
    return pa.schema([stored.field(name) for name in names])


class ColumnReader:
    """Reads the columns that the index has now; modules may have added some since the last question."""

    def __init__(self, pool: ReadPool) -> None:
        self._pool = pool
        self._last: tuple[Any, StoredColumns] | None = None

    def read(self) -> StoredColumns:
        """The columns; read again only if they changed."""
        with self._pool.lease() as connection:
            mark = self._pool.identity(), connection.execute(_NEWEST).fetchone()
            if self._last is None or self._last[0] != mark:
                self._last = mark, _read(connection)
            return self._last[1]


def _read(connection: sqlite3.Connection) -> StoredColumns:
    rows = connection.execute(f"SELECT {', '.join(_FACTS)} FROM columns").fetchall()
    present = frozenset(table_columns(connection, "alerts")) | {*_KEYS}
    return _stored(rows, last_makers(connection), present)


def _stored(rows: list[Any], makers: Mapping[str, str], present: frozenset[str]) -> StoredColumns:
    rows = sorted(rows, key=lambda row: rank(row[0]))
    indexed = frozenset(row[0] for row in rows if row[6] and row[0] in present)
    return StoredColumns(pa.schema([_field(row, makers.get(row[0], "")) for row in rows]), indexed)


def _field(row: tuple[Any, ...], maker: str) -> pa.Field:
    name, dtype, unit, doc, ucd, label, indexed, aggregate, kind = row
    facts = {
        "dtype": dtype,
        "unit": unit,
        "doc": doc,
        "ucd": ucd,
        "label": label,
        "indexed": str(indexed),
        "aggregate": aggregate,
    }
    return pa.field(name, CLASSES_TYPE if name == CLASSES else read_type(kind), metadata=facts | {"by": maker})
