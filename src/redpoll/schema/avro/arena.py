"""Memory of all columns of a decode, grown level by level."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.schema.avro.machine import ARRAY, BOOLEAN, WIDTHS
from redpoll.schema.avro.program import Program

_ALIGN = 64


class Arena:
    """Values, then validity bits, of every column of a program, with room for ``capacity`` rows a level.

    ``code`` is the program's, with the offsets of the column's values and validity bits for each operation.
    """

    def __init__(self, program: Program, capacity: NDArray[np.int64]) -> None:
        self.program, self.capacity = program, capacity
        self.counts = np.zeros(program.n_levels, np.int64)
        self.data, self.valid, size = _layout(program, capacity)
        offsets = (np.append(offset, 0)[program.code[:, 2]] for offset in (self.data, self.valid))
        self.code = np.column_stack([program.code, *offsets])
        self.buffer = pa.allocate_buffer(size)
        self.bytes, self.words, self.longs = (np.frombuffer(self.buffer, t) for t in (np.uint8, np.uint32, np.uint64))
        self.bytes[self.valid.min(initial=size) :] = 0xFF
        self.words[self.data[program.columns[:, 0] == ARRAY] >> 2] = 0

    def grow(self, capacity: NDArray[np.int64]) -> Arena:
        """A copy with a larger capacity, including the unfinished row."""
        bigger = Arena(self.program, capacity)
        bigger.counts[:] = self.counts
        sizes = np.concatenate(_sizes(self.program, np.minimum(self.counts + 1, self.capacity)))
        columns = zip(
            np.concatenate([bigger.data, bigger.valid]), np.concatenate([self.data, self.valid]), sizes, strict=True
        )
        for to, start, n in columns:
            bigger.bytes[to : to + n] = self.bytes[start : start + n]
        return bigger

    def slices(self) -> list[tuple[Any, Any]]:
        """Arrow buffers of each column: values (or offsets, or bits) and validity bits."""
        n_bytes, n_bits = (sizes.tolist() for sizes in _sizes(self.program, self.counts))
        columns = zip(self.data.tolist(), n_bytes, self.valid.tolist(), n_bits, strict=True)
        return [(self.buffer.slice(at, n), self.buffer.slice(bits_at, m)) for at, n, bits_at, m in columns]


def size_of(program: Program, capacity: NDArray[np.int64]) -> int:
    """Bytes of an arena with room for so many rows a level."""
    return _layout(program, capacity)[2]


def _sizes(program: Program, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Bytes of each column's values and of its validity bits, of which one more row has room.

    An unfinished packet may touch that row.
    """
    op, n = program.columns[:, 0], rows[program.columns[:, 1]]
    n_bits = n // 8 + 1
    return np.where(op == BOOLEAN, n_bits, WIDTHS[op] * (n + (op == ARRAY))), n_bits


def _layout(program: Program, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Where each column's values and validity bits begin, and the bytes in all."""
    room = -(-np.concatenate(_sizes(program, rows)) // _ALIGN) * _ALIGN
    ends = np.cumsum(room)
    data, valid = np.split(ends - room, 2)
    return data, valid, int(ends[-1]) if len(ends) else _ALIGN
