"""Visits: points of one band of a light curve that are close together in time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from redpoll.astro.ragged import by_band, owners

Int = NDArray[np.int64]


def visits(
    offsets: Int, band: NDArray[np.int8], mjd: NDArray[np.float64], keep: NDArray[np.bool_], days: float, n_bands: int
) -> tuple[Int, Int]:
    """Kept points by curve, band and time, and the position in them where each visit begins.

    A visit ends before the first point `days` or more after its first; consecutive visits without a longer gap begin
    at multiples of `days`.

    >>> mjd = np.array([0.0, 0.001, 0.002, 0.5])
    >>> order, first = visits(np.array([0, 4]), np.array([1, 2, 1, 1], np.int8), mjd, np.ones(4, bool), 0.01, 6)
    >>> order.tolist(), first.tolist()
    ([0, 2, 3, 1], [0, 2, 3])
    """
    order, parts = by_band(offsets, band, keep, n_bands)
    series, time = owners(parts), mjd[order]
    begins = np.ones(len(order), bool)
    begins[1:] = (np.diff(series) != 0) | (np.diff(time) >= days)
    run = np.cumsum(begins) - 1
    step = np.floor((time - time[begins][run]) / days)
    begins[1:] |= np.diff(step) > 0
    return order, np.flatnonzero(begins)
