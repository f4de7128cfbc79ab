"""Packets of one writer schema to one Arrow struct array, cutouts and other bytes still in the packets' memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.errors import PacketError
from redpoll.schema.avro.arena import Arena
from redpoll.schema.avro.machine import ERRORS, run
from redpoll.schema.avro.program import Program, compile_schema
from redpoll.schema.avro.tree import Node


@dataclass(frozen=True)
class Decoded:
    """``rows`` is a struct array with one entry per good packet, ``index`` which packets those were.

    ``errors`` maps the index of every other packet to its PacketError.
    """

    rows: pa.StructArray
    index: NDArray[np.int64]
    errors: dict[int, PacketError]


def decode(schema_text: str, buffer: pa.Buffer, starts: NDArray[np.int64], stops: NDArray[np.int64]) -> Decoded:
    """Decode the schemaless datums ``buffer[starts[i]:stops[i]]``, all written with the same schema.

    Bytes and fixed values of the result point into `buffer`, which they keep alive; strings are copied. Every packet
    is in ``index`` or in ``errors``. SchemaError if the schema itself cannot be used.
    """
    program = compile_schema(schema_text)
    arena, codes, ends = _run(program, buffer, starts, stops)
    errors = {int(i): _error(codes[i], ends[i] - starts[i]) for i in np.flatnonzero(codes)}
    index = np.flatnonzero(codes == 0)
    try:
        rows = _Builder(program, arena, buffer).struct(program.tree, 0)
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        return _without_bad_text(schema_text, buffer, starts, stops, index, errors, error)
    return Decoded(rows, index, errors)


def record_ends(schema_text: str, data: bytes, count: int) -> NDArray[np.int64]:
    """Ends of `count` schemaless datums laid end to end in `data`; PacketError names the first that does not fit."""
    program = compile_schema(schema_text)
    if not 0 <= count <= max(len(data), 1):
        raise PacketError(f"a block of {len(data)} bytes claims {count} records")
    starts = np.full(count, -1, np.int64)
    starts[:1] = 0
    ends: NDArray[np.int64]
    _, codes, ends = _run(program, pa.py_buffer(data), starts, np.full(count, -1, np.int64))
    if codes.any():
        bad = int(np.flatnonzero(codes)[0])
        raise PacketError(f"record {bad + 1} of {count}: {_error(codes[bad], ends[bad])}")
    if count and ends[-1] != len(data):
        raise PacketError(f"{len(data) - ends[-1]} bytes follow the last of {count} records")
    return ends


def _run(program: Program, buffer: pa.Buffer, starts: NDArray[np.int64], stops: NDArray[np.int64]) -> tuple[Any, ...]:
    data = np.frombuffer(buffer, np.uint8) if buffer.size else np.zeros(0, np.uint8)
    capacity = np.maximum(16, program.rows_per_packet * len(starts) * 9 / 8).astype(np.int64)
    capacity[0] = len(starts)
    arena = Arena(program, capacity)
    codes, ends = np.zeros(len(starts), np.int64), np.zeros(len(starts), np.int64)
    done, level = 0, -1
    while True:
        done, level = run(data, starts, stops, done, program.code, program.columns, arena.data, arena.valid,
                          arena.capacity, arena.counts, arena.bytes, arena.words, arena.longs, codes, ends)  # fmt: skip
        if level < 0:
            break
        arena = arena.grow(level, _wanted(arena, level, done, len(starts)))
    if len(starts):
        program.rows_per_packet = arena.counts / len(starts)
    return arena, codes, ends


def _wanted(arena: Arena, level: int, done: int, total: int) -> int:
    """Rows to expect at `level` for the whole batch, from what the packets done so far needed."""
    return int(arena.counts[level] * total * 9 // (8 * done)) if done else 0


def _error(code: int, at: int) -> PacketError:
    return PacketError(f"{ERRORS[code]} (byte {at} of the datum)")


def _without_bad_text(schema_text: str, buffer: pa.Buffer, starts: NDArray[np.int64], stops: NDArray[np.int64],
                      index: NDArray[np.int64], errors: dict[int, PacketError], why: Exception) -> Decoded:  # fmt: skip
    """Decode again, half by half, leaving out packets whose text is not UTF-8."""
    if len(index) == 1:
        empty = decode(schema_text, buffer, starts[:0], stops[:0])
        return Decoded(empty.rows, index[:0], errors | {int(index[0]): PacketError(f"text that is not UTF-8: {why}")})
    halves = [index[: len(index) // 2], index[len(index) // 2 :]]
    parts = [decode(schema_text, buffer, starts[h], stops[h]) for h in halves]
    errors = errors | {int(h[i]): e for h, p in zip(halves, parts, strict=True) for i, e in p.errors.items()}
    kept = np.concatenate([h[p.index] for h, p in zip(halves, parts, strict=True)])
    return Decoded(pa.concat_arrays([p.rows for p in parts]), kept, errors)


class _Builder:
    """Arrow arrays over the arena, node by node."""

    def __init__(self, program: Program, arena: Arena, buffer: pa.Buffer) -> None:
        self.program, self.arena, self.buffer = program, arena, buffer

    def struct(self, node: Node, level: int) -> pa.StructArray:
        n = int(self.arena.counts[level])
        children = [self.array(child, level) for child in node.children]
        return pa.Array.from_buffers(node.arrow, n, [self._validity(node)], children=children)

    def array(self, node: Node, level: int) -> pa.Array:
        n = int(self.arena.counts[level])
        if node.kind == "null":
            return pa.nulls(n)
        if node.kind == "record":
            return self.struct(node, level)
        column = self.program.column_of[id(node)]
        buffers = [self._validity(node), self.arena.values(column)]
        if node.kind in ("array", "map"):
            return self._list(node, n, buffers, int(self.program.columns[column, 2]))
        if node.kind in ("bytes", "fixed"):
            return pa.Array.from_buffers(pa.binary_view(), n, [*buffers, self.buffer])
        if node.kind == "string":
            return pa.Array.from_buffers(pa.binary_view(), n, [*buffers, self.buffer]).cast(pa.string())
        if node.kind == "enum":
            codes = pa.Array.from_buffers(pa.int32(), n, buffers)
            return pa.DictionaryArray.from_arrays(codes, pa.array(node.symbols))
        return pa.Array.from_buffers(node.arrow, n, buffers)

    def _list(self, node: Node, n: int, buffers: list[Any], items: int) -> pa.Array:
        if node.kind == "array":
            return pa.Array.from_buffers(node.arrow, n, buffers, children=[self.array(node.children[0], items)])
        keys, values = (self.array(child, items) for child in node.children)
        entries = pa.StructArray.from_arrays(
            [keys, values], fields=[pa.field("key", pa.string(), False), node.arrow.item_field]
        )
        return pa.Array.from_buffers(node.arrow, n, buffers, children=[entries])

    def _validity(self, node: Node) -> Any:
        return self.arena.validity(self.program.column_of[id(node)]) if node.null_index >= 0 else None
