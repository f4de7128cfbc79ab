"""Values of one column for the rows of a page, converted to Arrow or to Python values only when asked for."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from redpoll.schema.classifications import CLASSES_TYPE, CLASSIFICATION_TYPE
from redpoll.schema.table_rows import column_values
from redpoll.store.classes import CLASS_RECORD

_RECORD = struct.Struct("<HHf")
_NONE = type(None)
_UNCHANGED = {"bool": frozenset([_NONE]), "int": frozenset([int, _NONE]), "float": frozenset([float, _NONE]),
              "str": frozenset([str, _NONE])}  # fmt: skip
_CONVERT = {"bool": bool, "int": int, "float": float, "str": str}


class Chunk(Protocol):
    """Values of a column."""

    def array(self) -> pa.Array:
        """The values as Arrow."""
        ...

    def values(self) -> Sequence[Any]:
        """The values as Python objects; null and NaN are None."""
        ...


@dataclass(frozen=True, slots=True)
class ArrowChunk:
    """Values that are Arrow already."""

    stored: pa.Array

    def array(self) -> pa.Array:
        """The values as Arrow."""
        return self.stored

    def values(self) -> Sequence[Any]:
        """The values as Python objects; null and NaN are None."""
        return column_values(self.stored)


@dataclass(frozen=True, slots=True)
class SqlChunk:
    """Values as SQLite returned them, for a column of a scalar type."""

    raw: Sequence[Any]
    kind: pa.DataType
    python: str

    def array(self) -> pa.Array:
        """The values as Arrow."""
        if self.python == "bool":
            return pa.array(self.raw, pa.int8()).cast(self.kind)
        try:
            return pa.array(self.raw, self.kind)
        except (pa.ArrowInvalid, pa.ArrowTypeError):  # a column of several types, which became text
            if self.python != "str":
                raise
            return pa.array(self.values(), self.kind)

    def values(self) -> Sequence[Any]:
        """The values as Python objects."""
        if set(map(type, self.raw)) <= _UNCHANGED[self.python]:
            return self.raw
        convert = _CONVERT[self.python]
        return [None if value is None else convert(value) for value in self.raw]


@dataclass(frozen=True, slots=True)
class NameChunk:
    """Values that are stored as numbers of names."""

    raw: Sequence[int]
    names: Mapping[int, str]
    kind: pa.DataType

    def array(self) -> pa.Array:
        """The names as Arrow."""
        return pa.array(self.values(), self.kind)

    def values(self) -> Sequence[Any]:
        """The names."""
        return [self.names[number] for number in self.raw]


@dataclass(frozen=True, slots=True)
class TopicChunk:
    """Topics of each alert, stored as their numbers joined by commas."""

    raw: Sequence[str | None]
    names: Mapping[int, str]

    def array(self) -> pa.Array:
        """The lists of names as Arrow."""
        return pa.array(self.values(), pa.list_(pa.string()))

    def values(self) -> Sequence[Any]:
        """The sorted names of each alert."""
        names = {text: sorted([self.names[int(n)] for n in text.split(",")]) if text else [] for text in set(self.raw)}
        return [names[text].copy() for text in self.raw]


@dataclass(frozen=True, slots=True)
class ClassChunk:
    """Classifications of each alert, stored as records."""

    raw: Sequence[bytes | None]
    names: Mapping[int, str]
    classifiers: Mapping[int, str]

    def array(self) -> pa.Array:
        """The lists of classifications as Arrow."""
        records = np.frombuffer(b"".join(blob or b"" for blob in self.raw), CLASS_RECORD)
        lengths = [len(blob or b"") // CLASS_RECORD.itemsize for blob in self.raw]
        parts = [
            pa.array([self.names[n] for n in records["name"].tolist()], pa.string()),
            pa.array(records["probability"], from_pandas=True),
            pa.array([self.classifiers[n] for n in records["by"].tolist()], pa.string()),
        ]
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
        flat = pa.StructArray.from_arrays(parts, fields=list(CLASSIFICATION_TYPE))
        return pa.ListArray.from_arrays(pa.array(offsets), flat, type=CLASSES_TYPE)

    def values(self) -> Sequence[Any]:
        """The classifications of each alert as dicts."""
        names, by, read = self.names, self.classifiers, _RECORD.iter_unpack
        return [
            [{"name": names[n], "probability": p if p == p else None, "by": by[b]} for n, b, p in read(blob or b"")]
            for blob in self.raw
        ]


def python_type(kind: pa.DataType) -> str:
    """Name of the Python type of the values of an indexed column."""
    if pa.types.is_boolean(kind):
        return "bool"
    if pa.types.is_integer(kind):
        return "int"
    return "float" if pa.types.is_floating(kind) else "str"
