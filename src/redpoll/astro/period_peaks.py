"""Compiled search of the period of each light curve: the highest peaks of one harmonic, compared by two."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from redpoll.astro.periodogram import (
    HALF,
    TIME,
    WEIGHT,
    add_gains,
    centred,
    cos_sin,
    one_harmonic,
    padded_size,
    tables,
)
from redpoll.kernels import kernel, part

FLOOR = 0.2
"""Relative error of every point, of its band's standard deviation: no harmonic fits better than that."""
VISIT = 0.02
"""Points so close together [d] are one visit, and count once in the margins."""
_DAYS = (1.0, 1.0027379093)  # frequencies of nights (solar) and fields (sidereal) [1/d]
_PEAKS, _HALVED, _TOPS = 12, 4, 3
_WORTH = 0.6  # fraction of the highest peak below which a peak is not compared
_SIMPLER = 2.0  # log10 of the likelihood ratio by which twice a period must be better than the period itself
N_NUMBERS = 13
(_PERIOD, _ERR, _POWER, _SECOND, _SECOND_POWER, _ALIAS, _ALIAS_POWER, _WINDOW, _TOP, _WIDTH, _FREE, _VISITS,
 _SIZE) = range(N_NUMBERS)  # fmt: skip
_FREQUENCY, _HEIGHT, _BEND = range(3)


@kernel
def search_all(t: Any, y: Any, w: Any, parts: Any, shortest: Any, grid: Any, numbers: Any) -> None:
    """For each curve the numbers of `redpoll.astro.periods`; `grid` is (cycles, oversampling, largest size)."""
    n_bands = (len(parts) - 1) // max(len(numbers), 1)
    power, values, weights = np.empty(1), np.zeros(len(y)), np.zeros(len(y))
    for i in range(len(numbers)):
        bounds = parts[i * n_bands : (i + 1) * n_bands + 1]
        _normalise(t, y, w, bounds, values, weights)
        points, inner, band_weights, total = centred(t, values, weights, bounds)
        n, k, length = _extent(points, inner)
        free = n - k - 4
        if free < 1 or not (length > 0 and total > 0):
            continue
        start, step = grid[0] / length, 1.0 / (grid[1] * length)
        size = math.floor((1.0 / shortest[i] - start) / step) + 1
        if size < 3 or size > grid[2]:
            continue
        if len(power) < padded_size(size):
            power = np.empty(padded_size(size))
        found = power[: padded_size(size)]
        out = numbers[i]
        out[_SIZE], out[_FREE], out[_VISITS] = size, free, _visits(t, bounds) - 5
        as_one, weight = _merged(points, inner, band_weights), band_weights.sum()
        one_harmonic(as_one, weight, start, step, found)
        out[_WIDTH] = size * step * math.sqrt(4.0 * math.pi * _variance_of_times(as_one))
        fine = step / HALF
        near = tables(points[TIME], fine, 4, np.empty((4, 2 * HALF * len(points[TIME])), np.float32))
        top = _highest_peaks(found[:size])
        one = (as_one, np.array([0, as_one.shape[1]]), np.full(1, weight), near, fine, total)
        out[_TOP] = _top(one, top, start)
        curve = (points, inner, band_weights, near, fine, total)
        _compare(curve, found[:size], top, start, length, out)
        out[_WINDOW] = _window(points, 1.0 / out[_PERIOD])


@part
def _top(one: Any, top: Any, start: float) -> float:
    """Height of the highest of the first peaks of one harmonic, between the grid points too."""
    height, step = 0.0, HALF * one[4]
    for k in range(min(len(top), _TOPS)):
        height = max(height, _fine_peak(one, 1, start + top[k] * step)[1])
    return height


@part
def _normalise(t: Any, y: Any, w: Any, bounds: Any, values: Any, weights: Any) -> None:
    """Values and weights in units of each band's standard deviation, with the relative error floor added.

    The weights of a band without variation stay zero.
    """
    for b in range(len(bounds) - 1):
        start, stop = bounds[b], bounds[b + 1]
        mean = sum_w = square = 0.0
        for i in range(start, stop):
            sum_w += w[i]
            mean += w[i] * (y[i] - y[start])
        for i in range(start, stop):
            values[i] = y[i] - y[start] - mean / sum_w
            square += values[i] * values[i]
        if square > 0:
            deviation = math.sqrt(square / (stop - start - 1))
            for i in range(start, stop):
                values[i] /= deviation
                weights[i] = 1.0 / (1.0 / (w[i] * deviation * deviation) + FLOOR * FLOOR)


@part
def _extent(points: Any, inner: Any) -> Any:
    """Number of points and bands, and the time from the first to the last [d]."""
    n, k, first, last = 0, 0, math.inf, -math.inf
    for b in range(len(inner) - 1):
        k += 1 if inner[b + 1] > inner[b] else 0
    for i in range(points.shape[1]):
        if points[WEIGHT, i] > 0:
            n, first, last = n + 1, min(first, points[TIME, i]), max(last, points[TIME, i])
    return n, k, last - first


@part
def _visits(t: Any, bounds: Any) -> int:
    """Number of visits of all bands together."""
    times = np.sort(t[bounds[0] : bounds[len(bounds) - 1]])
    n = 1
    for i in range(1, len(times)):
        n += 1 if times[i] - times[i - 1] > VISIT else 0
    return n


@part
def _merged(points: Any, inner: Any, weights: Any) -> Any:
    """Points of all bands as of one, of weights of sum one."""
    merged, all_weight = points.copy(), weights.sum()
    for b in range(len(weights)):
        for i in range(inner[b], inner[b + 1]):
            merged[WEIGHT, i] *= weights[b] / all_weight
    return merged


@part
def _variance_of_times(points: Any) -> float:
    mean = square = 0.0
    for i in range(points.shape[1]):
        mean += points[WEIGHT, i] * points[TIME, i]
        square += points[WEIGHT, i] * points[TIME, i] * points[TIME, i]
    return square - mean * mean


@part
def _compare(curve: Any, power: Any, top: Any, start: float, length: float, out: Any) -> None:
    """Best of the highest peaks by two harmonics, the next that is not part of it, and the daily alias."""
    step, apart = HALF * curve[4], 1.5 / length
    peaks, n = np.full((_PEAKS + _HALVED + 2, 3), math.nan), 0
    for k in range(len(top)):
        if power[top[k]] < _WORTH * power[top[0]]:
            break
        f = start + top[k] * step
        n = _add_peak(curve, f, peaks, n)
        if k < _HALVED and 0.5 * f > start:
            n = _add_peak(curve, 0.5 * f, peaks, n)
    alias, row = _daily_alias(power, start, step, start + top[0] * step, apart), n
    if alias >= 0:
        n = _add_peak(curve, start + alias * step, peaks, n)
    best = _simplest(peaks[:n], apart, out[_VISITS])
    f, height, bend = peaks[best]
    out[_PERIOD], out[_POWER] = 1.0 / f, height
    if bend > 0:
        out[_ERR] = math.sqrt(2.0 * max(1.0 / curve[5], (1.0 - height) / out[_FREE]) / bend) / (f * f)
    alias_of_best = _daily_alias(power, start, step, f, apart)
    if alias_of_best >= 0:
        if alias_of_best != alias:  # else its peak was fitted above
            row, n = n, _add_peak(curve, start + alias_of_best * step, peaks, n)
        out[_ALIAS], out[_ALIAS_POWER] = 1.0 / peaks[row, _FREQUENCY], peaks[row, _HEIGHT]
    second = _second(peaks[:n], f, apart)
    if second >= 0:
        out[_SECOND], out[_SECOND_POWER] = 1.0 / peaks[second, _FREQUENCY], peaks[second, _HEIGHT]


@part
def _is_peak(power: Any, i: int) -> bool:
    """Whether a power is a local maximum; of equal neighbours the last."""
    return bool((i == 0 or power[i] >= power[i - 1]) and (i == len(power) - 1 or power[i] > power[i + 1]))


@part
def _highest_peaks(power: Any) -> Any:
    """Indices of the highest local maxima, in descending order."""
    top, n, lowest = np.zeros(_PEAKS + 1, np.int64), 0, -math.inf
    for i in range(len(power)):
        if power[i] > lowest and _is_peak(power, i):
            at = n
            while at > 0 and power[top[at - 1]] < power[i]:
                top[at] = top[at - 1]
                at -= 1
            top[at] = i
            n = min(n + 1, _PEAKS)
            lowest = power[top[n - 1]] if n == _PEAKS else -math.inf
    return top[: max(n, 1)]


@part
def _add_peak(curve: Any, f: float, peaks: Any, n: int) -> int:
    """Append a peak of two harmonics near f."""
    peaks[n, _FREQUENCY], peaks[n, _HEIGHT], peaks[n, _BEND] = _fine_peak(curve, 2, f)
    return n + 1


@part
def _fine_peak(curve: Any, n_harmonics: int, f: float) -> Any:
    """Frequency, height and curvature of the peak near f: a grid 16 times finer, then a parabola."""
    points, inner, weights, near, fine, total = curve
    first = max(f - HALF * fine, 0.5 * f)
    power = np.empty(2 * HALF)
    add_gains(points, inner, weights, n_harmonics, (first, fine), near, power)
    i = 0
    for k in range(len(power)):
        i = k if power[k] > power[i] else i
    if 0 < i < len(power) - 1:
        below, at, above = power[i - 1] / total, power[i] / total, power[i + 1] / total
        bend = 2.0 * at - below - above
        if bend > 0:
            shift = 0.5 * (above - below) / bend
            return first + (i + shift) * fine, min(at + 0.5 * bend * shift * shift, 1.0), bend / (fine * fine)
    return first + i * fine, min(power[i] / total, 1.0), 0.0


@part
def _simplest(peaks: Any, apart: float, visits: float) -> int:
    """The highest peak, or one of twice its frequency that is nearly as good: two waves contain one."""
    best = 0
    for k in range(len(peaks)):
        best = k if peaks[k, _HEIGHT] > peaks[best, _HEIGHT] else best
    f, height, found = peaks[best, _FREQUENCY], peaks[best, _HEIGHT], best
    for k in range(len(peaks)):
        gain = 0.5 * max(visits, 0.0) * math.log10(max(1.0 - peaks[k, _HEIGHT], 1e-15) / max(1.0 - height, 1e-15))
        is_twice = abs(peaks[k, _FREQUENCY] - 2.0 * f) < min(apart, 0.5 * f)
        if is_twice and gain < _SIMPLER and (found == best or peaks[k, _HEIGHT] > peaks[found, _HEIGHT]):
            found = k
    return found


@part
def _second(peaks: Any, f: float, apart: float) -> int:
    """The highest peak that is neither at this frequency nor at half of it nor at twice; -1 without one."""
    found = -1
    for k in range(len(peaks)):
        other = peaks[k, _FREQUENCY]
        is_other = abs(other - f) > apart and abs(other - 2.0 * f) > 2.0 * apart and abs(other - 0.5 * f) > 0.5 * apart
        if is_other and (found < 0 or peaks[k, _HEIGHT] > peaks[found, _HEIGHT]):
            found = k
    return found


@part
def _daily_alias(power: Any, start: float, step: float, f: float, apart: float) -> int:
    """Index of the highest peak one or two cycles a day from a frequency or its mirror image; -1 without one."""
    found = -1
    for day in _DAYS:
        for turns in (-2, -1, 1, 2):
            for sign in (-1.0, 1.0):
                alias = sign * f + turns * day
                first = max(0, math.ceil((alias - apart - start) / step))
                last = min(len(power) - 1, math.floor((alias + apart - start) / step))
                for i in range(first, last + 1):
                    is_apart = abs(start + i * step - f) > apart
                    if is_apart and _is_peak(power, i) and (found < 0 or power[i] > power[found]):
                        found = i
    return found


@part
def _window(points: Any, f: float) -> float:
    """Power of the sampling itself at a frequency."""
    c, s, n = 0.0, 0.0, 0
    for i in range(points.shape[1]):
        if points[WEIGHT, i] > 0:
            x, y = cos_sin((f * points[TIME, i]) % 1.0)
            c, s, n = c + x, s + y, n + 1
    return (c * c + s * s) / (n * n)
