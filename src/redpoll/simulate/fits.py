"""FITS images as bytes, with one header for many images."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from isal import igzip
from numpy.typing import NDArray

_BLOCK = 2880


def fits_header(shape: tuple[int, int], unit: str, cards: Mapping[str, float | str] | None = None) -> bytes:
    """Header of a 32-bit image of this shape (rows, columns), padded to whole blocks."""
    rows, columns = shape
    lines = [
        _card("SIMPLE", "T"),
        _card("BITPIX", "-32"),
        _card("NAXIS", "2"),
        _card("NAXIS1", str(columns)),
        _card("NAXIS2", str(rows)),
        f"BUNIT   = '{unit:<8}'",
    ]
    for name, value in (cards or {}).items():
        lines.append(f"{name:<8}= '{value:<8}'" if isinstance(value, str) else _card(name, f"{value:.13G}"))
    text = "".join(f"{line:<80}" for line in [*lines, "END"])
    return text.ljust(-(-len(text) // _BLOCK) * _BLOCK).encode("ascii")


def fits_bytes(header: bytes, image: NDArray[np.float32]) -> bytes:
    """A header and its image, padded to whole blocks."""
    data = image.astype(">f4").tobytes()
    return header + data + bytes(-len(data) % _BLOCK)


def gzipped(data: bytes) -> bytes:
    """Gzip without a time in its header, so that the same image gives the same bytes."""
    compressed: bytes = igzip.compress(data, 1, mtime=0)
    return compressed


def _card(name: str, value: str) -> str:
    return f"{name:<8}= {value:>20}"
