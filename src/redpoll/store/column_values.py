"""How SQLite's values of one column become Python values or Arrow."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from redpoll.schema.classifications import CLASSES_TYPE, CLASSIFICATION_TYPE
from redpoll.store.classes import CLASS_RECORD
from redpoll.store.pool import NameMaps

_RECORD = struct.Struct("<HHf")


class ColumnValues(Protocol):
    """Conversion of the values of a column; ``names`` are those of the index that the values come from."""

    def python(self, raw: Sequence[Any], names: NameMaps) -> Sequence[Any]:
        """The values as Python objects; null is None."""
        ...

    def arrow(self, raw: Sequence[Any], names: NameMaps) -> pa.Array:
        """The values as Arrow."""
        ...


@dataclass(frozen=True, slots=True)
class Plain:
    """Values that SQLite returns as they are."""

    kind: pa.DataType

    def python(self, raw: Sequence[Any], names: NameMaps) -> Sequence[Any]:
        """The values themselves."""
        return raw

    def arrow(self, raw: Sequence[Any], names: NameMaps) -> pa.Array:
        """The values in the type of the column."""
        return pa.array(raw, self.kind)


@dataclass(frozen=True, slots=True)
class Converted:
    """Values that SQLite returns in another type, or in several: Booleans, and columns whose type changed."""

    kind: pa.DataType
    convert: type

    def python(self, raw: Sequence[Any], names: NameMaps) -> Sequence[Any]:
        """The values as objects of one type."""
        convert = self.convert
        return list(map(convert, raw)) if None not in raw else [None if v is None else convert(v) for v in raw]

    def arrow(self, raw: Sequence[Any], names: NameMaps) -> pa.Array:
        """The values in the type of the column."""
        return pa.array(self.python(raw, names), self.kind)


@dataclass(frozen=True, slots=True)
class NumberedName:
    """Values that are stored as numbers of names."""

    table: str
    kind: pa.DataType

    def python(self, raw: Sequence[int], names: NameMaps) -> Sequence[Any]:
        """The names."""
        known = names.names(self.table, raw)
        return [known[number] for number in raw]

    def arrow(self, raw: Sequence[int], names: NameMaps) -> pa.Array:
        """The names in the type of the column."""
        return pa.array(self.python(raw, names), self.kind)


class TopicNames:
    """Topics of each alert, stored as their numbers joined by commas."""

    def python(self, raw: Sequence[str | None], names: NameMaps) -> Sequence[Any]:
        """The sorted names of each alert."""
        split = {text: list(map(int, text.split(","))) for text in set(raw) if text}
        known = names.names("topics", {number for numbers in split.values() for number in numbers})
        lists: Mapping[str | None, list[str]] = {
            text: sorted([known[number] for number in numbers]) for text, numbers in split.items()
        }
        return [lists[text].copy() if text else [] for text in raw]

    def arrow(self, raw: Sequence[str | None], names: NameMaps) -> pa.Array:
        """The lists of names."""
        return pa.array(self.python(raw, names), pa.list_(pa.string()))


class Classifications:
    """Classifications of each alert, stored as records."""

    def python(self, raw: Sequence[bytes | None], names: NameMaps) -> Sequence[Any]:
        """The classifications of each alert as dicts."""
        blobs = [blob or b"" for blob in raw]
        records = {blob: list(_RECORD.iter_unpack(blob)) for blob in set(blobs)}
        known = names.names("classes", {n for found in records.values() for n, _, _ in found})
        by = names.names("classifiers", {b for found in records.values() for _, b, _ in found})
        named = {
            blob: [(known[n], p if p == p else None, by[b]) for n, b, p in found] for blob, found in records.items()
        }
        return [[{"name": n, "probability": p, "by": b} for n, p, b in named[blob]] for blob in blobs]

    def arrow(self, raw: Sequence[bytes | None], names: NameMaps) -> pa.Array:
        """The lists of classifications."""
        records = np.frombuffer(b"".join([blob or b"" for blob in raw]), CLASS_RECORD)
        lengths = [len(blob or b"") // CLASS_RECORD.itemsize for blob in raw]
        parts = [
            _decoded(records["name"], names, "classes"),
            pa.array(records["probability"], from_pandas=True),
            _decoded(records["by"], names, "classifiers"),
        ]
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
        flat = pa.StructArray.from_arrays(parts, fields=list(CLASSIFICATION_TYPE))
        return pa.ListArray.from_arrays(pa.array(offsets), flat, type=CLASSES_TYPE)


def _decoded(numbers: np.ndarray[Any, Any], names: NameMaps, table: str) -> pa.Array:
    found = numbers.tolist()
    known = names.names(table, set(found))
    return pa.array([known[number] for number in found], pa.string())
