"""Pixels of a cutout as a grey image, with the stretches that the page applies in the browser, and as a PNG file."""

from __future__ import annotations

import struct
import zlib
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Stretch = Literal["asinh", "linear"]
PERCENTILES = (0.5, 99.95)
_SOFTENING = 0.1  # fraction of the range where asinh turns from linear to logarithmic
_NO_DATA = 65535


def span(pixels: NDArray[np.float32]) -> tuple[float, float]:
    """The 0.5 and 99.95 percentiles of the known pixels; (0, 1) where there are none or they are all the same."""
    known = pixels[np.isfinite(pixels)].astype(np.float64)
    if not known.size:
        return 0.0, 1.0
    low, high = (float(x) for x in np.percentile(known, PERCENTILES))
    return (low, high) if high > low else (low, low + 1.0)


def quantised(pixels: NDArray[np.float32]) -> tuple[NDArray[np.uint16], float, float]:
    """Pixels as uint16 from 0 (`low`) to 65534 (`high`), clipped to `span`; 65535 where unknown."""
    low, high = span(pixels)
    scaled = np.clip((pixels.astype(np.float64) - low) / (high - low), 0, 1) * (_NO_DATA - 1)
    return np.where(np.isfinite(scaled), np.rint(scaled), _NO_DATA).astype("<u2"), low, high


def grey(pixels: NDArray[np.float32], stretch: Stretch = "asinh") -> NDArray[np.uint8]:
    """Pixels as 0 (black) to 255 (white), first row at the top; unknown ones are mid grey."""
    low, high = span(pixels)
    unit = np.clip((pixels.astype(np.float64) - low) / (high - low), 0, 1)
    if stretch == "asinh":
        unit = np.arcsinh(unit / _SOFTENING) / np.arcsinh(1 / _SOFTENING)
    return np.where(np.isfinite(unit), np.rint(unit * 255), 128).astype(np.uint8)[::-1]


def grey_png(image: NDArray[np.uint8]) -> bytes:
    """PNG file of an 8-bit grey image (rows, columns), first row at the top.

    >>> grey_png(np.zeros((2, 3), np.uint8))[:4]
    b'\\x89PNG'
    """
    height, width = image.shape
    rows = np.hstack([np.zeros((height, 1), np.uint8), image])  # each row starts with its filter type: none
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = (_chunk(b"IHDR", header), _chunk(b"IDAT", zlib.compress(rows.tobytes(), 9)), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
