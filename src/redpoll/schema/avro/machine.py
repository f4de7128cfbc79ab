"""The loop that runs a program over packets: bounds-checked, without Python objects, GIL released.

Every read is checked against the end of its packet. A packet that does not fit its schema leaves no row: the
counts of all levels go back to where they were. When a level has no room for another row the loop stops before
that packet and says which level to grow.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types

from redpoll.schema.avro.program import (
    ARRAY,
    BOOLEAN,
    BYTES,
    DOUBLE,
    END,
    ENUM,
    FIXED,
    FLOAT,
    INT,
    ITEM_END,
    LONG,
    RECORD,
)  # fmt: skip

ERRORS = (
    "",
    "truncated",
    "an integer longer than 64 bits",
    "a union branch the schema does not have",
    "a negative length",
    "an array with more items than the packet has bytes",
    "bytes left over after the last field",
    "an enum symbol the schema does not have",
    "an int outside 32 bits",
    "a boolean that is neither 0 nor 1",
)
TRUNCATED, LONG_VARINT, BRANCH, NEGATIVE, CROWDED, LEFTOVER, SYMBOL, WIDE_INT, NOT_BOOLEAN = range(1, len(ERRORS))
GROWN = -1
_MAX_EMPTY_ITEMS = 65_536
_DEPTH = 32
_NAN32 = np.uint32(0x7FC00000)
_NAN64 = np.uint64(0x7FF8000000000000)
_U8, _U32, _U64, _I64 = (types.CPointer(t) for t in (types.uint8, types.uint32, types.uint64, types.int64))
_N = types.int64
_SIGNATURE = types.UniTuple(_N, 2)(
    _U8, _N, _I64, _I64, _N, _N, _I64, _I64, _N, _I64, _I64, _I64, _I64, _N, _U8, _U32, _U64, _I64, _I64, _I64
)


@njit(nogil=True)
def _varint(buf: Any, p: int, end: int) -> tuple[int, int, int]:
    """Value, next byte and error of the zigzag integer at byte p."""
    acc = np.uint64(0)
    shift = np.uint64(0)
    while p < end:
        byte = np.uint64(buf[p])
        p += 1
        acc |= (byte & np.uint64(0x7F)) << shift
        if byte < np.uint64(0x80):
            if shift == np.uint64(63) and byte > np.uint64(1):
                return 0, p, LONG_VARINT
            return np.int64(acc >> np.uint64(1)) ^ -np.int64(acc & np.uint64(1)), p, 0
        shift += np.uint64(7)
        if shift > np.uint64(63):
            return 0, p, LONG_VARINT
    return 0, p, TRUNCATED


@njit(nogil=True)
def _load32(buf: Any, p: int) -> Any:
    return (
        np.uint32(buf[p])
        | np.uint32(buf[p + 1]) << np.uint32(8)
        | np.uint32(buf[p + 2]) << np.uint32(16)
        | np.uint32(buf[p + 3]) << np.uint32(24)
    )


@njit(nogil=True)
def _set_bit(bits: Any, base: int, row: int) -> None:
    bits[base + (row >> 3)] |= np.uint8(1 << (row & 7))


@njit(nogil=True)
def _clear_bit(bits: Any, base: int, row: int) -> None:
    bits[base + (row >> 3)] &= np.uint8(~(1 << (row & 7)) & 0xFF)


@njit(nogil=True)
def _roll_back(columns: Any, n_columns: int, valid: Any, before: Any, counts: Any, n_levels: int, a8: Any) -> None:
    """Forget the rows of an unfinished packet; validity bits beyond the counts are always set."""
    for column in range(n_columns):
        level = columns[3 * column + 1]
        for row in range(before[level], counts[level] + 1):
            _set_bit(a8, valid[column], row)
    for level in range(n_levels):
        counts[level] = before[level]


@njit(nogil=True)
def _view(buf: Any, p: int, size: int, a8: Any, a32: Any, at: int) -> None:
    """Write Arrow's 16-byte view of buf[p:p + size]: inline up to 12 bytes, else prefix and offset."""
    word = at >> 2
    a32[word] = np.uint32(size)
    if size <= 12:
        a32[word + 1] = np.uint32(0)
        a32[word + 2] = np.uint32(0)
        a32[word + 3] = np.uint32(0)
        for k in range(size):
            a8[at + 4 + k] = buf[p + k]
    else:
        a32[word + 1] = _load32(buf, p)
        a32[word + 2] = np.uint32(0)
        a32[word + 3] = np.uint32(p)


@njit(nogil=True)
def _write_null(op: int, at: int, row: int, a8: Any, a32: Any, a64: Any) -> None:
    """What stands in the value slot of a null: NaN, zero, or an empty view."""
    if op == FLOAT:
        a32[(at >> 2) + row] = _NAN32
    elif op == DOUBLE:
        a64[(at >> 3) + row] = _NAN64
    elif op == INT or op == ENUM:
        a32[(at >> 2) + row] = np.uint32(0)
    elif op == LONG:
        a64[(at >> 3) + row] = np.uint64(0)
    elif op == BOOLEAN:
        _clear_bit(a8, at, row)
    elif op == BYTES or op == FIXED:
        for k in range(4):
            a32[((at + 16 * row) >> 2) + k] = np.uint32(0)


@njit(_SIGNATURE, cache=True, nogil=True)
def _run(buf: Any, size_of_buf: int, starts: Any, stops: Any, first: int, n_packets: int, code: Any, columns: Any,
         n_columns: int, data: Any, valid: Any, capacity: Any, counts: Any, n_levels: int, a8: Any, a32: Any, a64: Any,
         errors: Any, ends: Any, before: Any) -> tuple[int, int]:  # fmt: skip
    """The loop of `run` over plain pointers: no reference counting, no negative indices."""
    f_pc, f_row, f_left = n_levels, n_levels + _DEPTH, n_levels + 2 * _DEPTH
    for i in range(first, n_packets):
        for level in range(n_levels):
            before[level] = counts[level]
        if counts[0] >= capacity[0]:
            return i, 0
        p = starts[i] if starts[i] >= 0 else ends[i - 1]
        end = stops[i] if stops[i] >= 0 else size_of_buf
        error = 0
        pc = 0
        row = counts[0]
        depth = 0
        empty_items = 0
        while True:
            op = code[6 * pc]
            column = code[6 * pc + 2]
            null_index = code[6 * pc + 1]
            next_block = False
            if null_index >= 0:
                if p < end and buf[p] < 0x80:
                    branch = np.int64(buf[p]) >> 1 if buf[p] & 1 == 0 else -1
                    p += 1
                else:
                    branch, p, error = _varint(buf, p, end)
                    if error != 0:
                        break
                if branch == null_index:
                    _clear_bit(a8, valid[column], row)
                    if op == RECORD:
                        for k in range(code[6 * pc + 3], code[6 * pc + 4]):
                            if columns[3 * k + 1] == columns[3 * column + 1]:
                                _clear_bit(a8, valid[k], row)
                                if columns[3 * k] == ARRAY:
                                    a32[(data[k] >> 2) + row + 1] = np.uint32(counts[columns[3 * k + 2]])
                                else:
                                    _write_null(columns[3 * k], data[k], row, a8, a32, a64)
                        pc = code[6 * pc + 5]
                    elif op == ARRAY:
                        a32[(data[column] >> 2) + row + 1] = np.uint32(counts[code[6 * pc + 3]])
                        pc = code[6 * pc + 5]
                    else:
                        _write_null(op, data[column], row, a8, a32, a64)
                        pc += 1
                    continue
                if branch != 1 - null_index:
                    error = BRANCH
                    break
            if op == FLOAT:
                if p + 4 > end:
                    error = TRUNCATED
                    break
                a32[(data[column] >> 2) + row] = _load32(buf, p)
                p += 4
            elif op == DOUBLE:
                if p + 8 > end:
                    error = TRUNCATED
                    break
                low = np.uint64(_load32(buf, p))
                a64[(data[column] >> 3) + row] = low | np.uint64(_load32(buf, p + 4)) << np.uint64(32)
                p += 8
            elif op == BOOLEAN:
                if p >= end:
                    error = TRUNCATED
                    break
                if buf[p] > 1:
                    error = NOT_BOOLEAN
                    break
                if buf[p] == 1:
                    _set_bit(a8, data[column], row)
                else:
                    _clear_bit(a8, data[column], row)
                p += 1
            elif op == LONG:
                value, p, error = _varint(buf, p, end)
                if error != 0:
                    break
                a64[(data[column] >> 3) + row] = np.uint64(value)
            elif op == INT or op == ENUM:
                value, p, error = _varint(buf, p, end)
                if error != 0:
                    break
                if value < -2147483648 or value > 2147483647:
                    error = WIDE_INT
                    break
                if op == ENUM and (value < 0 or value >= code[6 * pc + 3]):
                    error = SYMBOL
                    break
                a32[(data[column] >> 2) + row] = np.uint32(value)
            elif op == BYTES or op == FIXED:
                size = code[6 * pc + 3]
                if op == BYTES:
                    size, p, error = _varint(buf, p, end)
                    if error != 0:
                        break
                if size < 0:
                    error = NEGATIVE
                    break
                if size > end - p:
                    error = TRUNCATED
                    break
                _view(buf, p, size, a8, a32, data[column] + 16 * row)
                p += size
            elif op == ARRAY:
                if depth >= _DEPTH:
                    error = CROWDED
                    break
                before[f_pc + depth] = pc
                before[f_row + depth] = row
                depth += 1
                next_block = True
            elif op == ITEM_END:
                level = code[6 * code[6 * pc + 3] + 3]
                counts[level] += 1
                before[f_left + depth - 1] -= 1
                next_block = before[f_left + depth - 1] == 0
                if not next_block:
                    row = counts[level]
                    pc = before[f_pc + depth - 1] + 1
                    continue
            elif op == END:
                break
            if next_block:
                pc = before[f_pc + depth - 1]
                level = code[6 * pc + 3]
                left, p, error = _varint(buf, p, end)
                if error == 0 and left < 0:
                    size, p, error = _varint(buf, p, end)
                    left = -left
                if error != 0:
                    break
                if left == 0:
                    depth -= 1
                    row = before[f_row + depth]
                    a32[(data[code[6 * pc + 2]] >> 2) + row + 1] = np.uint32(counts[level])
                    pc = code[6 * pc + 5]
                    continue
                empty_items += left if code[6 * pc + 4] == 0 else 0
                room = _MAX_EMPTY_ITEMS if code[6 * pc + 4] == 0 else (end - p) // code[6 * pc + 4]
                if left < 0 or left > room or empty_items > _MAX_EMPTY_ITEMS:
                    error = CROWDED
                    break
                if counts[level] + left > capacity[level]:
                    _roll_back(columns, n_columns, valid, before, counts, n_levels, a8)
                    return i, level
                before[f_left + depth - 1] = left
                row = counts[level]
            pc += 1
        if error == 0 and stops[i] >= 0 and p != end:
            error = LEFTOVER
        errors[i] = error
        ends[i] = p
        if error == 0:
            counts[0] += 1
        else:
            _roll_back(columns, n_columns, valid, before, counts, n_levels, a8)
            if stops[i] < 0:
                return i + 1, GROWN
    return n_packets, GROWN


@njit(cache=True, nogil=True)
def run(buf: Any, starts: Any, stops: Any, first: int, code: Any, columns: Any, data: Any, valid: Any,
        capacity: Any, counts: Any, a8: Any, a32: Any, a64: Any, errors: Any, ends: Any) -> tuple[int, int]:  # fmt: skip
    """Decode packets from `first` on; return (next packet, level to grow or -1).

    ``data`` and ``valid`` are the byte offsets of each column's values and validity bits in the arena ``a8``
    (seen as 4- and 8-byte words through ``a32`` and ``a64``). ``errors`` gets a code per packet and ``ends`` the byte
    where reading stopped. A start of -1 means where the packet before ended, a stop of -1 wherever the datum does.
    """
    scratch = np.empty(counts.shape[0] + 3 * _DEPTH, np.int64)
    return _run(buf.ctypes, buf.shape[0], starts.ctypes, stops.ctypes, first, starts.shape[0], code.ctypes,
                columns.ctypes, columns.shape[0], data.ctypes, valid.ctypes, capacity.ctypes, counts.ctypes,
                counts.shape[0], a8.ctypes, a32.ctypes, a64.ctypes, errors.ctypes, ends.ctypes, scratch.ctypes)  # fmt: skip
