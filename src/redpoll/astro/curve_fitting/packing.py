"""Preparation of the points of one curve, compiled: selection, sort, scaling, grouping, averaging."""

from __future__ import annotations

import math
from typing import Any

from redpoll.astro.curve_fitting.workspace import (
    FILLED,
    FLUX,
    FREQUENCY,
    GROUP_FLUX,
    GROUP_WEIGHT,
    LANES,
    STRIDE,
    TIME,
    WEIGHT,
    PackedCurve,
    compiled,
)

_GAPS = (1750, 701, 301, 132, 57, 23, 10, 4, 1)
_MIN_SIGNAL = 9.0
"""Squared signal to noise above which a point is significant."""
_MAX_SIGNAL = 25.0
"""Squared signal to noise above which points are binned alike."""


@compiled
def copy_known(
    mjd: Any, flux: Any, err: Any, frequency: Any, group: Any, start: int, stop: int, data: Any, kinds: Any
) -> int:
    """Copy the usable points; returns their number."""
    n = 0
    for i in range(start, stop):
        is_known = math.isfinite(mjd[i]) and math.isfinite(flux[i]) and math.isfinite(err[i]) and err[i] > 0
        if is_known and group[i] >= 0:
            data[n, TIME], data[n, FLUX], data[n, WEIGHT] = mjd[i], flux[i], err[i]
            data[n, FREQUENCY], kinds[n] = frequency[i], group[i]
            n += 1
    return n


@compiled
def sort_points(n: int, data: Any, group: Any) -> float:
    """Sort the points by time (Shell sort), as days since the first."""
    for gap in _GAPS:
        for i in range(gap, n):
            j = i
            while j >= gap and data[j - gap, TIME] > data[j, TIME]:
                for column in range(4):
                    data[j, column], data[j - gap, column] = data[j - gap, column], data[j, column]
                group[j], group[j - gap] = group[j - gap], group[j]
                j -= gap
    origin = data[0, TIME] if n else 0.0
    for i in range(n):
        data[i, TIME] -= origin
    return origin


@compiled
def scale_flux(is_signed: int, n: int, data: Any) -> float:
    """Scale fluxes to the largest and errors to weights; returns the unit, negative to invert the curve."""
    scale = 0.0
    for i in range(n):
        scale = max(scale, abs(data[i, FLUX]))
    for i in range(n):
        data[i, FLUX] /= scale
        data[i, WEIGHT] = (scale / data[i, WEIGHT]) ** 2
    if not (is_signed and _is_negative(n, data)):
        return scale
    for i in range(n):
        data[i, FLUX] = -data[i, FLUX]
    return -scale


@compiled
def _is_negative(n: int, data: Any) -> bool:
    """Whether significant points are negative rather than positive, by their chi2; by the mean if there are none.

    The mean of all points has the sign of many faint ones: of an offset before the rise, though the rise is bright.
    """
    mean = chi2 = 0.0
    for i in range(n):
        flux, weight = data[i, FLUX], data[i, WEIGHT]
        mean += weight * flux
        if weight * flux * flux > _MIN_SIGNAL:
            chi2 += weight * flux * abs(flux)
    return (chi2 if chi2 != 0.0 else mean) < 0.0


@compiled
def name_groups(has_groups: int, n_points: int, group: Any, labels: Any) -> tuple[int, int]:
    """Number the bands of a curve 0, 1, 2, ...; else all 0; returns the numbers of bands and groups."""
    n = 0
    for i in range(n_points):
        g = 0
        while g < n and labels[g] != group[i]:
            g += 1
        if g == n:
            labels[n] = group[i]
            n += 1
        group[i] = g if has_groups else group[i]
    if has_groups:
        return n, n
    for i in range(n_points):
        group[i] = 0
    labels[0] = 0
    return n, 1


@compiled
def centre_flux(has_baseline: int, points: Any, sums: Any) -> float:
    """Sum the weights of each group, subtract its mean flux if baselines are free; returns chi2 of the baselines."""
    weight, mean = sums[GROUP_WEIGHT], sums[GROUP_FLUX]
    for g in range(points.n_groups):
        weight[g] = mean[g] = 0.0
    for i in range(len(points.data)):
        weight[points.group[i]] += points.data[i, WEIGHT]
        mean[points.group[i]] += points.data[i, WEIGHT] * points.data[i, FLUX]
    for g in range(points.n_groups):
        mean[g] = mean[g] / weight[g] if weight[g] > 0 else 0.0
    chi2 = 0.0
    for i in range(len(points.data)):
        if has_baseline:
            points.data[i, FLUX] -= mean[points.group[i]]
        chi2 += points.data[i, WEIGHT] * points.data[i, FLUX] ** 2
    return chi2


@compiled
def bin_points(n: int, n_few: int, space: Any) -> int:
    """Average consecutive points of a band to about `n_few`, appended after the last point; returns their number.

    A bin closes when its fractions add up to one: half equal for all points, half by their squared signal to noise.
    There are at most 1.5 `n_few` bins and one for each band.
    """
    data, total, n_bins = space.data, 0.0, 0
    for i in range(n):
        total += min(data[i, WEIGHT] * data[i, FLUX] ** 2, _MAX_SIGNAL)
    for i in range(n):
        signal = min(data[i, WEIGHT] * data[i, FLUX] ** 2, _MAX_SIGNAL) * n / total if total > 0 else 1.0
        fraction = 0.5 * n_few / n * (1.0 + signal)
        k = n + n_bins - 1
        while k >= n and (space.group[k] != space.group[i] or data[k, FREQUENCY] != data[i, FREQUENCY]):
            k -= 1
        if k < n or data[k, FILLED] + 0.5 * fraction > 1.0:
            k = n + n_bins
            n_bins += 1
            space.group[k], data[k, FREQUENCY] = space.group[i], data[i, FREQUENCY]
            data[k, TIME] = data[k, FLUX] = data[k, WEIGHT] = data[k, FILLED] = 0.0
        data[k, FILLED] += fraction
        data[k, WEIGHT] += data[i, WEIGHT]
        data[k, TIME] += data[i, WEIGHT] * data[i, TIME]
        data[k, FLUX] += data[i, WEIGHT] * data[i, FLUX]
    for k in range(n, n + n_bins):
        data[k, TIME] /= data[k, WEIGHT]
        data[k, FLUX] /= data[k, WEIGHT]
    return n_bins


@compiled
def pack(points: Any, room: Any) -> Any:
    """The points in rows, those of a group together, with points of no weight up to the next multiple of `LANES`."""
    rows, bounds, n, at = room.rows, room.bounds, len(points.data), 0
    for g in range(points.n_groups):
        bounds[g], last = at, 0
        for i in range(n):
            if points.group[i] == g:
                for column in range(4):
                    rows[column * STRIDE + at] = points.data[i, column]
                at, last = at + 1, i
        while at % LANES:
            for column in range(4):
                rows[column * STRIDE + at] = points.data[last, column] if column != WEIGHT else 0.0
            at += 1
    bounds[points.n_groups] = at
    return PackedCurve(rows, bounds, at, points.n_groups)
