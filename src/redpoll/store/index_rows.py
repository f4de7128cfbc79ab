"""Columns of alerts from the index: the SELECT list that reads them, and their values from the rows found."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa

from redpoll.astro.sky import separation_arcsec
from redpoll.schema.classifications import CLASSES
from redpoll.store.classes import CLASS_RECORD
from redpoll.store.column_chunks import ArrowChunk, Chunk, ClassChunk, NameChunk, SqlChunk, TopicChunk, python_type
from redpoll.store.layout import Layout
from redpoll.store.objects import KEY_BITS
from redpoll.store.pool import Names, ReadPool
from redpoll.store.rows import LOCATION_SQL, Location, locations
from redpoll.store.selection import SEPARATION, Cone
from redpoll.store.stored_columns import TOPICS, StoredColumns

_SQL = {
    "survey": "a._survey",
    "object_id": f"(SELECT object_id FROM objects WHERE _id = a._id >> {KEY_BITS})",
    TOPICS: "a._topics",
    CLASSES: "a._classes",
}
_Read = Callable[[Sequence[Any]], Chunk]


@dataclass(frozen=True, eq=False)
class SelectList:
    """What to select for some columns of an alert ``a``, and how to read each of them."""

    names: tuple[str, ...]
    sql: str
    readers: Mapping[str, _Read]
    has_separation: bool

    @property
    def n_columns(self) -> int:
        """Number of selected SQL columns."""
        return len(self.readers) + 2 * self.has_separation

    def chunks(self, rows: Sequence[Sequence[Any]], first: int, cone: Cone | None) -> dict[str, Chunk]:
        """The columns, from rows in which the selected ones begin at position `first`."""
        by_column = list(zip(*rows, strict=True))[first:] or [()] * self.n_columns
        chunks = {name: read(values) for (name, read), values in zip(self.readers.items(), by_column, strict=False)}
        if self.has_separation and cone is not None:
            ra, dec = (np.array(values, np.float64) for values in by_column[-2:])
            chunks[SEPARATION] = ArrowChunk(pa.array(separation_arcsec(cone.ra, cone.dec, ra, dec)))
        return chunks


class IndexRows:
    """Reads columns of alerts by the keys of the alerts."""

    def __init__(self, pool: ReadPool, names: Names) -> None:
        self._pool, self._names = pool, names
        self._select_list = lru_cache(maxsize=64)(self._new_select_list)

    def select_list(self, names: Sequence[str], stored: StoredColumns) -> SelectList:
        """What to select for some indexed columns; prepared once for each set of columns."""
        return self._select_list(tuple(names), stored)

    def read(self, keys: Sequence[int], select: SelectList) -> list[Any]:
        """Rows of a SELECT list for the alerts with these keys, in their order."""
        return self._select(keys, select.sql)

    def locations(self, keys: Sequence[int], layout: Layout) -> list[Location]:
        """Where each of the alerts is in the archive now, in their order."""
        return locations(layout, self._select(keys, LOCATION_SQL, "CROSS JOIN segments p ON p._id = a._segment"))

    def _select(self, keys: Sequence[int], select: str, join: str = "") -> list[Any]:
        sql = f"SELECT {select} FROM json_each(?) k CROSS JOIN alerts a ON a._id = k.value {join} ORDER BY k.key"
        return self._pool.execute(sql, (json.dumps(list(keys)),))

    def _new_select_list(self, names: tuple[str, ...], stored: StoredColumns) -> SelectList:
        readers = {name: self._reader(name, stored.field(name).type) for name in names if name != SEPARATION}
        has_separation = SEPARATION in names
        sql = [*(_SQL.get(name, f'a."{name}"') for name in readers), *(["a.ra", "a.dec"] if has_separation else [])]
        return SelectList(names, ", ".join(sql), readers, has_separation)

    def _reader(self, name: str, kind: pa.DataType) -> _Read:
        if name == "survey":
            return lambda raw: NameChunk(raw, self._names.names("surveys", set(raw)), kind)
        if name == TOPICS:
            return self._topics
        if name == CLASSES:
            return self._classes
        python = python_type(kind)
        return lambda raw: SqlChunk(raw, kind, python)

    def _topics(self, raw: Sequence[str | None]) -> Chunk:
        numbers = {int(n) for text in set(raw) if text for n in text.split(",")}
        return TopicChunk(raw, self._names.names("topics", numbers))

    def _classes(self, raw: Sequence[bytes | None]) -> Chunk:
        records = np.frombuffer(b"".join([blob for blob in raw if blob]), CLASS_RECORD)
        names = self._names.names("classes", set(records["name"].tolist()))
        return ClassChunk(raw, names, self._names.names("classifiers", set(records["by"].tolist())))
