"""Functions on many curves in one array: owners of points, curves of each band, last points."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll.kernels import kernel

Int = NDArray[np.int64]


def owners(offsets: Int) -> Int:
    """Number of the curve that each point belongs to.

    >>> owners(np.array([0, 2, 2, 3])).tolist()
    [0, 0, 2]
    """
    return np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))


def by_band(offsets: Int, band: NDArray[np.int8], keep: NDArray[np.bool_], n_bands: int) -> tuple[Int, Int]:
    """Every curve split into its bands: an index of the points, and offsets into that index.

    Part ``i * n_bands + b`` holds the points of curve ``i`` in band ``b`` that are kept, in their old order.
    A band outside 0..n_bands-1 is left out.

    >>> order, parts = by_band(np.array([0, 4]), np.array([1, 0, 1, -1], np.int8), np.ones(4, bool), 2)
    >>> order.tolist(), parts.tolist()
    ([1, 0, 2], [0, 1, 3])
    """
    order, parts = np.empty(len(band), np.int64), np.zeros((len(offsets) - 1) * n_bands + 1, np.int64)
    _split(offsets, band, keep, n_bands, order, parts)
    return order[: parts[-1]], parts


@kernel
def _split(offsets: Any, band: Any, keep: Any, n_bands: int, order: Any, parts: Any) -> None:
    """The two arrays of `by_band`, by counting."""
    for i in range(len(offsets) - 1):
        ends = parts[i * n_bands : (i + 1) * n_bands + 1]
        start = ends[0]
        for k in range(offsets[i], offsets[i + 1]):
            if keep[k] and 0 <= band[k] < n_bands:
                ends[band[k] + 1] += 1
        for b in range(n_bands):
            ends[b + 1] += ends[b]
        for k in range(offsets[i], offsets[i + 1]):
            if keep[k] and 0 <= band[k] < n_bands:
                order[ends[band[k]]] = k
                ends[band[k]] += 1
        for b in range(n_bands - 1, 0, -1):
            ends[b] = ends[b - 1]
        ends[0] = start


def some_parts(order: Int, parts: Int, chosen: Int) -> tuple[Int, Int]:
    """An index of the points of some parts of `by_band`, end to end, and offsets into it.

    >>> index, offsets = some_parts(np.array([1, 0, 2]), np.array([0, 1, 3]), np.array([1]))
    >>> index.tolist(), offsets.tolist()
    ([0, 2], [0, 2])
    """
    first, n = parts[chosen], parts[chosen + 1] - parts[chosen]
    ends = np.cumsum(n)
    inside = np.arange(n.sum()) + np.repeat(first - ends + n, n)
    return order[inside], np.concatenate([[0], ends])


def last_of_each(offsets: Int, keep: NDArray[np.bool_]) -> Int:
    """Index of the last point that is kept of each curve; -1 where there is none.

    >>> last_of_each(np.array([0, 3, 4]), np.array([True, True, False, False])).tolist()
    [1, -1]
    """
    return np.asarray(highest_of_parts(np.where(keep, np.arange(len(keep)), -1), offsets, -1))


def highest_of_parts(values: NDArray[Any], offsets: Int, none: Any) -> NDArray[Any]:
    """Maximum of each curve; `none` for one without points.

    >>> highest_of_parts(np.array([3, 5, 1]), np.array([0, 2, 2, 3]), -1).tolist()
    [5, -1, 1]
    """
    highest, is_full = np.full(len(offsets) - 1, none), np.diff(offsets) > 0
    if is_full.any():
        highest[is_full] = np.maximum.reduceat(values, offsets[:-1][is_full])
    return highest


def lengths(times: NDArray[np.float64], offsets: Int) -> NDArray[np.float64]:
    """Time from the first to the last point of each curve, whose points are in order; NaN for one without points.

    >>> lengths(np.array([1.0, 4.0, 9.0]), np.array([0, 2, 2, 3])).tolist()
    [3.0, nan, 0.0]
    """
    days, is_full = np.full(len(offsets) - 1, np.nan), np.diff(offsets) > 0
    days[is_full] = times[offsets[1:][is_full] - 1] - times[offsets[:-1][is_full]]
    return days


def taken(values: NDArray[np.generic], index: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
    """``values[index]`` as float64, NaN where the index is negative.

    >>> taken(np.array([5.0, 6.0]), np.array([1, -1])).tolist()
    [6.0, nan]
    """
    found = np.full(len(index), np.nan)
    found[index >= 0] = values[index[index >= 0]]
    return found


def scattered(values: NDArray[Any], rows: Int, n: int, fill: Any = np.nan) -> NDArray[Any]:
    """An array of length n with the values at these rows, and `fill` elsewhere.

    >>> scattered(np.array([5.0]), np.array([1]), 3).tolist()
    [nan, 5.0, nan]
    """
    found = np.full(n, fill)
    found[rows] = values
    return found


def per_point(values: NDArray[Any], offsets: Int) -> Any:
    """The text of each point's curve; one text if all curves have the same.

    >>> per_point(np.array(["ztf", "ztf"], object), np.array([0, 2, 3]))
    'ztf'
    >>> per_point(np.array(["ztf", "rubin"], object), np.array([0, 2, 3])).tolist()
    ['ztf', 'ztf', 'rubin']
    """
    names = set(values.tolist())
    return names.pop() if len(names) == 1 else values.astype(str)[owners(offsets)]
