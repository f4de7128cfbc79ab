"""Compiled part of the period search: powers at many frequencies, and the properties of their peaks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from redpoll.kernels import kernel, part, parts

_HALF = 32  # frequencies on each side of a block's centre
_CHUNK = 64 * 2 * _HALF  # frequencies between two exact sines; in between, rotations
_PAD = 8
_DAYS = (1.0, 1.0027379093)  # frequencies of nights (solar) and fields (sidereal) [1/d]
_SINGULAR = 1e-9
_MULTIPLES = (0, 1, 1, 2, 2, 3, 4)
"""Pairs of rows of sums of a block: (1, 0), then of the cosine and sine of so many times the angle."""
_VALUES = (1, 4)
"""The pairs that are also weighted by the values; two harmonics need all pairs, one the first four."""
_ONE, _ZERO, _YC, _YS, _C, _S, _C2, _S2, _YC2, _YS2, _C3, _S3, _C4, _S4 = range(14)
_COVARIANCES = np.array([
    (_ONE, 1, _C2, _C, _C), (_ONE, -1, _C2, _S, _S), (_ZERO, 1, _S2, _C, _S),
    (_YC, 1, _YC, _ZERO, _ZERO), (_YS, 1, _YS, _ZERO, _ZERO),
    (_C, 1, _C3, _C, _C2), (_S3, -1, _S, _S, _C2), (_S3, 1, _S, _C, _S2), (_C, -1, _C3, _S, _S2),
    (_ONE, 1, _C4, _C2, _C2), (_ONE, -1, _C4, _S2, _S2), (_ZERO, 1, _S4, _C2, _S2),
    (_YC2, 1, _YC2, _ZERO, _ZERO), (_YS2, 1, _YS2, _ZERO, _ZERO),
])  # fmt: skip
"""Rows of each covariance: half of the first plus or minus the second, minus the product of the last two."""
N_NUMBERS = 11
_summing = parts(fastmath={"reassoc", "contract", "nsz"})


@kernel
def search_all(t: Any, y: Any, w: Any, parts: Any, model: Any, grid: Any, numbers: Any, tried: Any) -> None:
    """For each curve the numbers of `redpoll.astro.periods`; `model` is (harmonics, whether the bands share them)."""
    n_bands = (len(parts) - 1) // max(len(numbers), 1)
    power = np.empty(1)
    for i in range(len(numbers)):
        bounds = parts[i * n_bands : (i + 1) * n_bands + 1]
        n, k, first, last = _extent(t, bounds, model)
        length = last - first
        d = 2 * model[0] * (1 if model[1] else k)
        if n - k - d < 1 or not length > 0:
            continue
        start, step = grid[1] / length, 1.0 / (grid[2] * length)
        size = math.floor((grid[0] - start) / step) + 1
        if size < 3 or size > grid[3]:
            continue
        n_powers = _padded(size)
        if len(power) < n_powers:
            power = np.empty(n_powers)
        power[:n_powers] = 0.0
        total = _add_bands(t, y, w, bounds, model, (start, step), power[:n_powers])
        if total > 0:
            tried[i] = size
            for j in range(size):
                power[j] /= total
            numbers[i, 9], numbers[i, 10] = d, n - k - d
            _describe(t, y, w, bounds, model, (start, step, length, total), power[:size], numbers[i])


@kernel
def add_bands(t: Any, y: Any, w: Any, bounds: Any, model: Any, grid: Any, power: Any) -> float:
    """Adds the decrease of chi2 at each frequency to `power`, of `padded` size; returns chi2 of the constant model."""
    return _add_bands(t, y, w, bounds, model, grid, power)


def padded(n: int) -> int:
    """Size of the array for n powers, in whole blocks."""
    return (n + 2 * _HALF - 1) // (2 * _HALF) * 2 * _HALF


_padded = part(padded)


@part
def _min_points(model: Any) -> int:
    """Minimum number of points of a band, for its own harmonics or for its mean."""
    return 2 if model[1] else 2 * model[0] + 2


@part
def _extent(t: Any, bounds: Any, model: Any) -> Any:
    """Number of usable points and bands, and first and last time."""
    n, k, first, last = 0, 0, math.inf, -math.inf
    for b in range(len(bounds) - 1):
        if bounds[b + 1] - bounds[b] >= _min_points(model):
            n, k = n + bounds[b + 1] - bounds[b], k + 1
            for i in range(bounds[b], bounds[b + 1]):
                first, last = min(first, t[i]), max(last, t[i])
    return n, k, first, last


@part
def _add_bands(t: Any, y: Any, w: Any, bounds: Any, model: Any, grid: Any, power: Any) -> float:
    nh, is_shared = model
    _, _, first, last = _extent(t, bounds, model)
    size = min(_CHUNK * 2 * _HALF, len(power)) if is_shared else len(power)
    moments = np.empty((size // (2 * _HALF) if is_shared else 1, 5 if nh == 1 else len(_COVARIANCES), 2 * _HALF))
    moments[:] = 0.0
    total = 0.0
    for start in range(0, len(power), size):
        room, grid_here = power[start : start + size], (grid[0] + start * grid[1], grid[1])
        total, all_weight = 0.0, 0.0
        for b in range(len(bounds) - 1):
            if bounds[b + 1] - bounds[b] >= _min_points(model):
                points, weight, chi2 = _centred(t, y, w, bounds[b], bounds[b + 1], 0.5 * (first + last))
                total, all_weight = total + chi2, all_weight + weight
                if chi2 > 0 or is_shared:
                    _add_band(points, weight, model, grid_here, moments, room)
        for block in range(len(room) // (2 * _HALF) if is_shared else 0):
            _add_gain(moments[block], nh, all_weight, room[2 * _HALF * block : 2 * _HALF * (block + 1)])
    return total


@part
def _centred(t: Any, y: Any, w: Any, start: int, stop: int, origin: float) -> Any:
    """Times from an origin, values from their mean, weights of sum one, as rows; the weights' sum; chi2.

    The rows are padded by points without weight.
    """
    n = stop - start
    points = np.empty((3, (n + _PAD - 1) // _PAD * _PAD))
    points[:] = 0.0
    mean = sum_w = chi2 = 0.0
    for i in range(start, stop):
        sum_w += w[i]
        mean += w[i] * (y[i] - y[start])
    for i in range(start, stop):
        v = y[i] - y[start] - mean / sum_w
        points[0, i - start], points[1, i - start], points[2, i - start] = t[i] - origin, v, w[i] / sum_w
        chi2 += w[i] * v * v
    return points, sum_w, chi2


@part
def _add_band(points: Any, weight: float, model: Any, grid: Any, moments: Any, power: Any) -> None:
    """Blocks of frequencies around a centre: sums of cos(A + B) and cos(A - B) come from the same products.

    A band with harmonics of its own adds to `power`, one that shares them to `moments`.
    """
    nh, is_shared, x = model[0], model[1], points[0]
    near = _near_tables(x, grid[1], 2 * nh)
    far, turn, one = np.empty((2, len(x))), np.empty((2, len(x))), np.empty((2, len(x)))
    for i in range(len(x)):
        far[0, i], far[1, i] = 1.0, 1.0
        turn[0, i], turn[1, i] = _cos_sin(2 * _HALF * grid[1] * x[i])
    many = np.empty((6 * nh + 2, 2 * _HALF))
    many[_ONE], many[_ZERO] = 1.0, 0.0
    for block in range(len(power) // (2 * _HALF)):
        _turn(far, turn, x, grid[0] + (2 * _HALF * block + _HALF - 0.5) * grid[1], block % _CHUNK == 0)
        for q in range(1, 3 * nh + 1):
            k = _MULTIPLES[q]
            _multiple(far, k, points, q in _VALUES, one)
            _sum_products(one[0], one[1], near[2 * k - 2], near[2 * k - 1], many[2 * q : 2 * q + 2])
        m = moments[block if is_shared else 0]
        for k in range(len(m)):
            _covary(many, _COVARIANCES[k], weight, m[k])
        if not is_shared:
            _add_gain(m, nh, weight, power[2 * _HALF * block : 2 * _HALF * (block + 1)])


@part
def _turn(far: Any, turn: Any, x: Any, centre: float, is_exact: bool) -> None:
    """Cosine and sine of each point's angle at the centre of the next block."""
    for i in range(len(x)):
        c, s = far[0, i], far[1, i]
        far[0, i], far[1, i] = c * turn[0, i] - s * turn[1, i], s * turn[0, i] + c * turn[1, i]
    if is_exact:
        for i in range(len(x)):
            far[0, i], far[1, i] = _cos_sin(centre * x[i])


@part
def _cos_sin(turns: float) -> Any:
    angle = 2.0 * math.pi * turns
    return math.cos(angle), math.sin(angle)


@part
def _near_tables(x: Any, step: float, n_multiples: int) -> Any:
    """Cosines and sines of multiples of the angles (j + 1/2) step x, j below half a block."""
    tables = np.empty((2 * n_multiples, _HALF, len(x)))
    for i in range(len(x)):
        for m in range(n_multiples):
            c, s = _cos_sin(0.5 * (m + 1) * step * x[i])
            dc, ds = _cos_sin((m + 1) * step * x[i])
            for j in range(_HALF):
                tables[2 * m, j, i], tables[2 * m + 1, j, i] = c, s
                c, s = c * dc - s * ds, s * dc + c * ds
    return tables


@part
def _multiple(far: Any, m: int, points: Any, is_value: bool, out: Any) -> None:
    """Weight (times value) times cosine and sine of m times the angle."""
    u, v = points[2], points[1]
    for i in range(len(u)):
        c, s = far[0, i], far[1, i]
        cm, sm = c, s
        for _ in range(m - 1):
            cm, sm = cm * c - sm * s, sm * c + cm * s
        g = u[i] * v[i] if is_value else u[i]
        out[0, i], out[1, i] = g * cm, g * sm


@_summing
def _sum_products(gc: Any, gs: Any, near_c: Any, near_s: Any, out: Any) -> None:
    """Sums of g cos and g sin at the frequencies of a block, in ascending order."""
    for j in range(_HALF):
        cc = ss = sc = cs = 0.0
        for i in range(len(gc)):
            cc += gc[i] * near_c[j, i]
            ss += gs[i] * near_s[j, i]
            sc += gs[i] * near_c[j, i]
            cs += gc[i] * near_s[j, i]
        out[0, _HALF + j], out[1, _HALF + j] = cc - ss, sc + cs
        out[0, _HALF - 1 - j], out[1, _HALF - 1 - j] = cc + ss, sc - cs


@part
def _covary(many: Any, rows: Any, weight: float, out: Any) -> None:
    """Weighted covariance, which adds up over bands that share their harmonics.

    The mean of a product, by the half-angle rules, minus the product of the means; few arrays, so that it is fast.
    """
    first, sign, second, a, b = many[rows[0]], float(rows[1]), many[rows[2]], many[rows[3]], many[rows[4]]
    for k in range(2 * _HALF):
        out[k] += weight * (0.5 * (first[k] + sign * second[k]) - a[k] * b[k])


@part
def _add_gain(m: Any, nh: int, weight: float, power: Any) -> None:
    """Adds the decrease of chi2 to the powers of a block, and clears the moments."""
    if nh == 1:
        _gain_single(m, _SINGULAR * weight * weight, power)
    else:
        _gain_double(m, _SINGULAR * weight * weight, power)
    m[:] = 0.0


@part
def _gain_single(m: Any, minimum: float, power: Any) -> None:
    """Zechmeister & Kuerster 2009, equation 5, times chi2."""
    for k in range(2 * _HALF):
        cc, ss, cs, yc, ys = m[0, k], m[1, k], m[2, k], m[3, k], m[4, k]
        d = cc * ss - cs * cs
        gain = (ss * yc * yc + cc * ys * ys - 2.0 * cs * yc * ys) / d
        power[k] += gain if d > minimum else 0.0


@part
def _gain_double(m: Any, minimum: float, power: Any) -> None:
    """The same for two harmonics, the second one orthogonal to the first and the constant."""
    for k in range(2 * _HALF):
        cc, ss, cs, yc, ys = m[0, k], m[1, k], m[2, k], m[3, k], m[4, k]
        cp, sp, cq, sq = m[5, k], m[6, k], m[7, k], m[8, k]
        d = cc * ss - cs * cs
        gain = (ss * yc * yc + cc * ys * ys - 2.0 * cs * yc * ys) / d
        pc, ps = (ss * cp - cs * sp) / d, (cc * sp - cs * cp) / d
        qc, qs = (ss * cq - cs * sq) / d, (cc * sq - cs * cq) / d
        pp, qq, pq = m[9, k] - pc * cp - ps * sp, m[10, k] - qc * cq - qs * sq, m[11, k] - pc * cq - ps * sq
        yp, yq = m[12, k] - pc * yc - ps * ys, m[13, k] - qc * yc - qs * ys
        e = pp * qq - pq * pq
        gain += (qq * yp * yp + pp * yq * yq - 2.0 * pq * yp * yq) / e
        power[k] += gain if d > minimum and e > minimum else 0.0


@part
def _describe(t: Any, y: Any, w: Any, bounds: Any, model: Any, frame: Any, power: Any, out: Any) -> None:
    """Best peak, its error, the next one, the daily alias, the sampling."""
    start, step, length, total = frame
    peaks, apart = np.empty((3, 3)), 1.5 / length  # frequency, height, bend of the best, next, alias
    peaks[:] = math.nan
    for c in range(3):
        i = _top(power)
        if c == 1:
            i = _highest(power, start, step, 0.0, math.inf, (peaks[0, 0], apart))
        elif c == 2:
            i = _daily_alias(power, start, step, peaks[0, 0], apart)
        if i >= 0:
            peaks[c, 0], peaks[c, 1], peaks[c, 2] = _zoom(t, y, w, bounds, model, start + i * step, step, total)
        if c == 1 and peaks[1, 1] > peaks[0, 1]:
            for k in range(3):
                peaks[0, k], peaks[1, k] = peaks[1, k], peaks[0, k]
    f, top, bend = peaks[0, 0], peaks[0, 1], peaks[0, 2]
    if bend > 0:
        out[1] = math.sqrt(2.0 * max(1.0 / total, (1.0 - top) / out[10]) / bend) / (f * f)
    out[3] = power.size * step * math.sqrt(4.0 * math.pi * _time_variance(t, w, bounds, model))
    out[0], out[4], out[6] = 1.0 / f, 1.0 / peaks[1, 0], 1.0 / peaks[2, 0]
    out[2], out[5], out[7] = top, peaks[1, 1], peaks[2, 1]
    out[8] = _window(t, bounds, model, f)


@part
def _top(power: Any) -> int:
    """Index of the highest power."""
    top = 0
    for i in range(len(power)):
        top = i if power[i] > power[top] else top
    return top


@part
def _zoom(t: Any, y: Any, w: Any, bounds: Any, model: Any, f: float, step: float, total: float) -> Any:
    """Frequency, height and curvature of a peak: a grid 32 times finer than the search's, then a parabola."""
    fine = 2.0 * step / (2 * _HALF)
    first = max(f - step, 0.5 * f)
    power = np.empty(2 * _HALF)
    power[:] = 0.0
    _add_bands(t, y, w, bounds, model, (first, fine), power)
    i = _top(power)
    if i == 0 or i == len(power) - 1:
        return first + i * fine, min(power[i] / total, 1.0), 0.0
    below, at, above = power[i - 1] / total, power[i] / total, power[i + 1] / total
    bend = 2.0 * at - below - above
    if not bend > 0:
        return first + i * fine, min(at, 1.0), 0.0
    shift = 0.5 * (above - below) / bend
    return first + (i + shift) * fine, min(at + 0.5 * bend * shift * shift, 1.0), bend / (fine * fine)


@part
def _time_variance(t: Any, w: Any, bounds: Any, model: Any) -> Any:
    """Weighted variance of the times, mean over bands or of all, times the mean square of the harmonics' numbers."""
    total, k = 0.0, 0
    for b in range(1 if model[1] else len(bounds) - 1):
        start, stop = bounds[b], bounds[len(bounds) - 1 if model[1] else b + 1]
        if stop - start >= _min_points(model):
            _, weight, chi2 = _centred(t, t, w, start, stop, 0.0)
            total, k = total + chi2 / weight, k + 1
    return total / k * (1.0 if model[0] == 1 else 2.5)


@part
def _highest(power: Any, start: float, step: float, low: float, high: float, without: Any) -> int:
    """Index of the highest local maximum between two frequencies, not within `without` = (frequency, distance)."""
    found = -1
    first = max(0, math.ceil((low - start) / step))
    last = min(len(power) - 1, math.floor(min((high - start) / step, 1e15)))
    for i in range(first, last + 1):
        is_peak = (i == 0 or power[i] >= power[i - 1]) and (i == len(power) - 1 or power[i] > power[i + 1])
        if is_peak and abs(start + i * step - without[0]) > without[1] and (found < 0 or power[i] > power[found]):
            found = i
    return found


@part
def _daily_alias(power: Any, start: float, step: float, f: float, apart: float) -> int:
    found = -1
    for day in _DAYS:
        for turns in (-2, -1, 1, 2):
            for sign in (-1.0, 1.0):
                alias = sign * f + turns * day
                i = _highest(power, start, step, alias - apart, alias + apart, (f, apart)) if alias > 0 else -1
                if i >= 0 and (found < 0 or power[i] > power[found]):
                    found = i
    return found


@part
def _window(t: Any, bounds: Any, model: Any, f: float) -> float:
    c, s, n = 0.0, 0.0, 0
    for b in range(len(bounds) - 1):
        if bounds[b + 1] - bounds[b] >= _min_points(model):
            for i in range(bounds[b], bounds[b + 1]):
                x, y = _cos_sin((f * (t[i] - t[bounds[b]])) % 1.0)
                c, s, n = c + x, s + y, n + 1
    return (c * c + s * s) / (n * n)
