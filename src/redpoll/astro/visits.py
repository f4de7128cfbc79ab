"""Means of visits, compiled: points of one band of a light curve that are close together in time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from redpoll.kernels import kernel, part

_RUN, _STEP, _LAST, _FIRST, _WEIGHT, _TIME, _FLUX = range(7)
"""Of the open visit of a band: begin of its run, its number there, newest and first time, and weighted sums."""


@kernel
def visit_means(offsets: Any, points: Any, kind: Any, days: float, preferred: int, n_bands: int, means: Any,
                kinds: Any) -> Any:  # fmt: skip
    """One point for each band and visit into `means` and `kinds`, in order of time; returns the offsets of the curves.

    `points` has columns of times [d], bands, fluxes and errors, `means` the same. A visit ends before the first point
    `days` or more after its first; visits without a longer gap begin at multiples of `days`. A mean is weighted by
    1 / error**2, its kind is `preferred` where one of its points is, else that of the first. Points of unknown flux,
    error or band are left out.
    """
    found = np.zeros(len(offsets), np.int64)
    open_visits, open_kinds = np.empty((n_bands, 7)), np.zeros(n_bands, np.int64)
    at = 0
    for curve in range(len(offsets) - 1):
        open_visits[:], open_visits[:, _STEP], open_visits[:, _LAST] = 0.0, math.nan, -math.inf
        for i in range(offsets[curve], offsets[curve + 1]):
            t, flux, err = points[0, i], points[2, i], points[3, i]
            band = int(points[1, i])
            if not (0 <= band < n_bands and math.isfinite(flux) and err > 0):
                continue
            visit = open_visits[band]
            if math.floor((t - visit[_RUN]) / days) != visit[_STEP]:
                at = _close(visit, band, open_kinds[band], means, kinds, at)
                _open(visit, t, days)
                open_kinds[band] = kind[i]
            weight = 1.0 / (err * err)
            visit[_WEIGHT] += weight
            visit[_TIME] += weight * (t - visit[_FIRST])
            visit[_FLUX] += weight * flux
            visit[_LAST] = t
            open_kinds[band] = preferred if kind[i] == preferred else open_kinds[band]
        for band in range(n_bands):
            at = _close(open_visits[band], band, open_kinds[band], means, kinds, at)
        _sort(means, kinds, found[curve], at)
        found[curve + 1] = at
    return found


@part
def _open(visit: Any, t: float, days: float) -> None:
    if t - visit[_LAST] >= days:
        visit[_RUN] = t
    visit[_STEP] = math.floor((t - visit[_RUN]) / days)
    visit[_FIRST] = t
    visit[_WEIGHT] = visit[_TIME] = visit[_FLUX] = 0.0


@part
def _close(visit: Any, band: int, kind: int, means: Any, kinds: Any, at: int) -> int:
    """Write the mean of a visit that has points to row `at`; returns the next free row."""
    weight = visit[_WEIGHT]
    if weight == 0.0:
        return at
    means[0, at], means[1, at] = visit[_FIRST] + visit[_TIME] / weight, band
    means[2, at], means[3, at], kinds[at] = visit[_FLUX] / weight, weight**-0.5, kind
    return at + 1


@part
def _sort(means: Any, kinds: Any, start: int, stop: int) -> None:
    """Order rows by time, then band; they nearly are."""
    for i in range(start + 1, stop):
        k = i
        while k > start and _is_before(means, k, k - 1):
            for column in range(len(means)):
                means[column, k - 1], means[column, k] = means[column, k], means[column, k - 1]
            kinds[k - 1], kinds[k] = kinds[k], kinds[k - 1]
            k -= 1


@part
def _is_before(means: Any, i: int, j: int) -> bool:
    return bool(means[0, i] < means[0, j] or (means[0, i] == means[0, j] and means[1, i] < means[1, j]))
