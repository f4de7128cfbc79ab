"""Reader of flat HEALPix maps, in pieces; equal neighbouring pixels are merged to larger cells.

Most pixels of a large flat map are equal to their neighbours: an nside-1024 map of a gravitational wave, 400 MB, is
often a few thousand multi-order cells. Only one piece of the flat map is in memory at a time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from healpix_geo import nested
from numpy.typing import NDArray

from redpoll.astro.sky import ORDER
from redpoll.crossmatch.cells import Cells, spans
from redpoll.crossmatch.errors import SkyFileError
from redpoll.crossmatch.fits_table import BinaryTable

MAX_CELLS = 12 * 4**10
"""Maximum number of cells of a map after merging: that of a flat map of nside 1024."""
_MAX_RING_BYTES = 512 << 20
_MAX_ORDER = 13
_PIECE = 4**9
_MAX_IN_CELL = 1e-4
Floats = NDArray[Any]
Piece = tuple[Cells, NDArray[np.uint8], list[Floats]]


def read_flat(table: BinaryTable, names: Sequence[str]) -> Piece:
    """Cells of a flat map: first order-29 cell, order, and the columns `names`.

    Raises
    ------
    ValueError, SkyFileError
        If NSIDE, ORDERING and the number of pixels do not fit together, or the map has too many different cells.
    """
    order = flat_order(table, names[0])
    ordering = table.text("ORDERING")
    if ordering == "NESTED":
        pieces = _nested_pieces(table, names)
    elif ordering == "RING":
        pieces = _ring_pieces(table, names, order)
    else:
        raise ValueError(f"ORDERING is {ordering[:20]!r}; NESTED, RING or NUNIQ is needed")
    return _divided(_gathered(pieces, order, table.where), order)


def flat_order(table: BinaryTable, name: str) -> int:
    """The order of the pixels; ValueError unless NSIDE is a power of two that fits the number of pixels."""
    n_pixels = table.n_rows * table.repeat(name)
    nside = table.count("NSIDE") if "NSIDE" in table.header else round((n_pixels / 12) ** 0.5)
    order = order_of_nside(nside)
    if n_pixels != 12 * nside**2:
        raise ValueError(f"NSIDE {nside} has {12 * nside**2:,} pixels, but column {name} has {n_pixels:,}")
    return order


def order_of_nside(nside: int) -> int:
    """Order of a resolution; ValueError if it is not a power of two from 1 to 8192.

    >>> order_of_nside(1024)
    10
    """
    order = nside.bit_length() - 1
    if nside < 1 or nside != 1 << order or order > _MAX_ORDER:
        raise ValueError(f"NSIDE is {nside}; a power of two from 1 to {1 << _MAX_ORDER} is needed")
    return order


def _nested_pieces(table: BinaryTable, names: Sequence[str]) -> Iterator[list[Floats]]:
    repeat = table.repeat(names[0])
    if any(table.repeat(name) != repeat for name in names):
        raise ValueError("its columns have different numbers of pixels in a row")
    if _PIECE % repeat and table.n_rows * repeat > 12 * _PIECE:
        raise ValueError(f"it has {repeat} pixels in a row; write it with 1 or 1024")
    rows = _PIECE // repeat if _PIECE % repeat == 0 else table.n_rows
    return table.chunks(names, rows)


def _ring_pieces(table: BinaryTable, names: Sequence[str], order: int) -> Iterator[list[Floats]]:
    """Read the columns completely, then yield them in pieces of nested pixels."""
    n_pixels, repeat = 12 * 4**order, table.repeat(names[0])
    columns: list[Floats] = []
    filled = 0
    for chunk in table.chunks(names, max(1, _PIECE // repeat)):
        if sum(values.itemsize for values in chunk) * n_pixels > _MAX_RING_BYTES:
            raise ValueError(f"in RING ordering its columns are more than {_MAX_RING_BYTES >> 20} MB; write it NESTED")
        columns = columns or [np.empty(n_pixels, values.dtype) for values in chunk]
        for column, values in zip(columns, chunk, strict=True):
            column[filled : filled + len(values)] = values
        filled += len(chunk[0])
    for first in range(0, n_pixels, _PIECE):
        pixels = np.arange(first, min(first + _PIECE, n_pixels), dtype=np.uint64)
        ring = nested.to_ring(pixels, order, num_threads=1)
        yield [values[ring] for values in columns]


def _gathered(pieces: Iterator[list[Floats]], order: int, where: str) -> Piece:
    found: list[Piece] = []
    first = 0
    for values in pieces:
        found += merge_equal(first, order, values)
        first += len(values[0])
        n_cells = sum(len(cells) for cells, _, _ in found)
        if n_cells > MAX_CELLS:
            raise SkyFileError(
                f"{where}: has more than {MAX_CELLS:,} different cells; write it with a smaller NSIDE or multi-order"
            )
    n_columns = len(found[0][2]) if found else 0
    return (
        np.concatenate([cells for cells, _, _ in found]) if found else np.empty(0, np.int64),
        np.concatenate([orders for _, orders, _ in found]) if found else np.empty(0, np.uint8),
        [np.concatenate([values[k] for _, _, values in found]) for k in range(n_columns)],
    )


def merge_equal(first: int, order: int, values: Sequence[Floats]) -> list[Piece]:
    """Nested pixels from `first` on, merged to larger cells where four siblings are equal in all columns.

    >>> [(cells >> 56, orders, v[0]) for cells, orders, v in merge_equal(4, 1, [np.array([7.0, 7.0, 7.0, 7.0])])]
    [(array([4]), array([0], dtype=uint8), array([7.]))]
    """
    found: list[Piece] = []
    columns = list(values)
    is_whole: NDArray[np.bool_] = np.ones(len(values[0]), bool)
    while order > 0 and len(is_whole) % 4 == 0 and first % 4 == 0:
        quads = [column.reshape(-1, 4) for column in columns]
        equal = np.asarray(is_whole.reshape(-1, 4).all(axis=1))
        for quad in quads:
            for k in (1, 2, 3):
                equal &= quad[:, k] == quad[:, 0]
        found += _kept(first, order, columns, is_whole & ~np.repeat(equal, 4))
        columns, is_whole = [quad[:, 0] for quad in quads], equal
        first, order = first // 4, order - 1
        if not equal.any():
            return found
    return found + _kept(first, order, columns, is_whole)


def _divided(cells: Piece, finest: int) -> Piece:
    """The cells, with those above 1e-4 of the probability divided down to at most the map's resolution."""
    starts, orders, columns = cells
    fraction = np.asarray(columns[0], np.float64) * 4.0 ** -orders.astype(np.float64)
    with np.errstate(all="ignore"):  # NaN is refused later
        steps = np.ceil(np.log(fraction / fraction.sum() / _MAX_IN_CELL) / math.log(4))
    steps = np.clip(np.nan_to_num(steps), 0, finest - orders.astype(np.float64)).astype(np.int64)
    if not steps.any():
        return cells
    parent = np.repeat(np.arange(len(starts)), 4**steps)
    first = np.cumsum(4**steps) - 4**steps
    orders = orders[parent] + steps[parent].astype(np.uint8)
    starts = starts[parent] + (np.arange(len(parent)) - first[parent]) * spans(orders)
    return starts, orders, [column[parent] for column in columns]


def _kept(first: int, order: int, columns: Sequence[Floats], is_kept: NDArray[np.bool_]) -> list[Piece]:
    rows = np.flatnonzero(is_kept)
    if not rows.size:
        return []
    starts = (rows + first) << (2 * (ORDER - order))
    return [(starts, np.full(len(rows), order, np.uint8), [column[rows] for column in columns])]
