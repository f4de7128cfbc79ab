"""A file that Arrow's writers can write to, whether or not it can seek."""

from __future__ import annotations

from typing import Any, BinaryIO


class ByteSink:
    """Counts what it passes on, so that a pipe has a position; closing it leaves the file open."""

    closed = False

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._n = file, 0

    def write(self, data: Any) -> int:
        """Write all bytes."""
        size = memoryview(data).nbytes
        self._file.write(data)
        self._n += size
        return size

    def tell(self) -> int:
        """Bytes written."""
        return self._n

    def flush(self) -> None:
        """Pass the bytes on to the operating system."""
        self._file.flush()

    def close(self) -> None:
        """Leave the file open: its owner closes it."""
        self.closed = True

    def writable(self) -> bool:
        """Yes."""
        return True

    def readable(self) -> bool:
        """No."""
        return False

    def seekable(self) -> bool:
        """No."""
        return False
