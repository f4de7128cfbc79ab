"""Every column of the stored alerts, as the index has it: type, unit, UCD, doc, maker, and where its values are."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa

from redpoll.errors import UnknownColumn
from redpoll.schema.classifications import CLASSES, CLASSES_COLUMN, CLASSES_TYPE
from redpoll.schema.column import Column, described_field
from redpoll.store.columns import rank, table_columns
from redpoll.store.database import OpenConnection
from redpoll.store.makers import last_makers
from redpoll.store.selection import SEPARATION
from redpoll.store.types import read_type

TOPICS = "topics"
_KEYS = ("survey", "object_id")
_FACTS = ("name", "dtype", "unit", "doc", "ucd", "label", "indexed", "aggregate", "type", "mixed")
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
    """Columns of the stored alerts, in the order of the data model.

    ``indexed`` names those that the index holds, ``mixed`` those that it holds in several types; ``of_objects`` are
    the columns of the table of objects.
    """

    schema: pa.Schema
    indexed: frozenset[str]
    mixed: frozenset[str]
    of_objects: tuple[str, ...]

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

    @cached_property
    def _at(self) -> Mapping[str, int]:
        return {name: i for i, name in enumerate(self.schema.names)}


class ColumnReader:
    """Reads the columns that the index has now; modules may have added some since the last question."""

    def __init__(self) -> None:
        self._last: tuple[Any, Any, StoredColumns] | None = None

    def read(self, connection: OpenConnection) -> StoredColumns:
        """The columns as the read transaction of a connection has them; the same object as long as none changes."""
        last = self._last
        mark = connection.file.inode, connection.execute(_NEWEST).fetchone()
        if last is not None and last[0] == mark:
            return last[2]
        found = _read(connection)
        stored = last[2] if last is not None and last[1] == found else _stored(*found)
        self._last = mark, found, stored
        return stored


def _read(connection: sqlite3.Connection) -> tuple[list[Any], dict[str, str], tuple[str, ...], tuple[str, ...]]:
    """Rows of the table of columns, makers of their newest values, and the columns of alerts and of objects."""
    rows = connection.execute(f"SELECT {', '.join(_FACTS)} FROM columns").fetchall()
    of_alerts, of_objects = (tuple(table_columns(connection, table)) for table in ("alerts", "objects"))
    return rows, last_makers(connection), of_alerts, of_objects


def _stored(
    rows: list[Any], makers: Mapping[str, str], of_alerts: Sequence[str], of_objects: tuple[str, ...]
) -> StoredColumns:
    rows = sorted(rows, key=lambda row: rank(row[0]))
    present = {*of_alerts, *_KEYS}
    indexed = frozenset(row[0] for row in rows if row[6] and row[0] in present)
    mixed = frozenset(row[0] for row in rows if row[9])
    return StoredColumns(pa.schema([_field(row, makers.get(row[0], "")) for row in rows]), indexed, mixed, of_objects)


def _field(row: tuple[Any, ...], maker: str) -> pa.Field:
    name, dtype, unit, doc, ucd, label, indexed, aggregate, kind, _ = row
    facts = {
        "dtype": dtype,
        "unit": unit,
        "doc": doc,
        "ucd": ucd,
        "label": label,
        "indexed": str(indexed),
        "aggregate": aggregate,
    }
    return described_field(name, CLASSES_TYPE if name == CLASSES else read_type(kind), facts | {"by": maker})
