"""Sequential reader of untrusted files, gunzipped if needed, with a maximum number of bytes."""

from __future__ import annotations

import hashlib
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from isal import igzip, igzip_lib

from redpoll.crossmatch.errors import SkyFileError

_GZIP, _PIECE = b"\x1f\x8b", 16 << 20
_DAMAGE = (EOFError, OSError, zlib.error, cast(type[Exception], igzip_lib.IsalError))


class BoundedReader:
    """Reads up to `max_bytes` uncompressed bytes of a stream, named `where` in errors.

    >>> import gzip
    >>> reader = BoundedReader(io.BytesIO(gzip.compress(b"SIMPLE  =")), "map.fits.gz", 1000)
    >>> reader.head(6), reader.read(100), reader.read(100)
    (b'SIMPLE', b'SIMPLE  =', b'')
    """

    def __init__(self, stream: BinaryIO, where: str, max_bytes: int) -> None:
        start = stream.read(len(_GZIP))
        stream.seek(0)
        self.where = where
        unzipped = igzip.open(stream) if start == _GZIP else stream  # type: ignore[no-untyped-call]  # isal is untyped here
        self._stream = cast(BinaryIO, unzipped)
        self._left, self._max = max_bytes, max_bytes
        self._head = b""

    def head(self, n: int) -> bytes:
        """The next `n` bytes, or all that remain, without consuming them."""
        if len(self._head) < n:
            self._head += self._take(n - len(self._head))
        return self._head[:n]

    def read(self, n: int) -> bytes:
        """Consume and return the next `n` bytes, or all that remain.

        Raises
        ------
        SkyFileError
            If the stream is damaged or has more than the maximum bytes.
        """
        start, self._head = self._head[:n], self._head[n:]
        return start + self._take(n - len(start)) if len(start) < n else start

    def skip(self, n: int) -> None:
        """Consume `n` bytes, or all that remain."""
        while n > 0 and (got := len(self.read(min(n, 1 << 20)))):
            n -= got

    def rest(self) -> bytes:
        """Consume and return all remaining bytes."""
        return self.read(self._left + len(self._head) + 1)

    def expect(self, n: int) -> None:
        """Raise SkyFileError if `n` more bytes exceed the maximum."""
        if n > self._left + len(self._head):
            raise SkyFileError(
                f"{self.where}: has {n:,} more bytes by its header; at most {self._max:,} are read (uncompressed). "
                "Write a smaller file, such as a map or region with coarser cells"
            )

    def _take(self, n: int) -> bytes:
        """Read in pieces, so that memory is used only for existing bytes."""
        pieces: list[bytes] = []
        while n > 0 and (piece := self._piece(min(n, _PIECE))):
            pieces.append(piece)
            n -= len(piece)
        return b"".join(pieces)

    def _piece(self, n: int) -> bytes:
        try:
            data: bytes = self._stream.read(n)
        except _DAMAGE as error:
            raise SkyFileError(f"{self.where}: is cut short or damaged ({error}); fetch it again") from error
        self._left -= len(data)
        if self._left < 0:
            self._left = 0
            self.expect(len(self._head) + 1)
        return data


@contextmanager
def open_bounded(path: Path, max_bytes: int) -> Iterator[BoundedReader]:
    """A reader of the file; SkyFileError if it does not exist or cannot be opened."""
    try:
        stream = path.open("rb")
    except OSError as error:
        raise SkyFileError(f"{path}: cannot be read: {error.strerror}; check the path") from error
    with stream:
        yield BoundedReader(stream, str(path), max_bytes)


def fingerprint(path: Path) -> str:
    """Twelve hexadecimal digits of the hash of a file; SkyFileError if it cannot be read."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()[:12]
    except OSError as error:
        raise SkyFileError(f"{path}: cannot be read: {error.strerror}; check the path") from error


def reader_of(data: bytes, where: str, max_bytes: int) -> BoundedReader:
    """A reader of bytes in memory."""
    return BoundedReader(io.BytesIO(data), where, max_bytes)
