"""Ranges of order-29 cells: their intersections and differences, and the cells of a ring around a centre."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from redpoll.astro.sky import ORDER, merged, separation_arcsec
from redpoll.store.selection import Cone

_SIDE_ARCSEC = 58.63 * 3600  # of a square with the area of a base cell; halves with each order
_CORNER_SIDES = 1.2  # the farthest corner of any cell is nearer to its centre than so many sides
_SIDES_PER_RADIUS = 8


def ring_cells(cells: NDArray[np.int64], cone: Cone, inner: float, outer: float) -> NDArray[np.int64]:
    """Those of the cells that may hold positions between two separations [arcsec] from the centre of a cone."""
    if outer < cone.radius_arcsec:
        cells = intersected(cells, Cone(cone.ra, cone.dec, outer).ranges())
    return cells if inner <= 0.0 else without(cells, _cells_inside(cone, inner))


def _cells_inside(cone: Cone, radius: float) -> NDArray[np.int64]:
    """Cells of which every position is nearer to the centre than `radius` [arcsec]."""
    from redpoll.astro.healpix import cells_of_cone, centres  # brings numba, which few commands need

    order = int(np.clip(np.ceil(np.log2(_SIDE_ARCSEC * _SIDES_PER_RADIUS / radius)), 0, ORDER))
    cells = cells_of_cone(cone.ra % 360.0, cone.dec, radius, order)
    reach = separation_arcsec(cone.ra, cone.dec, *centres(cells, order)) + _CORNER_SIDES * _SIDE_ARCSEC / 2**order
    inside = cells[reach < radius]
    shift = 2 * (ORDER - order)
    return merged(inside << shift, (inside + 1) << shift)


def intersected(a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.int64]:
    """Cells that are in both of two sorted lists of ranges.

    >>> intersected(np.array([[0, 10], [20, 30]]), np.array([[5, 25]])).tolist()
    [[5, 10], [20, 25]]
    """
    edges = np.unique(np.concatenate([a.ravel(), b.ravel()]))
    starts = edges[:-1]
    keep = in_ranges(starts, a) & in_ranges(starts, b)
    return np.column_stack([starts[keep], edges[1:][keep]])


def without(a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.int64]:
    """Cells of the ranges `a` that are not in the ranges `b`.

    >>> without(np.array([[0, 10]]), np.array([[3, 5]])).tolist()
    [[0, 3], [5, 10]]
    """
    edges = np.unique(np.concatenate([a.ravel(), b.ravel()]))
    starts = edges[:-1]
    keep = in_ranges(starts, a) & ~in_ranges(starts, b)
    return np.column_stack([starts[keep], edges[1:][keep]])


def in_ranges(values: NDArray[np.int64], ranges: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each value is in one of some sorted ranges [start, stop).

    >>> in_ranges(np.array([0, 4, 7]), np.array([[0, 4], [6, 8]])).tolist()
    [True, False, True]
    """
    at = np.searchsorted(ranges[:, 0], values, side="right") - 1
    return (at >= 0) & (values < np.append(ranges[:, 1], 0)[at])
