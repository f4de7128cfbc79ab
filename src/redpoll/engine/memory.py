"""Memory that a worker process sees too, without a copy: an anonymous file, mapped on both sides."""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

_STEP = 1 << 22


class Outbox:
    """The side that writes: packets end to end, in a file that grows and is used again."""

    def __init__(self) -> None:
        if hasattr(os, "memfd_create"):
            self._fd = os.memfd_create("redpoll-block")
            self.path = f"/proc/{os.getpid()}/fd/{self._fd}"
        else:
            self._fd, self.path = tempfile.mkstemp(prefix="redpoll-block-")
        self._size = 0
        self._map: mmap.mmap | None = None

    def put(self, packets: Sequence[bytes]) -> tuple[int, NDArray[np.int64]]:
        """Lay the packets out; returns the size of the file and the offsets of the packets in it."""
        offsets = np.cumsum([0, *map(len, packets)])
        needed = int(offsets[-1])
        if needed > self._size or self._map is None:
            self._grow(needed)
        assert self._map is not None
        for start, packet in zip(offsets, packets, strict=False):
            self._map[start : start + len(packet)] = packet
        return self._size, offsets

    def _grow(self, needed: int) -> None:
        self._size = (needed // _STEP + 1) * _STEP
        os.ftruncate(self._fd, self._size)
        if self._map is not None:
            self._map.close()
        self._map = mmap.mmap(self._fd, self._size)

    def close(self) -> None:
        """Give the memory back."""
        if self._map is not None:
            self._map.close()
        os.close(self._fd)
        if not hasattr(os, "memfd_create"):
            Path(self.path).unlink()


class Inbox:
    """The side that reads."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._size = 0
        self._buffer: pa.Buffer | None = None

    def get(self, size: int) -> pa.Buffer:
        """The first `size` bytes, as an Arrow buffer over the shared memory."""
        if size != self._size or self._buffer is None:
            with Path(self._path).open("rb") as file:
                self._buffer = pa.py_buffer(mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ))
            self._size = size
        return self._buffer
