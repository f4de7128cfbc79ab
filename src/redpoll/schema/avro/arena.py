"""One block of memory that holds all columns of a decode, grown level by level."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.schema.avro.program import ARRAY, BOOLEAN, WIDTHS, Program

_ALIGN = 64


class Arena:
    """Values and validity bits of every column of a program, with room for ``capacity`` rows a level."""

    def __init__(self, program: Program, capacity: NDArray[np.int64]) -> None:
        self.program = program
        self.capacity = capacity
        self.counts = np.zeros(program.n_levels, np.int64)
        self.data, self.valid, self.size = _layout(program, capacity)
        self.buffer = pa.allocate_buffer(self.size)
        self._view()
        for column, (op, level, _) in enumerate(program.columns):
            self.bytes[self.valid[column] : self.valid[column] + _bit_bytes(int(capacity[level]))] = 0xFF
            if op == ARRAY:
                self.words[self.data[column] >> 2] = 0

    def _view(self) -> None:
        self.bytes = np.frombuffer(self.buffer, np.uint8)
        self.words = np.frombuffer(self.buffer, np.uint32)
        self.longs = np.frombuffer(self.buffer, np.uint64)

    def grow(self, level: int, least: int) -> Arena:
        """A copy with at least `least` rows of room at `level`."""
        capacity = self.capacity.copy()
        capacity[level] = max(2 * capacity[level], least)
        bigger = Arena(self.program, capacity)
        bigger.counts[:] = self.counts
        for column, (op, at, _) in enumerate(self.program.columns):
            rows = int(self.counts[at])
            bigger._copy(bigger.data[column], self, self.data[column], _data_bytes(op, rows))
            bigger._copy(bigger.valid[column], self, self.valid[column], _bit_bytes(rows))
        return bigger

    def _copy(self, to: int, other: Arena, start: int, n: int) -> None:
        self.bytes[to : to + n] = other.bytes[start : start + n]

    def values(self, column: int) -> Any:
        """Arrow buffer of the values (or offsets, or bits) of a column."""
        op, level, _ = self.program.columns[column]
        return self.buffer.slice(self.data[column], _data_bytes(op, int(self.counts[level])))

    def validity(self, column: int) -> Any:
        """Arrow buffer of the validity bits of a column."""
        level = self.program.columns[column, 1]
        return self.buffer.slice(self.valid[column], _bit_bytes(int(self.counts[level])))


def _bit_bytes(rows: int) -> int:
    """Bytes for a bit a row, and for one row more, which an unfinished packet may touch."""
    return rows // 8 + 1


def _data_bytes(op: int, rows: int) -> int:
    if op == BOOLEAN:
        return _bit_bytes(rows)
    return int(WIDTHS[op] * (rows + (op == ARRAY)))


def _layout(program: Program, capacity: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    at = 0
    places = np.zeros((2, len(program.columns)), np.int64)
    for column, (op, level, _) in enumerate(program.columns):
        rows = int(capacity[level])
        for which, size in enumerate((_data_bytes(op, rows), _bit_bytes(rows))):
            places[which, column] = at
            at += -(-size // _ALIGN) * _ALIGN
    return places[0], places[1], max(at, _ALIGN)
