"""Bytes of a file that a stranger wrote: read front to back, gunzipped if need be, and never more than agreed."""

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
    """Reads a stream of bytes, named `where` in errors, up to `max_bytes` of what comes out of the gunzip.

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
        """The next `n` bytes, or all there are, without going on."""
        if len(self._head) < n:
            self._head += self._take(n - len(self._head))
        return self._head[:n]

    def read(self, n: int) -> bytes:
        """The next `n` bytes, or all there are.

        Raises
        ------
        SkyFileError
            If the stream is damaged, or more comes out of it than was agreed.
        """
        start, self._head = self._head[:n], self._head[n:]
        return start + self._take(n - len(start)) if len(start) < n else start

    def skip(self, n: int) -> None:
        """Go on by `n` bytes, or to the end."""
        while n > 0 and (got := len(self.read(min(n, 1 << 20)))):
            n -= got

    def rest(self) -> bytes:
        """All that follows."""
        return self.read(self._left + len(self._head) + 1)

    def expect(self, n: int) -> None:
        """SkyFileError if `n` more bytes are more than was agreed."""
        if n > self._left + len(self._head):
            raise SkyFileError(
                f"{self.where}: says that it holds {n:,} bytes more; at most {self._max:,} are read (uncompressed). "
                "If that is true, write it smaller, such as a map or region with coarser cells"
            )

    def _take(self, n: int) -> bytes:
        """Piece by piece: memory is taken for bytes that are there, not for those that are asked for."""
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
    """A reader of the file; SkyFileError if it is not there or cannot be opened."""
    try:
        stream = path.open("rb")
    except OSError as error:
        raise SkyFileError(f"{path}: cannot be read: {error.strerror}; look at the path") from error
    with stream:
        yield BoundedReader(stream, str(path), max_bytes)


def fingerprint(path: Path) -> str:
    """Twelve hexadecimal digits that change with the file's content; SkyFileError if it cannot be read."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()[:12]
    except OSError as error:
        raise SkyFileError(f"{path}: cannot be read: {error.strerror}; look at the path") from error


def reader_of(data: bytes, where: str, max_bytes: int) -> BoundedReader:
    """A reader of bytes at hand."""
    return BoundedReader(io.BytesIO(data), where, max_bytes)
