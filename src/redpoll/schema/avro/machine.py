"""Compiled loop that runs a program over packets, with bounds checks and without the GIL.

Every read is checked against the end of its packet. A packet that does not fit its schema leaves no row: the
counts of all levels go back to where they were. If a level is full, the loop stops within the packet,
returns the level to grow, and is resumed there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.core.cgutils import create_struct_proxy
from numba.extending import intrinsic
from numpy.typing import NDArray

from redpoll.kernels import kernel, part, parts

OPS = ("end", "record", "array", "item_end", "boolean", "int", "long", "float", "double", "bytes", "fixed", "enum",
       "string")  # fmt: skip
END, RECORD, ARRAY, ITEM_END, BOOLEAN, INT, LONG, FLOAT, DOUBLE, BYTES, FIXED, ENUM, STRING = range(len(OPS))
WIDTHS = np.array([0, 0, 4, 0, 0, 4, 8, 4, 8, 16, 16, 4, 16])
"""Bytes a row takes in a column of each operation; a boolean takes a bit."""
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
    "text that is not UTF-8",
    "an array that needs too much memory for a packet of its size",
)
(TRUNCATED, LONG_VARINT, BRANCH, NEGATIVE, CROWDED, LEFTOVER, SYMBOL, WIDE_INT, NOT_BOOLEAN, NOT_TEXT,
 TOO_LARGE) = range(1, len(ERRORS))  # fmt: skip
GROWN = -1
FRESH, RESUME, ABANDON = range(3)
"""Continue with a packet from its start, from where it stopped because a level was full, or with the next one."""
_MAX_EMPTY_ITEMS = 65_536
_DEPTH = 32  # arrays within arrays; a tree has no more levels than 24
_FIRST_LOW = tuple({0xE0: 0xA0, 0xF0: 0x90}.get(lead, 0x80) for lead in range(0xE0, 0xF5))
_FIRST_HIGH = tuple({0xED: 0x9F, 0xF4: 0x8F}.get(lead, 0xBF) for lead in range(0xE0, 0xF5))
_NAN32 = np.uint32(0x7FC00000)
_NAN64 = np.uint64(0x7FF8000000000000)
_inlined = parts(forceinline=True)


def _make_pointer(context: Any, array: Any) -> Any:
    """Pointer to an array's values, without reference counting and negative indices."""

    def generate(target: Any, builder: Any, signature: Any, args: Any) -> Any:
        return create_struct_proxy(signature.args[0])(target, builder, value=args[0]).data

    return types.CPointer(array.dtype)(array), generate


_pointer: Any = intrinsic(_make_pointer)


@_inlined
def _varint(buf: Any, p: int, end: int) -> Any:
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


@_inlined
def _load32(buf: Any, p: int) -> Any:
    return (
        np.uint32(buf[p])
        | np.uint32(buf[p + 1]) << np.uint32(8)
        | np.uint32(buf[p + 2]) << np.uint32(16)
        | np.uint32(buf[p + 3]) << np.uint32(24)
    )


@_inlined
def _set_bit(bits: Any, base: int, row: int) -> None:
    bits[base + (row >> 3)] |= np.uint8(1 << (row & 7))


@_inlined
def _clear_bit(bits: Any, base: int, row: int) -> None:
    bits[base + (row >> 3)] &= np.uint8(~(1 << (row & 7)) & 0xFF)


@_inlined
def _roll_back(columns: Any, n_columns: int, valid: Any, before: Any, counts: Any, n_levels: int, a8: Any) -> None:
    """Remove the rows of an unfinished packet; validity bits beyond the counts are always set."""
    for column in range(n_columns):
        level = columns[4 * column + 1]
        for row in range(before[level], counts[level] + 1):
            _set_bit(a8, valid[column], row)
    for level in range(n_levels):
        counts[level] = before[level]


@_inlined
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


@_inlined
def _write_null(op: int, at: int, row: int, a8: Any, a32: Any, a64: Any) -> None:
    """Write the value slot of a null: NaN, zero or an empty view."""
    if op == FLOAT:
        a32[(at >> 2) + row] = _NAN32
    elif op == DOUBLE:
        a64[(at >> 3) + row] = _NAN64
    elif op in (INT, ENUM):
        a32[(at >> 2) + row] = np.uint32(0)
    elif op == LONG:
        a64[(at >> 3) + row] = np.uint64(0)
    elif op == BOOLEAN:
        _clear_bit(a8, at, row)
    elif op in (BYTES, FIXED, STRING):
        for k in range(4):
            a32[((at + 16 * row) >> 2) + k] = np.uint32(0)


@_inlined
def _read_leaf(buf: Any, p: int, end: int, op: int, size: int, at: int, row: int, a8: Any, a32: Any, a64: Any) -> Any:
    """Read one scalar into its column; returns the next byte and an error."""
    if op == FLOAT:
        if p + 4 > end:
            return p, TRUNCATED
        a32[(at >> 2) + row] = _load32(buf, p)
        return p + 4, 0
    if op == DOUBLE:
        if p + 8 > end:
            return p, TRUNCATED
        low = np.uint64(_load32(buf, p))
        a64[(at >> 3) + row] = low | np.uint64(_load32(buf, p + 4)) << np.uint64(32)
        return p + 8, 0
    if op == LONG:
        value, p, error = _varint(buf, p, end)
        a64[(at >> 3) + row] = np.uint64(value)
        return p, error
    if op == BOOLEAN:
        return _read_boolean(buf, p, end, at, row, a8)
    if op in (INT, ENUM):
        value, p, error = _varint(buf, p, end)
        if error == 0 and (value < -2147483648 or value > 2147483647):
            error = WIDE_INT
        if error == 0 and op == ENUM and (value < 0 or value >= size):
            error = SYMBOL
        a32[(at >> 2) + row] = np.uint32(value)
        return p, error
    if op != FIXED:
        size, p, error = _varint(buf, p, end)
        if error != 0:
            return p, error
        if size < 0:
            return p, NEGATIVE
    if size > end - p:
        return p, TRUNCATED
    if op == STRING and not _is_ascii(buf, p, size) and not _is_utf8(buf, p, p + size):
        return p, NOT_TEXT
    _view(buf, p, size, a8, a32, at + 16 * row)
    return p + size, 0


@_inlined
def _is_ascii(buf: Any, p: int, size: int) -> Any:
    seen = np.uint8(0)
    for k in range(size):
        seen |= buf[p + k]
    return seen < np.uint8(0x80)


@part
def _is_utf8(buf: Any, p: int, end: int) -> Any:
    """Whether the bytes are UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing beyond U+10FFFF."""
    while p < end:
        lead = buf[p]
        more = 0 if lead < 0x80 else 1 if lead < 0xE0 else 2 if lead < 0xF0 else 3
        if 0x80 <= lead < 0xC2 or lead > 0xF4 or more >= end - p:
            return False
        for k in range(1, more + 1):
            if buf[p + k] & 0xC0 != 0x80:
                return False
        if more > 1 and not _FIRST_LOW[lead - 0xE0] <= buf[p + 1] <= _FIRST_HIGH[lead - 0xE0]:
            return False
        p += more + 1
    return True


@_inlined
def _read_boolean(buf: Any, p: int, end: int, at: int, row: int, a8: Any) -> Any:
    if p >= end:
        return p, TRUNCATED
    if buf[p] > 1:
        return p, NOT_BOOLEAN
    if buf[p] == 1:
        _set_bit(a8, at, row)
    else:
        _clear_bit(a8, at, row)
    return p + 1, 0


@_inlined
def _read_branch(buf: Any, p: int, end: int, null_index: int) -> Any:
    """Branch of a union of two, next byte and error; usually the one that is not null, in one byte."""
    if p < end and buf[p] == 2 - 2 * null_index:
        return 1 - null_index, p + 1, 0
    branch, p, error = _varint(buf, p, end)
    if error == 0 and branch != null_index and branch != 1 - null_index:
        error = BRANCH
    return branch, p, error


@_inlined
def _null_record(first: int, stop: int, row: int, columns: Any, data: Any, valid: Any, counts: Any,
                 a8: Any, a32: Any, a64: Any) -> None:  # fmt: skip
    """Null in all columns of a record that is null: those of its own level; arrays in it are empty."""
    column = first
    while column < stop:
        _clear_bit(a8, valid[column], row)
        if columns[4 * column] == ARRAY:
            a32[(data[column] >> 2) + row + 1] = np.uint32(counts[columns[4 * column + 2]])
        else:
            _write_null(columns[4 * column], data[column], row, a8, a32, a64)
        column = columns[4 * column + 3]


@_inlined
def _null_field(code: Any, pc: int, op: int, at: int, row: int, columns: Any, data: Any, valid: Any, counts: Any,
                a8: Any, a32: Any, a64: Any) -> None:  # fmt: skip
    """Null for the field at `pc`: a record with all below it, an array without items, or a plain value."""
    _clear_bit(a8, code[8 * pc + 7], row)
    if op == RECORD:
        _null_record(code[8 * pc + 3], code[8 * pc + 4], row, columns, data, valid, counts, a8, a32, a64)
    elif op == ARRAY:
        a32[(at >> 2) + row + 1] = np.uint32(counts[code[8 * pc + 3]])
    else:
        _write_null(op, at, row, a8, a32, a64)


@_inlined
def _read_count(buf: Any, p: int, end: int, min_bytes: int, empty: int) -> Any:
    """Items in an array's next block, next byte and error; items of `min_bytes` bytes each must fit into the packet.

    The number of items without bytes is bounded; `empty` is their number so far.
    """
    count, p, error = _varint(buf, p, end)
    if error == 0 and count < 0:
        _, p, error = _varint(buf, p, end)
        count = -count
    if error == 0 and (count < 0 or count > (_MAX_EMPTY_ITEMS - empty if min_bytes == 0 else (end - p) // min_bytes)):
        error = CROWDED
    return count, p, error


@_inlined
def _remember(scratch: Any, state: int, p: int, pc: int, row: int, depth: int, empty: int) -> None:
    scratch[state], scratch[state + 1], scratch[state + 2] = p, pc, row
    scratch[state + 3], scratch[state + 4] = depth, empty


@_inlined
def _read_packet(buf: Any, end: int, code: Any, columns: Any, data: Any, valid: Any, capacity: Any,
                 counts: Any, n_levels: int, a8: Any, a32: Any, a64: Any, frames: Any) -> Any:  # fmt: skip
    """Continue reading a packet; returns the byte after it, an error and -1, or rows needed, 0 and their level."""
    f_pc, f_row, f_left, state = n_levels, n_levels + _DEPTH, n_levels + 2 * _DEPTH, n_levels + 3 * _DEPTH
    p, pc, row, depth, empty = frames[state], frames[state + 1], frames[state + 2], frames[state + 3], frames[state + 4]
    while True:
        before_p, before_pc = p, pc
        op, null_index, at = code[8 * pc], code[8 * pc + 1], code[8 * pc + 6]
        if null_index >= 0:
            branch, p, error = _read_branch(buf, p, end, null_index)
            if error != 0:
                return p, error, -1
            if branch == null_index:
                _null_field(code, pc, op, at, row, columns, data, valid, counts, a8, a32, a64)
                pc = code[8 * pc + 5]
                continue
        if op > ITEM_END:
            p, error = _read_leaf(buf, p, end, op, code[8 * pc + 3], at, row, a8, a32, a64)
            if error != 0:
                return p, error, -1
            pc += 1
            continue
        if op == END:
            return p, 0, -1
        if op == RECORD:
            pc += 1
            continue
        if op == ARRAY:
            frames[f_pc + depth], frames[f_row + depth], frames[f_left + depth] = pc, row, 0
            depth += 1
        pc = frames[f_pc + depth - 1]
        level = code[8 * pc + 3]
        if op == ITEM_END:
            counts[level] += 1
            frames[f_left + depth - 1] -= 1
        if frames[f_left + depth - 1] == 0:
            count, p, error = _read_count(buf, p, end, code[8 * pc + 4], empty)
            if error != 0:
                return p, error, -1
            if counts[level] + count > capacity[level]:
                is_item = 1 if op == ITEM_END else 0  # undone, as it is done again when there is room
                frames[f_left + depth - 1] += is_item
                _remember(frames, state, before_p, before_pc, row, depth - 1 + is_item, empty)
                counts[level] -= is_item
                return counts[level] + is_item + count, 0, level
            empty += count if code[8 * pc + 4] == 0 else 0
            frames[f_left + depth - 1] = count
            if count == 0:
                depth -= 1
                row = frames[f_row + depth]
                a32[(code[8 * pc + 6] >> 2) + row + 1] = np.uint32(counts[level])
                pc = code[8 * pc + 5]
                continue
        row = counts[level]
        pc += 1


@_inlined
def _begin(start: int, counts: Any, n_levels: int, scratch: Any) -> None:
    """The state before a packet: how many rows there are, and that reading begins at its first byte."""
    for level in range(n_levels):
        scratch[level] = counts[level]
    _remember(scratch, n_levels + 3 * _DEPTH, start, 0, counts[0], 0, 0)


def new_state(n_levels: int) -> NDArray[np.int64]:
    """Room for the state of a packet in work: rows before it, frames of open arrays, and where it stands."""
    return np.zeros(n_levels + 3 * _DEPTH + 5, np.int64)


@part
def _run(buf: Any, starts: Any, stops: Any, first: int, how: int, code: Any, columns: Any, data: Any, valid: Any,
         capacity: Any, counts: Any, a8: Any, a32: Any, a64: Any, errors: Any, ends: Any, scratch: Any,
         sizes: Any) -> tuple[int, int]:  # fmt: skip
    """The loop of `run` over plain pointers."""
    size_of_buf, n_packets, n_columns, n_levels = sizes
    for i in range(first, n_packets):
        if i > first or how == FRESH:
            _begin(starts[i] if starts[i] >= 0 else ends[i - 1], counts, n_levels, scratch)
        end = stops[i] if stops[i] >= 0 else size_of_buf
        if i == first and how == ABANDON:
            p, error, full = scratch[n_levels + 3 * _DEPTH], TOO_LARGE, GROWN
        else:
            p, error, full = _read_packet(buf, end, code, columns, data, valid, capacity, counts, n_levels,
                                          a8, a32, a64, scratch)  # fmt: skip
        ends[i] = p
        if full >= 0:
            return i, full
        if error == 0 and stops[i] >= 0 and p != end:
            error = LEFTOVER
        errors[i] = error
        if error == 0:
            counts[0] += 1
            continue
        _roll_back(columns, n_columns, valid, scratch, counts, n_levels, a8)
        if stops[i] < 0:
            return i + 1, GROWN
    return n_packets, GROWN


@kernel
def run(buf: Any, starts: Any, stops: Any, first: int, how: int, code: Any, columns: Any, data: Any, valid: Any,
        capacity: Any, counts: Any, a8: Any, a32: Any, a64: Any, errors: Any, ends: Any,
        state: Any) -> tuple[int, int]:  # fmt: skip
    """Decode packets from `first` on; return (packet, level to grow or -1), and in ends[packet] the rows it needs.

    ``data`` and ``valid`` are the byte offsets of each column's values and validity bits in the arena ``a8``
    (seen as 4- and 8-byte words through ``a32`` and ``a64``). ``errors`` gets a code per packet and ``ends`` the byte
    where reading stopped. A start of -1 means where the packet before ended, a stop of -1 wherever the datum does.
    ``how`` is FRESH, or after a stop for lack of room RESUME or ABANDON, with the ``state`` as it was left.
    """
    sizes = buf.shape[0], starts.shape[0], columns.shape[0], counts.shape[0]
    return _run(_pointer(buf), _pointer(starts), _pointer(stops), first, how, _pointer(code), _pointer(columns),
                _pointer(data), _pointer(valid), _pointer(capacity), _pointer(counts), _pointer(a8), _pointer(a32),
                _pointer(a64), _pointer(errors), _pointer(ends), _pointer(state), sizes)  # fmt: skip
