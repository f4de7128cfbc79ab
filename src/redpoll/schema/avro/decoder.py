"""Decoding of packets of one writer schema to an Arrow struct array; bytes stay in the memory of the packets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.errors import PacketError
from redpoll.schema.avro.arena import Arena, size_of
from redpoll.schema.avro.machine import ABANDON, ERRORS, FRESH, RESUME, new_state, run
from redpoll.schema.avro.program import Program, compile_schema
from redpoll.schema.avro.tree import AvroNode

_LARGEST_BUFFER = 2**31 - 1
_MAX_ROWS = 2**31 - 1
_MAX_MEMORY = (64 << 20, 32)
"""Maximum bytes of the columns: a constant, plus a multiple of the packets' size. Real packets need once their size."""
_RECORDS_AT_ONCE = 256
_LARGE_BATCH = 64
_MARGIN = 1.125


@dataclass(frozen=True)
class Decoded:
    """Result of a decode: ``rows`` is a struct array of the good packets, ``index`` their indices.

    ``errors`` maps the index of every other packet to its PacketError.
    """

    rows: pa.StructArray
    index: NDArray[np.int64]
    errors: dict[int, PacketError]


def decode(schema_text: str, buffer: pa.Buffer, starts: NDArray[np.int64], stops: NDArray[np.int64]) -> Decoded:
    """Decode the schemaless datums ``buffer[starts[i]:stops[i]]``, all written with the same schema.

    Bytes and fixed values of the result point into `buffer`, which they keep alive; strings are copied. Every packet
    is in ``index`` or in ``errors``.

    Raises
    ------
    SchemaError
        If the schema itself cannot be used.
    ValueError
        If a datum does not lie within `buffer`, or that is larger than 2 GiB, which Arrow's views cannot reach.
    """
    starts, stops = np.ascontiguousarray(starts, np.int64), np.ascontiguousarray(stops, np.int64)
    if starts.shape != stops.shape or starts.min(initial=0) < 0 or (starts > stops).any():
        raise ValueError("every datum must start at a byte of the buffer and stop at it or after it")
    if stops.max(initial=0) > buffer.size or buffer.size > _LARGEST_BUFFER:
        raise ValueError(f"a datum stops at byte {stops.max(initial=0)} of a buffer of {buffer.size} bytes")
    program = compile_schema(schema_text)
    arena, codes, ends = _run(program, buffer, starts, stops, int((stops - starts).sum()))
    errors = {int(i): _error(codes[i], ends[i] - starts[i]) for i in np.flatnonzero(codes)}
    return Decoded(_Builder(program, arena, buffer).struct(program.tree, 0), np.flatnonzero(codes == 0), errors)


def record_ends(schema_text: str, data: bytes, count: int) -> NDArray[np.int64]:
    """Ends of `count` schemaless datums laid end to end in `data`; PacketError names the first that does not fit."""
    program = compile_schema(schema_text)
    if not 0 <= count <= max(len(data), 1):
        raise PacketError(f"a block of {len(data)} bytes claims {count} records")
    ends = np.zeros(count + 1, np.int64)
    for first in range(0, count, _RECORDS_AT_ONCE):
        few = ends[first : first + _RECORDS_AT_ONCE + 1]
        starts = np.full(len(few) - 1, -1, np.int64)
        starts[0] = few[0]
        _, codes, few[1:] = _run(program, pa.py_buffer(data), starts, np.full(len(starts), -1, np.int64), len(data))
        if codes.any():
            bad = int(codes.argmax())
            raise PacketError(f"record {first + bad + 1} of {count}: {_error(codes[bad], few[bad + 1])}")
    if ends[-1] != len(data):
        raise PacketError(f"{len(data) - ends[-1]} bytes follow the last of {count} records")
    return ends[1:]


def decode_beginnings(program: Program, datums: Sequence[bytes]) -> tuple[pa.StructArray, int]:
    """The rows of datums from which `program` reads the first fields, and how many datums were read.

    Reading stops after the first datum that does not fit, which has no row. Each may be cut after what is read.
    """
    sizes = np.array([len(datum) for datum in datums], np.int64)
    buffer = pa.py_buffer(b"".join(datums))
    starts = np.cumsum(sizes) - sizes
    arena, codes, _ = _run(program, buffer, starts, np.full(len(datums), -1, np.int64), buffer.size)
    rows = _Builder(program, arena, buffer).struct(program.tree, 0)
    return rows, len(rows) + int(codes.any())


def _run(program: Program, buffer: pa.Buffer, starts: NDArray[np.int64], stops: NDArray[np.int64],
         n_bytes: int) -> tuple[Arena, NDArray[np.int64], NDArray[np.int64]]:  # fmt: skip
    """The columns, an error code per packet, and where reading each stopped; `n_bytes` are those of all packets."""
    data = np.frombuffer(buffer, np.uint8)
    codes, ends = np.zeros(len(starts), np.int64), np.zeros(len(starts), np.int64)
    arena = _first_arena(program, len(starts), n_bytes)
    done, how, state = 0, FRESH, new_state(program.n_levels)
    while True:
        done, level = run(data, starts, stops, done, how, arena.code, program.columns, arena.data, arena.valid,
                          arena.capacity, arena.counts, arena.bytes, arena.words, arena.longs, codes, ends,
                          state)  # fmt: skip
        if level < 0:
            break
        n_read = int((stops - starts)[:done].sum())
        bigger = _bigger(arena, level, int(ends[done]), n_bytes, n_bytes / n_read if n_read > 0 else 0.0)
        arena, how = bigger or arena, RESUME if bigger else ABANDON
    if len(starts) >= _LARGE_BATCH:
        program.density[:] = arena.counts / max(n_bytes, 1)
    return arena, codes, ends


def _first_arena(program: Program, n_packets: int, n_bytes: int) -> Arena:
    """An arena with the rows per byte of the last batch of this schema, and an eighth more."""
    minimum = np.full(program.n_levels, 16)
    minimum[0] = max(16, n_packets)
    likely = np.maximum(minimum, (program.density * n_bytes * _MARGIN).astype(np.int64))
    return Arena(program, likely if size_of(program, likely) <= _max_bytes(n_bytes) else minimum)


def _bigger(arena: Arena, level: int, needed: int, n_bytes: int, factor: float) -> Arena | None:
    """An arena with at least `needed` rows at `level`, if possible `factor` times those so far.

    None if the needed rows are too many for packets of `n_bytes`, so that a packet cannot exhaust the memory.
    """
    for rows in (int(arena.counts[level] * factor * _MARGIN), 2 * int(arena.capacity[level]), needed):
        if needed <= rows <= _MAX_ROWS:
            capacity = arena.capacity.copy()
            capacity[level] = rows
            if size_of(arena.program, capacity) <= _max_bytes(n_bytes):
                return arena.grow(capacity)
    return None


def _max_bytes(n_bytes: int) -> int:
    return _MAX_MEMORY[0] + _MAX_MEMORY[1] * n_bytes


def _error(code: int, at: int) -> PacketError:
    return PacketError(f"{ERRORS[code]} (byte {at} of the datum)")


class _Builder:
    """Arrow arrays over the arena, node by node."""

    def __init__(self, program: Program, arena: Arena, buffer: pa.Buffer) -> None:
        self.program, self.buffer = program, buffer
        self.counts, self.slices = arena.counts.tolist(), arena.slices()

    def struct(self, node: AvroNode, level: int) -> pa.StructArray:
        n = self.counts[level]
        children = [self.array(child, level) for child in node.children]
        return pa.Array.from_buffers(node.arrow, n, [self._validity(node)], children=children)

    def array(self, node: AvroNode, level: int) -> pa.Array:
        n = self.counts[level]
        if node.kind == "null":
            return pa.nulls(n)
        if node.kind == "record":
            return self.struct(node, level)
        column = self.program.column_of[id(node)]
        buffers = [self._validity(node), self.slices[column][0]]
        if node.kind in ("array", "map"):
            return self._list(node, n, buffers, int(self.program.columns[column, 2]))
        if node.kind in ("bytes", "fixed"):
            return pa.Array.from_buffers(pa.binary_view(), n, [*buffers, self.buffer])
        if node.kind == "string":
            return pa.Array.from_buffers(pa.binary_view(), n, [*buffers, self.buffer]).cast(pa.string(), safe=False)
        if node.kind == "enum":
            codes = pa.Array.from_buffers(pa.int32(), n, buffers)
            return pa.DictionaryArray.from_arrays(codes, pa.array(node.symbols))
        return pa.Array.from_buffers(node.arrow, n, buffers)

    def _list(self, node: AvroNode, n: int, buffers: list[Any], items: int) -> pa.Array:
        if node.kind == "array":
            return pa.Array.from_buffers(node.arrow, n, buffers, children=[self.array(node.children[0], items)])
        keys, values = (self.array(child, items) for child in node.children)
        entries = pa.StructArray.from_arrays(
            [keys, values], fields=[pa.field("key", pa.string(), False), node.arrow.item_field]
        )
        return pa.Array.from_buffers(node.arrow, n, buffers, children=[entries])

    def _validity(self, node: AvroNode) -> Any:
        return self.slices[self.program.column_of[id(node)]][1] if node.null_index >= 0 else None
