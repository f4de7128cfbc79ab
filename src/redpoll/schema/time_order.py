"""Sort of the points of many light curves by time, compiled: merges histories that are already sorted."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll.kernels import kernel, part


def time_order(
    row: NDArray[np.int64], mjd: NDArray[np.float64], n_rows: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices that sort points by row and time (stable), and the offsets of the rows.

    The last `n_rows` points are the triggering detections, in row order; each is last in its row whatever its time.
    Only their times may be NaN.

    >>> time_order(np.array([0, 0, 1, 0, 1]), np.array([2.0, 1.0, 5.0, 0.0, 4.0]), 2)
    (array([1, 0, 3, 2, 4]), array([0, 3, 5]))
    """
    offsets = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=n_rows))])
    if len(offsets) != n_rows + 1 or len(row) != len(mjd):
        raise ValueError("every point must have a time and lie in one of the rows")
    order, free = np.empty(len(row), np.int64), offsets[:-1].copy()
    longest = int(np.diff(offsets).max(initial=0))
    _sort(np.ascontiguousarray(row, np.int64), np.ascontiguousarray(mjd, np.float64), offsets, order,
          (free, np.empty(longest, np.int64)))  # fmt: skip
    return order, offsets


def time_order_of_each(offsets: NDArray[np.int64], mjd: NDArray[np.float64]) -> NDArray[np.int64]:
    """Order that sorts the points of each curve by time; ties stay as they are. No time may be NaN.

    >>> time_order_of_each(np.array([0, 3, 4]), np.array([2.0, 1.0, 1.5, 0.0])).tolist()
    [1, 2, 0, 3]
    """
    order = np.arange(len(mjd))
    _sort_each(mjd, offsets, offsets[1:], order, np.empty(int(np.diff(offsets).max(initial=0)), np.int64))
    return order


@kernel
def _sort(row: Any, mjd: Any, offsets: Any, order: Any, room: Any) -> None:
    free, left = room
    for i in range(len(row)):
        order[free[row[i]]] = i
        free[row[i]] += 1
    _sort_runs(mjd, offsets, offsets[1:] - 1, order, left)


@kernel
def _sort_each(mjd: Any, offsets: Any, stops: Any, order: Any, left: Any) -> None:
    _sort_runs(mjd, offsets, stops, order, left)


@part
def _sort_runs(mjd: Any, offsets: Any, stops: Any, order: Any, left: Any) -> None:
    for r in range(len(stops)):
        sort_curve(mjd, offsets[r], stops[r], order, left)


@part
def sort_curve(mjd: Any, first: int, stop: int, order: Any, left: Any) -> None:
    """Sort ``order[first:stop]`` by time; ties stay as they are. `left` has room for as many numbers."""
    while first < stop and _end_of_run(order, mjd, first, stop) < stop:
        _merge_neighbours(order, mjd, first, stop, left)


@part
def _end_of_run(order: Any, mjd: Any, first: int, stop: int) -> int:
    """First index after `first` at which the times decrease."""
    at = first + 1
    while at < stop and mjd[order[at - 1]] <= mjd[order[at]]:
        at += 1
    return at


@part
def _merge_neighbours(order: Any, mjd: Any, first: int, stop: int, left: Any) -> None:
    """Merge each run with the next one."""
    while first < stop:
        middle = _end_of_run(order, mjd, first, stop)
        if middle == stop:
            return
        end = _end_of_run(order, mjd, middle, stop)
        n, i, at = middle - first, 0, first
        for k in range(n):
            left[k] = order[first + k]
        while i < n:
            if middle < end and mjd[order[middle]] < mjd[left[i]]:
                order[at] = order[middle]
                middle += 1
            else:
                order[at] = left[i]
                i += 1
            at += 1
        first = end
