"""Sets of HEALPix cells as integers of order 29: decoding, checks, merging and search.

With one integer per position (``hpx29``), a query of a region or a sky map is a search in a sorted list.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll.astro import sky
from redpoll.astro.sky import N_CELLS, ORDER
from redpoll.kernels import kernel

Cells = NDArray[np.int64]
_UNIQ_OF_ORDER = 4 * 4 ** np.arange(ORDER + 1, dtype=np.int64)  # the first cell of each order
_LAST_UNIQ = 4**31 - 1
_SKY_DEG2 = 4 * math.pi * (180 / math.pi) ** 2
_FINEST_BUCKETS = 9


def from_uniq(uniq: NDArray[np.integer[Any]]) -> tuple[Cells, NDArray[np.uint8]]:
    """First order-29 cell and order of cells in NUNIQ notation: 4 * 4**order + nested index.

    Raises
    ------
    ValueError
        If a number is not a cell of an order from 0 to 29.

    Examples
    --------
    >>> starts, orders = from_uniq(np.array([4, 15, 16]))
    >>> orders.tolist(), (starts >> 56).tolist()
    ([0, 0, 1], [0, 44, 0])
    """
    uniq = np.asarray(uniq, np.int64)
    if bad := uniq[(uniq < 4) | (uniq > _LAST_UNIQ)][:1].tolist():
        raise ValueError(f"UNIQ {bad[0]} is not a cell of an order from 0 to {ORDER}")
    orders = np.searchsorted(_UNIQ_OF_ORDER, uniq, side="right") - 1
    return (uniq - _UNIQ_OF_ORDER[orders]) << (2 * (ORDER - orders)), orders.astype(np.uint8)


def spans(orders: NDArray[Any]) -> Cells:
    """Number of cells of order 29 in a cell of each order.

    >>> spans(np.array([29, 28])).tolist()
    [1, 4]
    """
    return np.int64(1) << (2 * (ORDER - np.asarray(orders, np.int64)))


def merged(starts: Cells, stops: Cells) -> Cells:
    """Ranges of cells merged, see `redpoll.astro.sky.merged`, after a check: int64 of shape (n, 2).

    Raises
    ------
    ValueError
        If a range is empty, reversed, or outside of the sky.

    Examples
    --------
    >>> merged(np.array([8, 0, 3]), np.array([9, 3, 5])).tolist()
    [[0, 5], [8, 9]]
    """
    starts, stops = np.asarray(starts, np.int64), np.asarray(stops, np.int64)
    bad = np.flatnonzero((starts < 0) | (stops <= starts) | (stops > N_CELLS))
    if bad.size:
        raise ValueError(f"{starts[bad[0]]} to {stops[bad[0]]} is not a range of cells of order {ORDER}")
    return sky.merged(starts, stops)


def area_deg2(ranges: Cells) -> float:
    """Area of disjoint ranges [deg2].

    >>> round(area_deg2(np.array([[0, N_CELLS]])))
    41253
    """
    cells = int((ranges[:, 1] - ranges[:, 0]).sum())
    return float(cells / N_CELLS * _SKY_DEG2)


class CellIndex:
    """Search, for each cell of order 29, of the last of sorted `starts` that is not above it.

    A table of the first start in each coarse cell leaves a few steps of bisection, which takes half the time of
    ``searchsorted`` for unsorted positions.

    >>> CellIndex(np.array([10, 1 << 60])).find(np.array([9, 10, 1 << 61])).tolist()
    [-1, 0, 1]
    """

    def __init__(self, starts: Cells) -> None:
        self.starts = np.ascontiguousarray(starts, np.int64)
        wanted = math.ceil(math.log(max(len(starts), 12) / 12, 4)) + 1
        self._shift = 2 * (ORDER - min(wanted, _FINEST_BUCKETS))
        edges = np.arange((N_CELLS >> self._shift) + 1, dtype=np.int64) << self._shift
        self._first = np.searchsorted(self.starts, edges).astype(np.int32)

    def find(self, cells: Cells) -> NDArray[np.int32]:
        """Index into `starts` for each cell; -1 before the first."""
        cells = np.ascontiguousarray(cells, np.int64)
        found = np.empty(len(cells), np.int32)
        _find(self.starts, self._first, self._shift, cells, found)
        return found


@kernel
def _find(starts: Any, first: Any, shift: int, cells: Any, found: Any) -> None:
    for i in range(len(cells)):
        bucket = cells[i] >> shift
        low, high = first[bucket], first[bucket + 1]
        while low < high:
            middle = (low + high) >> 1
            if starts[middle] <= cells[i]:
                low = middle + 1
            else:
                high = middle
        found[i] = low - 1
