"""Pixels of one cutout: a FITS file, gzipped or not, read within bounds because its bytes come from outside."""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import Any, NamedTuple, cast

import numpy as np
from isal.igzip_lib import DECOMP_GZIP, IgzipDecompressor, IsalError
from numpy.typing import NDArray

from redpoll.errors import PacketError

MAX_BYTES = 16_000_000
"""Maximum size of a cutout, uncompressed."""
_CARD, _BLOCK, _MAX_CARDS = 80, 2880, 3600
_GZIP, _END = b"\x1f\x8b", b"END".ljust(80)
_OF_THE_IMAGE = frozenset({b"BITPI", b"NAXIS", b"BSCAL", b"BZERO", b"BLANK"})
_INTEGER = re.compile(r"-?[0-9]{1,19}")
_DTYPES = {"8": ">u1", "16": ">i2", "32": ">i4", "64": ">i8", "-32": ">f4", "-64": ">f8"}
_DAMAGE = (EOFError, cast(type[Exception], IsalError))


class _Layout(NamedTuple):
    """The data behind a header: the axes of the array, slowest first, and how its numbers become pixels."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    scale: float
    zero: float
    blank: int | None

    @property
    def n_bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize if self.shape else 0


def fits_bytes(data: Any, max_bytes: int = MAX_BYTES) -> bytes | memoryview:
    """The FITS file in a cutout, gunzipped if need be; PacketError if it is damaged or larger than `max_bytes`."""
    view = memoryview(data)
    if bytes(view[:2]) != _GZIP:
        return view
    reader = IgzipDecompressor(flag=DECOMP_GZIP)
    try:
        out: bytes = reader.decompress(view, max_bytes)
    except _DAMAGE as error:
        raise PacketError(f"the cutout is not a whole gzip stream: {error}") from error
    if not reader.eof:
        raise PacketError(f"the cutout is cut short, or more than {max_bytes} bytes uncompressed")
    return out


def read_cutout(data: Any, *, max_bytes: int = MAX_BYTES, max_side: int = 100_000) -> NDArray[np.float32]:
    """Pixels of a cutout, float32 (rows, columns), NaN where blank; the first row is the lowest.

    Parameters
    ----------
    data
        A bytes-like object.
    max_bytes
        Maximum size, uncompressed.
    max_side
        Maximum side of the image [pixels].

    Raises
    ------
    PacketError
        If the bytes are not a FITS file with an image of two axes, or the first such image is cut short or too large.
    """
    raw = fits_bytes(data, max_bytes)
    if bytes(raw[:6]) != b"SIMPLE":
        raise PacketError("the cutout is not a FITS file")
    start = 0
    while True:
        header, body = _header(raw, start)
        layout = _layout(header, max_side)
        size = layout.n_bytes
        if len(layout.shape) == 2 and size:
            return _pixels(raw, body, layout)
        start = body + -(-size // _BLOCK) * _BLOCK  # a unit without an image: look in the next
        if size > MAX_BYTES or start >= len(raw):
            raise PacketError("the cutout's FITS file has no image with two axes")


def _header(raw: bytes | memoryview, start: int) -> tuple[bytes, int]:
    """The cards of the header at byte `start`, and the byte where its data begin."""
    for block in range(start, start + _MAX_CARDS * _CARD, _BLOCK):
        piece = bytes(raw[block : block + _BLOCK])
        at = piece.find(_END)
        while at >= 0 and at % _CARD:
            at = piece.find(_END, at + 1)
        if at >= 0:
            return bytes(raw[start : block + at]), block + _BLOCK
        if len(piece) < _BLOCK:
            raise PacketError("the cutout's FITS header has no end")
    raise PacketError("the cutout's FITS header is too long")


def _layout(header: bytes, max_side: int) -> _Layout:
    """The layout of the data behind a header; its cards that describe the image are often the same."""
    starts = range(0, len(header), _CARD)
    return _known_layout(
        b"".join(header[i : i + _CARD] for i in starts if header[i : i + 5] in _OF_THE_IMAGE), max_side
    )


@lru_cache(maxsize=64)
def _known_layout(header: bytes, max_side: int) -> _Layout:
    cards = _cards(header.decode("ascii", "replace"))
    n_axes = _integer(cards, "NAXIS", 9)
    shape = tuple(_integer(cards, f"NAXIS{i}", max_side) for i in range(n_axes, 0, -1))
    code = cards.get("BITPIX", "")
    if code not in _DTYPES:
        raise PacketError(f"the cutout's FITS header has BITPIX = {code[:20]!r}")
    try:
        scale, zero = float(cards.get("BSCALE", "1")), float(cards.get("BZERO", "0"))
    except ValueError as error:
        raise PacketError("the cutout's FITS header has no number in BSCALE or BZERO") from error
    blank = cards.get("BLANK", "")
    return _Layout(shape, np.dtype(_DTYPES[code]), scale, zero, int(blank) if _INTEGER.fullmatch(blank) else None)


def _cards(text: str) -> dict[str, str]:
    """Keys and values of cards."""
    cards = [text[i : i + _CARD] for i in range(0, len(text), _CARD)]
    return {card[:8].rstrip(): card[10:].partition("/")[0].strip() for card in cards if card[8:10] == "= "}


def _integer(cards: dict[str, str], key: str, high: int) -> int:
    text = cards.get(key, "")
    if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) > high:
        raise PacketError(f"the cutout's FITS header has {key} = {text[:20]!r}")
    return int(text)


def _pixels(raw: bytes | memoryview, start: int, layout: _Layout) -> NDArray[np.float32]:
    if start + layout.n_bytes > len(raw):
        raise PacketError("the cutout's image is cut short")
    stored = np.frombuffer(raw, layout.dtype, math.prod(layout.shape), start).reshape(layout.shape)
    if layout.dtype == ">f4" and (layout.scale, layout.zero) == (1.0, 0.0):  # as surveys send them
        return _finite(stored.astype(np.float32))
    with np.errstate(over="ignore", invalid="ignore"):
        pixels = (stored * layout.scale + layout.zero).astype(np.float32)
        if layout.dtype.kind in "iu" and layout.blank is not None:
            pixels[stored == layout.blank] = np.nan
    return _finite(pixels)


def _finite(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    is_finite = np.isfinite(pixels)
    if not is_finite.all():
        pixels[~is_finite] = np.nan
    return pixels
