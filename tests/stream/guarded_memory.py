"""Memory whose next byte cannot be touched: a read beyond it ends the process."""

from __future__ import annotations

import ctypes
import mmap

import numpy as np
import pyarrow as pa

_LIBC = ctypes.CDLL(None, use_errno=True)


class GuardedMemory:
    """Room for `size` bytes between two pages that may be neither read nor written."""

    def __init__(self, size: int) -> None:
        page = mmap.PAGESIZE
        self._room = -(-size // page) * page
        self._map = mmap.mmap(-1, self._room + 2 * page)
        start = ctypes.addressof(ctypes.c_char.from_buffer(self._map))
        self._first, self._end = start + page, start + page + self._room
        for guard in (start, self._end):
            if _LIBC.mprotect(ctypes.c_void_p(guard), ctypes.c_size_t(page), 0):
                raise OSError(ctypes.get_errno(), "mprotect")

    def at_end(self, data: bytes) -> pa.Buffer:
        """`data` with its last byte just before the page behind."""
        return self._put(data, self._end - len(data))

    def at_start(self, data: bytes) -> pa.Buffer:
        """`data` with its first byte just after the page before."""
        return self._put(data, self._first)

    def _put(self, data: bytes, address: int) -> pa.Buffer:
        assert len(data) <= self._room
        ctypes.memmove(address, data, len(data))
        return pa.foreign_buffer(address, len(data), base=self)

    def touch_behind(self) -> int:
        """What must not work: the byte behind the memory."""
        return int(np.ctypeslib.as_array((ctypes.c_uint8 * 1).from_address(self._end))[0])
