"""Means of visits, compiled: points of one band of a light curve that are close together in time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from redpoll.kernels import kernel, part

_RUN, _STEP, _LAST, _FIRST, _WEIGHT, _TIME, _FLUX, _KIND = range(8)
"""Of the open visit of a band: begin of its run, its number there, newest and first time, weighted sums, and kind."""


@kernel
def visit_means(offsets: Any, points: Any, days: float, preferred: int, n_bands: int, means: Any) -> Any:
    """One point for each band and visit into `means`, in order of time; returns the offsets of the curves.

    `points` has rows of times [d], bands, fluxes, errors and kinds, `means` the same. A visit ends before the first
    point `days` or more after its first; visits without a longer gap begin at multiples of `days`. A mean is weighted
    by 1 / error**2, its kind is `preferred` where one of its points is, else that of the first. Points of unknown flux,
    error or band are left out.
    """
    found, open_visits, at = np.zeros(len(offsets), np.int64), np.empty((n_bands, 8)), 0
    for curve in range(len(offsets) - 1):
        open_visits[:], open_visits[:, _STEP], open_visits[:, _LAST] = 0.0, math.nan, -math.inf
        for i in range(offsets[curve], offsets[curve + 1]):
            t, flux, err, kind = points[0, i], points[2, i], points[3, i], points[4, i]
            band = int(points[1, i])
            if not (0 <= band < n_bands and math.isfinite(flux) and err > 0):
                continue
            visit = open_visits[band]
            if math.floor((t - visit[_RUN]) / days) != visit[_STEP]:
                at = _close(visit, band, means, at)
                _open(visit, t, kind, days)
            weight = 1.0 / (err * err)
            visit[_WEIGHT] += weight
            visit[_TIME] += weight * (t - visit[_FIRST])
            visit[_FLUX] += weight * flux
            visit[_LAST] = t
            visit[_KIND] = preferred if kind == preferred else visit[_KIND]
        for band in range(n_bands):
            at = _close(open_visits[band], band, means, at)
        _sort(means, found[curve], at)
        found[curve + 1] = at
    return found


@part
def _open(visit: Any, t: float, kind: float, days: float) -> None:
    if t - visit[_LAST] >= days:
        visit[_RUN] = t
    visit[_STEP] = math.floor((t - visit[_RUN]) / days)
    visit[_FIRST], visit[_KIND] = t, kind
    visit[_WEIGHT] = visit[_TIME] = visit[_FLUX] = 0.0


@part
def _close(visit: Any, band: int, means: Any, at: int) -> int:
    """Write the mean of a visit that has points to column `at`; returns the next free one."""
    weight = visit[_WEIGHT]
    if weight == 0.0:
        return at
    means[0, at], means[1, at], means[4, at] = visit[_FIRST] + visit[_TIME] / weight, band, visit[_KIND]
    means[2, at], means[3, at] = visit[_FLUX] / weight, weight**-0.5
    return at + 1


@part
def _sort(means: Any, start: int, stop: int) -> None:
    """Order points by time, then band; they nearly are."""
    for i in range(start + 1, stop):
        k = i
        while k > start and _is_before(means, k, k - 1):
            for row in range(len(means)):
                means[row, k - 1], means[row, k] = means[row, k], means[row, k - 1]
            k -= 1


@part
def _is_before(means: Any, i: int, j: int) -> bool:
    return bool(means[0, i] < means[0, j] or (means[0, i] == means[0, j] and means[1, i] < means[1, j]))
