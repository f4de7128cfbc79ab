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

_SQL = {"survey": "a._survey", "object_id": "o.object_id", TOPICS: "a._topics", CLASSES: "a._classes"}


class IndexRows:
    """Reads columns of alerts by the keys of the alerts."""

    def __init__(self, pool: ReadPool, names: Names) -> None:
        self._pool, self._names = pool, names

    def arrays(
        self, keys: Sequence[int], names: Sequence[str], columns: StoredColumns, cone: Cone | None
    ) -> dict[str, pa.Array]:
        """Columns of the alerts with these keys, in their order."""
        sql = {name: _SQL.get(name, f'a."{name}"') for name in names if name != SEPARATION}
        if SEPARATION in names:
            sql |= {name: f"a.{name}" for name in ("ra", "dec")}
        found = self._select(keys, list(sql.values()) or ["NULL"], "o.object_id" in sql.values())
        values = dict(zip(sql, zip(*found, strict=True), strict=False)) if found else dict.fromkeys(sql, ())
        arrays = {name: self._array(name, values[name], columns.field(name).type) for name in names if name in sql}
        if SEPARATION in names and cone is not None:
            distance = separation_arcsec(cone.ra, cone.dec, np.array(values["ra"]), np.array(values["dec"]))
            arrays[SEPARATION] = pa.array(distance)
        return {name: arrays[name] for name in names}

    def locations(self, keys: Sequence[int], layout: Layout) -> list[Location]:
        """Where each of the alerts is in the archive now, in their order."""
        found = self._select(keys, [LOCATION_SQL], False, "CROSS JOIN segments p ON p._id = a._segment")
        return locations(layout, found)

    def _select(self, keys: Sequence[int], select: Sequence[str], of_objects: bool, join: str = "") -> list[Any]:
        join += f" CROSS JOIN objects o ON o._id = a._id >> {KEY_BITS}" if of_objects else ""
        sql = f"SELECT {', '.join(select)} FROM json_each(?) k CROSS JOIN alerts a ON a._id = k.value {join}"
        return self._pool.execute(f"{sql} ORDER BY k.key", (json.dumps(list(keys)),))

    def _array(self, name: str, values: Sequence[Any], kind: pa.DataType) -> pa.Array:
        if name == "survey":
            surveys = self._names.names("surveys", list(set(values)))
            return pa.array([surveys[value] for value in values], kind)
        if name == TOPICS:
            return self._topics(values)
        if name == CLASSES:
            return self._classes(values)
        if pa.types.is_boolean(kind):
            return pa.array(values, pa.int8()).cast(kind)
        try:
            return pa.array(values, kind)
        except (pa.ArrowInvalid, pa.ArrowTypeError):  # of several types, so that the column became text
            return pa.array([None if value is None else str(value) for value in values], kind)

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
        unique, at = np.unique(numbers, return_inverse=True)
        names = self._names.names(table, unique.tolist())
        return pa.array([names[n] for n in unique.tolist()], pa.string()).take(pa.array(at.ravel()))
