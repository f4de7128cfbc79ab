"""Rows of the index as Arrow arrays of their columns' types."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from redpoll.astro.sky import separation_arcsec
from redpoll.schema.classifications import CLASSES, CLASSIFICATION_TYPE
from redpoll.store.classes import CLASS_RECORD
from redpoll.store.layout import Layout
from redpoll.store.objects import KEY_BITS
from redpoll.store.pool import Names, ReadPool
from redpoll.store.rows import LOCATION_SQL, Location, locations
from redpoll.store.selection import SEPARATION, Cone
from redpoll.store.stored_columns import TOPICS, StoredColumns

_OWN = frozenset(["survey", TOPICS, CLASSES, SEPARATION])
_SQL = {"survey": "a._survey", "object_id": "o.object_id", TOPICS: "a._topics", CLASSES: "a._classes"}


class IndexRows:
    """Reads columns of alerts by the keys of the alerts."""

    def __init__(self, pool: ReadPool, names: Names) -> None:
        self._pool, self._names = pool, names

    def arrays(
        self, keys: Sequence[int], names: Sequence[str], columns: StoredColumns, cone: Cone | None
    ) -> dict[str, pa.Array]:
        """Columns of the alerts with these keys, in their order."""
        plain = [name for name in names if name not in _OWN]
        own = [name for name in names if name in _OWN and name != SEPARATION]
        place = ["a.ra", "a.dec"] if SEPARATION in names else []
        sql = [*(_SQL.get(name, f'a."{name}"') for name in (*plain, *own)), *place]
        found = self._select(keys, sql, "object_id" in plain)
        arrays = dict(zip(plain, _plain_arrays(found, [columns.field(name).type for name in plain]), strict=True))
        by_column = list(zip(*found, strict=True)) or [()] * len(sql)
        for name, values in zip(own, by_column[len(plain) :], strict=False):
            arrays[name] = self._own_array(name, values, columns.field(name).type)
        if place and cone is not None:
            ra, dec = (np.array(values, np.float64) for values in by_column[-2:])
            arrays[SEPARATION] = pa.array(separation_arcsec(cone.ra, cone.dec, ra, dec))
        return arrays

    def locations(self, keys: Sequence[int], layout: Layout) -> list[Location]:
        """Where each of the alerts is in the archive now, in their order."""
        found = self._select(keys, [LOCATION_SQL], False, "CROSS JOIN segments p ON p._id = a._segment")
        return locations(layout, found)

    def _select(self, keys: Sequence[int], select: Sequence[str], of_objects: bool, join: str = "") -> list[Any]:
        join += f" CROSS JOIN objects o ON o._id = a._id >> {KEY_BITS}" if of_objects else ""
        sql = f"SELECT {', '.join(select)} FROM json_each(?) k CROSS JOIN alerts a ON a._id = k.value {join}"
        return self._pool.execute(f"{sql} ORDER BY k.key", (json.dumps(list(keys)),))

    def _own_array(self, name: str, values: Sequence[Any], kind: pa.DataType) -> pa.Array:
        if name == "survey":
            surveys = self._names.names("surveys", list(set(values)))
            return pa.array([surveys[value] for value in values], kind)
        return self._topics(values) if name == TOPICS else self._classes(values)

    def _topics(self, values: Sequence[str | None]) -> pa.Array:
        lists = {text: [int(n) for n in text.split(",")] for text in set(values) if text is not None}
        names = self._names.names("topics", list({n for numbers in lists.values() for n in numbers}))
        sorted_names = {text: sorted(names[n] for n in numbers) for text, numbers in lists.items()}
        return pa.array([sorted_names[text] if text is not None else [] for text in values], pa.list_(pa.string()))

    def _classes(self, blobs: Sequence[bytes | None]) -> pa.Array:
        records = np.frombuffer(b"".join(blob or b"" for blob in blobs), CLASS_RECORD)
        lengths = [len(blob or b"") // CLASS_RECORD.itemsize for blob in blobs]
        parts = [self._words("classes", records["name"]), pa.array(records["probability"], from_pandas=True)]
        parts.append(self._words("classifiers", records["by"]))
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
        flat = pa.StructArray.from_arrays(parts, fields=list(CLASSIFICATION_TYPE))
        return pa.ListArray.from_arrays(pa.array(offsets), flat)

    def _words(self, table: str, numbers: Any) -> pa.Array:
        words = numbers.tolist()
        names = self._names.names(table, words)
        return pa.array([names[n] for n in words], pa.string())  # faster than `take` for the rows of a batch


def _plain_arrays(rows: Sequence[Sequence[Any]], kinds: Sequence[pa.DataType]) -> list[pa.Array]:
    """The first columns of some rows as arrays; one conversion of all is much faster than one for each."""
    if not kinds:
        return []
    stored = [pa.int8() if pa.types.is_boolean(kind) else kind for kind in kinds]
    fields = [pa.field(str(i), kind) for i, kind in enumerate(stored)]
    try:
        arrays = pa.array([row[: len(kinds)] for row in rows], pa.struct(fields)).flatten()
    except (pa.ArrowInvalid, pa.ArrowTypeError):  # a column of several types, which became text
        arrays = [_text_array([row[i] for row in rows], kind) for i, kind in enumerate(stored)]
    return [array if array.type == kind else array.cast(kind) for array, kind in zip(arrays, kinds, strict=True)]


def _text_array(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    if not pa.types.is_string(kind):
        return pa.array(values, kind)
    return pa.array([None if value is None else str(value) for value in values], kind)
