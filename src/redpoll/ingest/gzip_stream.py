"""Streaming gunzip that returns every byte before damage (the readers of Python and isal drop the last ones)."""

from __future__ import annotations

from collections.abc import Callable

from isal.igzip_lib import DECOMP_GZIP, IgzipDecompressor

_CHUNK = 256 << 10


class GzipReader:
    """Gunzips the bytes of `read(n)`; consecutive members are one stream.

    >>> import gzip, io
    >>> GzipReader(io.BytesIO(gzip.compress(b"abc") + gzip.compress(b"def")).read).read(100)
    b'abc'
    """

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self._member = IgzipDecompressor(flag=DECOMP_GZIP)
        self._rest = b""

    def read(self, n: int) -> bytes:
        """At least one and at most `n` bytes, or none at the end.

        Raises
        ------
        EOFError
            If the input ends within a member, or something that is not gzip follows one.
        isal.igzip_lib.IsalError
            If a member is damaged or its checksum is wrong.
        """
        while True:
            if self._member.eof and not self._next_member():
                return b""
            out: bytes = self._member.decompress(self._input(), n)
            if out:
                return out

    def _input(self) -> bytes:
        if self._rest or not self._member.needs_input:
            data, self._rest = self._rest, b""
            return data
        data = self._read(_CHUNK)
        if not data:
            raise EOFError("the gzip stream ends early: it is truncated")
        return data

    def _next_member(self) -> bool:
        """Start the next member; returns False at the end. Padding zeros are skipped."""
        rest = self._member.unused_data
        while not (rest := rest.lstrip(b"\0")):
            if not (rest := self._read(_CHUNK)):
                return False
        rest = rest if len(rest) > 1 else rest + self._read(1)
        if not rest.startswith(b"\x1f\x8b"):
            raise EOFError("bytes that are not gzip follow the gzip stream")
        self._member, self._rest = IgzipDecompressor(flag=DECOMP_GZIP), rest
        return True
