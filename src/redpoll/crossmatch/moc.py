"""Readers of regions: multi-order coverage maps (MOC) in each form of the standard, with bounds.

References
----------
Fernique et al. 2022, IVOA Recommendation "MOC: HEALPix Multi-Order Coverage map" 2.0.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll.astro.sky import ORDER
from redpoll.crossmatch.bounded_file import BoundedReader, open_bounded
from redpoll.crossmatch.cells import Cells, from_uniq, merged, spans
from redpoll.crossmatch.errors import SkyFileError
from redpoll.crossmatch.fits_table import BinaryTable, open_fits_table
from redpoll.crossmatch.stcs import looks_like_stcs, parse_stcs

MAX_BYTES = 128 << 20
"""Maximum size of a FITS file of a region, uncompressed."""
MAX_TEXT = 32 << 20
"""Maximum length of the text of a region."""
MAX_CELLS = 8_000_000
"""Maximum number of cells or ranges of a region."""
FRAMES = ("", "C", "ICRS", "EQUATORIAL", "CELESTIAL")
"""Names of the supported frame, ICRS."""
_ROWS = 1 << 18
_STARTS = re.compile(r"s?\s*\d")
_TOKEN = re.compile(r"(\d{1,19})(?:(/)|(?:-(\d{1,19}))?(?=[\s,]|$))", re.ASCII)


def read_region(path: Path) -> Cells:
    """Ranges [start, stop) of order-29 cells of the region in a file: sorted, merged, int64 of shape (n, 2).

    The file may be a MOC as FITS (NUNIQ or ranges), JSON or text, or STC-S text of a circle, a polygon or a union of
    them; gzipped or not.

    Raises
    ------
    SkyFileError
        If it is none of these, too large, damaged or invalid.
    """
    with open_bounded(path, MAX_BYTES) as reader:
        try:
            return _ranges(reader)
        except ValueError as error:
            raise SkyFileError(f"{path}: {error}; correct the region or make it again") from error


def parse_moc(text: str) -> Cells:
    """Ranges of a MOC in text form: orders before a slash, cells and ranges of cells after it.

    Raises
    ------
    ValueError
        If the text is invalid.

    Examples
    --------
    >>> (parse_moc("1/0 2-3 29/864691128455135232") >> 56).tolist()
    [[0, 1], [2, 4], [12, 12]]
    """
    starts: list[int] = []
    stops: list[int] = []
    shift = None
    for number, upto in _tokens(text):
        if upto is None:
            shift = _shift(number)
        elif shift is None:
            raise ValueError(f"'{number}' stands before any order; write it as ORDER/CELLS, such as 3/17,20-25")
        else:
            starts.append(number << shift)
            stops.append((upto + 1) << shift)
        if len(starts) > MAX_CELLS:
            raise ValueError(f"more than {MAX_CELLS:,} cells")
    return _merged_lists(starts, stops)


def _tokens(text: str) -> Iterator[tuple[int, int | None]]:
    """Orders as (order, None), cells as (first, last)."""
    at = 1 if text[:1] == "s" else 0
    text = text.rstrip()
    while at < len(text):
        if text[at] in ", \t\r\n":
            at += 1
            continue
        found = _TOKEN.match(text, at)
        if found is None:
            raise ValueError(f"'{text[at : at + 20]}' is neither an order nor a cell (character {at + 1})")
        number = int(found[1])
        yield number, None if found[2] else int(found[3] or number)
        at = found.end()


def _shift(order: int) -> int:
    if not 0 <= order <= ORDER:
        raise ValueError(f"order {order} is not one of 0 to {ORDER}")
    return 2 * (ORDER - order)


def _merged_lists(starts: list[int], stops: list[int]) -> Cells:
    if any(stop >= 1 << 63 for stop in stops) or any(start >= 1 << 63 for start in starts):
        raise ValueError("a cell lies beyond the last of its order")
    return merged(np.array(starts, np.int64), np.array(stops, np.int64))


def _ranges(reader: BoundedReader) -> Cells:
    head = reader.head(80)
    if head.startswith(b"SIMPLE  ="):
        return _from_fits(open_fits_table(reader))
    text = _decoded(reader)
    if text.startswith("{"):
        return _from_json(text)
    if looks_like_stcs(text):
        return parse_stcs(text)
    if not _STARTS.match(text):
        raise ValueError("is not a region: neither a MOC (FITS, JSON, text) nor a circle or polygon in STC-S")
    return parse_moc(text)


def _decoded(reader: BoundedReader) -> str:
    data = reader.read(MAX_TEXT + 1)
    if len(data) > MAX_TEXT:
        raise ValueError(f"more than {MAX_TEXT >> 20} MB of text; write it as FITS")
    try:
        return data.decode("ascii").strip()
    except UnicodeDecodeError as error:
        raise ValueError("is not a region: neither FITS nor text") from error


def _from_json(text: str) -> Cells:
    """``{"order": [cells]}``."""
    try:
        tree = json.loads(text)
    except RecursionError as error:
        raise ValueError("JSON nested too deeply") from error
    found = [_of_order(order, cells) for order, cells in tree.items()]
    if sum(len(cells) for cells, _ in found) > MAX_CELLS:
        raise ValueError(f"more than {MAX_CELLS:,} cells")
    starts = [cells << shift for cells, shift in found]
    stops = [(cells + 1) << shift for cells, shift in found]
    return merged(np.concatenate([np.empty(0, np.int64), *starts]), np.concatenate([np.empty(0, np.int64), *stops]))


def _of_order(order: str, cells: Any) -> tuple[Cells, int]:
    if not order.isascii() or not order.isdigit() or len(order) > 2:
        raise ValueError(f"'{order[:20]}' is not an order; a MOC in JSON is like {{\"3\": [17, 20]}}")
    shift = _shift(int(order))
    if not isinstance(cells, list) or not all(type(cell) is int for cell in cells):
        raise ValueError(f"order {order}: its cells are not a list of integers")
    if any(not 0 <= cell < 12 << (2 * int(order)) for cell in cells):
        raise ValueError(f"order {order}: a cell lies beyond the last of the order, or is negative")
    return np.array(cells, np.int64), shift


def _from_fits(table: BinaryTable) -> Cells:
    if (frame := table.text("COORDSYS")) not in FRAMES:
        raise ValueError(f"COORDSYS is {frame[:20]!r}; only ICRS (C) is read: convert the region")
    if table.text("MOCDIM", "SPACE") != "SPACE":
        raise ValueError(f"MOCDIM is {table.text('MOCDIM')[:20]!r}; only regions in space are read")
    column, ordering = table.names[0], table.text("ORDERING")
    if table.n_rows * table.repeat(column) > 2 * MAX_CELLS:
        raise ValueError(f"NAXIS2 gives more than {MAX_CELLS:,} cells")
    parts = [chunk for (chunk,) in table.chunks([column], _ROWS)]
    numbers = np.concatenate([np.empty(0, np.int64), *parts])
    if numbers.dtype.kind != "i":
        raise ValueError(f"column {column} does not hold integers")
    return _from_numbers(numbers, ordering)


def _from_numbers(numbers: NDArray[np.int64], ordering: str) -> Cells:
    if ordering in ("NUNIQ", ""):
        starts, orders = from_uniq(numbers)
        return merged(starts, starts + spans(orders))
    if ordering != "RANGE":
        raise ValueError(f"ORDERING is {ordering[:20]!r}; a region has NUNIQ or RANGE")
    if len(numbers) % 2:
        raise ValueError("its ranges have a start without an end (an odd number of values)")
    return merged(numbers[::2], numbers[1::2])
