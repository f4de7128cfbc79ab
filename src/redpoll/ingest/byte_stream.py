"""Sequential reader of bytes that delivers everything before damage and keeps the reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from isal.igzip_lib import IsalError

MAX_PACKET_BYTES = 64 << 20
_CHUNK = 256 << 10
DAMAGE = (OSError, EOFError, cast(type[Exception], IsalError))


class ByteStream:
    """Buffers the bytes of `read(n)`, which may return fewer bytes, and none at the end.

    An ``OSError``, ``EOFError`` or ``IsalError`` of `read` ends the stream, and its message is kept in ``damage``.

    >>> import io
    >>> stream = ByteStream(io.BytesIO(b"abcdef").read)
    >>> stream.peek(2), stream.take(4), stream.take(4)
    (b'ab', b'abcd', b'ef')
    """

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read, self._held, self._at, self._ended = read, b"", 0, False
        self.damage = ""

    def peek(self, n: int) -> bytes:
        """The next `n` bytes without consuming them; fewer only at the end."""
        if len(self._held) - self._at < n:
            self._fill(n)
        return self._held[self._at : self._at + n]

    def take(self, n: int) -> bytes:
        """Consume and return the next `n` bytes; fewer only at the end."""
        out = self.peek(n)
        self._at += len(out)
        return out

    def skip(self, n: int) -> int:
        """Consume `n` bytes without keeping them; returns how many there were."""
        left = n
        while left and (passed := len(self.take(min(left, _CHUNK)))):
            left -= passed
        return n - left

    def _fill(self, n: int) -> None:
        parts = [self._held[self._at :]]
        size = len(parts[0])
        while size < n and (chunk := self._chunk()):
            parts.append(chunk)
            size += len(chunk)
        self._held, self._at = b"".join(parts), 0

    def _chunk(self) -> bytes:
        chunk = b""
        if not self._ended:
            try:
                chunk = self._read(_CHUNK)
            except DAMAGE as error:
                self.damage = str(error)
        self._ended = not chunk
        return chunk
