"""Pixels of a cutout: gunzipped and read within bounds, because the bytes come from outside."""

from __future__ import annotations

import re
import zlib

import numpy as np
from numpy.typing import NDArray

from redpoll.errors import PacketError

MAX_BYTES = 16_000_000
"""Largest cutout, uncompressed."""
_CARD, _BLOCK, _MAX_CARDS = 80, 2880, 3600
_INTEGER = re.compile(r"-?[0-9]{1,19}")
_DTYPES = {"8": ">u1", "16": ">i2", "32": ">i4", "64": ">i8", "-32": ">f4", "-64": ">f8"}


def fits_bytes(data: bytes) -> bytes:
    """The FITS file inside a cutout: gunzipped if need be, at most `MAX_BYTES`; PacketError if it is no gzip."""
    if data[:2] != b"\x1f\x8b":
        return data
    unzip = zlib.decompressobj(wbits=31)
    try:
        out = unzip.decompress(data, MAX_BYTES)
    except zlib.error as error:
        raise PacketError(f"the cutout is not a whole gzip stream: {error}") from error
    if unzip.unconsumed_tail or not unzip.eof:
        raise PacketError(f"the cutout is cut short, or more than {MAX_BYTES} bytes uncompressed")
    return out


def read_cutout(data: bytes) -> NDArray[np.float32]:
    """Pixels of a cutout, float32 (rows, columns), NaN where blank; the first row is the lowest.

    Raises
    ------
    PacketError
        If the bytes are no FITS file whose first image has two axes and is whole.
    """
    raw = fits_bytes(bytes(data))
    start = 0
    while True:
        cards, body = _header(raw, start)
        shape, dtype = _shape(cards), _dtype(cards)
        size = int(np.prod(shape)) * dtype.itemsize if shape else 0
        if len(shape) == 2 and size:
            return _pixels(raw, body, shape, dtype, cards)
        start = body + -(-size // _BLOCK) * _BLOCK  # a first unit without an image: look in the next
        if size > MAX_BYTES or start >= len(raw):
            raise PacketError("the cutout's FITS file has no image with two axes")


def _header(raw: bytes, start: int) -> tuple[dict[str, str], int]:
    cards: dict[str, str] = {}
    for i in range(_MAX_CARDS):
        card = raw[start + i * _CARD : start + (i + 1) * _CARD]
        if len(card) < _CARD:
            raise PacketError("the cutout's FITS header has no end")
        key = card[:8].decode("ascii", "replace").strip()
        if key == "END":
            return cards, start + -(-(i + 1) * _CARD // _BLOCK) * _BLOCK
        if i == 0 and start == 0 and key != "SIMPLE":
            raise PacketError("the cutout is not a FITS file")
        if card[8:10] == b"= ":
            cards[key] = card[10:].decode("ascii", "replace").split("/")[0].strip()
    raise PacketError("the cutout's FITS header is too long")


def _shape(cards: dict[str, str]) -> tuple[int, ...]:
    n_axes = _integer(cards, "NAXIS", 0, 9)
    return tuple(_integer(cards, f"NAXIS{i}", 0, 100_000) for i in range(n_axes, 0, -1))


def _integer(cards: dict[str, str], key: str, low: int, high: int) -> int:
    text = cards.get(key, "")
    if not text.isascii() or not text.isdigit() or len(text) > 9 or not low <= int(text) <= high:
        raise PacketError(f"the cutout's FITS header has {key} = {text[:20]!r}")
    return int(text)


def _dtype(cards: dict[str, str]) -> np.dtype:
    code = cards.get("BITPIX", "")
    if code not in _DTYPES:
        raise PacketError(f"the cutout's FITS header has BITPIX = {code[:20]!r}")
    return np.dtype(_DTYPES[code])


def _pixels(
    raw: bytes, start: int, shape: tuple[int, ...], dtype: np.dtype, cards: dict[str, str]
) -> NDArray[np.float32]:
    n = int(np.prod(shape))
    if start + n * dtype.itemsize > len(raw):
        raise PacketError("the cutout's image is cut short")
    stored = np.frombuffer(raw, dtype, n, start).reshape(shape)
    try:
        scale, zero = float(cards.get("BSCALE", "1")), float(cards.get("BZERO", "0"))
    except ValueError as error:
        raise PacketError("the cutout's FITS header has no number in BSCALE or BZERO") from error
    with np.errstate(over="ignore", invalid="ignore"):
        pixels = (stored * scale + zero).astype(np.float32)
        if dtype.kind in "iu" and _INTEGER.fullmatch(cards.get("BLANK", "")):
            pixels[stored == int(cards["BLANK"])] = np.nan
    pixels[~np.isfinite(pixels)] = np.nan
    return pixels
