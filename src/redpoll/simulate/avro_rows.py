"""Encoder of many flat Avro records at once, from columns to bytes.

Records of numbers, booleans and strings, nullable or not, are encoded column by column into a rectangle of bytes with a
mask of the used ones; the rectangle, read row by row, is the records. The tests compare it with fastavro.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll.errors import SchemaError
from redpoll.schema.packet_schemas import packet_schema

Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]
_FIXED = {"float": "<f4", "double": "<f8", "boolean": "u1"}


@dataclass(frozen=True)
class EncodedRecords:
    """Encoded records end to end; record ``i`` is ``data[offsets[i]:offsets[i + 1]]``."""

    data: memoryview
    offsets: list[int]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def row(self, i: int) -> memoryview:
        """One record."""
        return self.data[self.offsets[i] : self.offsets[i + 1]]

    def array(self, start: int, stop: int) -> bytes | None:
        """Records `start` to `stop` as an Avro array; None if there are none."""
        if start >= stop:
            return None
        return varint(stop - start) + self.data[self.offsets[start] : self.offsets[stop]] + b"\x00"


@lru_cache(maxsize=8)
def record_fields(survey: str, version: str) -> dict[str, tuple[tuple[str, Any], ...]]:
    """Name and type of the fields of each record of a packet's schema, by the record's name without namespace.

    >>> record_fields("rubin", "10.0")["diaForcedSource"][0]
    ('diaForcedSourceId', 'long')
    """
    found: dict[str, tuple[tuple[str, Any], ...]] = {}
    schema = packet_schema(survey, version)
    _visit(schema, schema["name"].removesuffix("alert"), found)
    return found


def encode_rows(fields: tuple[tuple[str, Any], ...], columns: dict[str, NDArray]) -> EncodedRecords:
    """Encoded records with these fields, one per row of the columns.

    A field without a column is null, and so are NaN and masked values of fields that may be null.

    Raises
    ------
    SchemaError
        If a field that may not be null has no column or an unknown value.
    """
    n = len(next(iter(columns.values())))
    pieces = [piece for name, kind in fields for piece in _field(name, kind, columns.get(name), n)]
    data, mask = (np.concatenate(part, axis=1) for part in zip(*pieces, strict=True))
    offsets = np.concatenate([[0], np.cumsum(mask.sum(axis=1))])
    return EncodedRecords(memoryview(data[mask].tobytes()), offsets.tolist())


def varint(value: int) -> bytes:
    """A long as Avro writes it: zigzag, seven bits a byte, low first.

    >>> varint(-1), varint(64)
    (b'\\x01', b'\\x80\\x01')
    """
    rest, out = (value << 1) ^ (value >> 63), bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*out, rest])


def _visit(kind: Any, namespace: str, found: dict[str, tuple[tuple[str, Any], ...]]) -> None:
    if isinstance(kind, list):
        for each in kind:
            _visit(each, namespace, found)
    elif isinstance(kind, dict) and kind["type"] == "array":
        _visit(kind["items"], namespace, found)
    elif isinstance(kind, dict) and kind["type"] == "record":
        found[kind["name"].removeprefix(namespace)] = tuple((f["name"], f["type"]) for f in kind["fields"])
        for field in kind["fields"]:
            _visit(field["type"], namespace, found)


def _field(name: str, kind: Any, column: NDArray | None, n: int) -> list[tuple[Bytes, Mask]]:
    """The bytes of one field: the branch of its union, if it may be null, and the value."""
    unknown = np.ones(n, bool) if column is None else _unknown(column)
    if not isinstance(kind, list):
        if column is None or unknown.any():
            raise SchemaError(f"field {name} may not be null; give every row a value")
        return _values(kind, np.ma.getdata(column), n)
    null = kind.index("null")
    branch = np.where(unknown, 2 * null, 2 * (1 - null)).astype(np.uint8)[:, None]
    branches = (branch, np.ones((n, 1), bool))
    if column is None or unknown.all():
        return [branches]
    values = _values(kind[1 - null], np.ma.getdata(column), n)
    return [branches, *((data, mask & ~unknown[:, None]) for data, mask in values)]


def _unknown(column: NDArray) -> Mask:
    unknown = np.ma.getmaskarray(column)
    return unknown | np.isnan(np.ma.getdata(column)) if column.dtype.kind == "f" else unknown


def _values(kind: Any, column: NDArray, n: int) -> list[tuple[Bytes, Mask]]:
    kind = kind["type"] if isinstance(kind, dict) else kind
    if kind in _FIXED:
        plain = np.ascontiguousarray(column.astype(_FIXED[kind])).reshape(n, 1)
        data = plain.view(np.uint8)
        return [(data, np.ones(data.shape, bool))]
    if kind == "string":
        text = np.char.encode(column.astype(np.str_), "utf-8")
        length = np.char.str_len(text)
        data = np.ascontiguousarray(text).reshape(n, 1).view(np.uint8)
        return [_varints(length), (data, np.arange(data.shape[1]) < length[:, None])]
    if kind in ("int", "long"):
        return [_varints(column)]
    raise SchemaError(f"rows of {kind} cannot be encoded; only numbers, booleans and strings")


def _varints(values: NDArray) -> tuple[Bytes, Mask]:
    """Longs as Avro writes them, up to ten bytes each."""
    signed = values.astype(np.int64)
    zigzag = ((signed << 1) ^ (signed >> 63)).view(np.uint64)
    shifts = np.arange(0, 70, 7, dtype=np.uint64)
    groups = zigzag[:, None] >> np.minimum(shifts, 63)
    groups[:, 9] &= np.uint64(1)  # the tenth byte holds the last bit only
    used = np.ones(groups.shape, bool)
    used[:, 1:] = groups[:, 1:] > 0
    width = int(used.any(axis=0).sum()) if len(values) else 1
    more = np.zeros(groups.shape, bool)
    more[:, :-1] = used[:, 1:]
    data = (groups & np.uint64(0x7F)).astype(np.uint8) | np.where(more, 0x80, 0).astype(np.uint8)
    return data[:, :width], used[:, :width]
