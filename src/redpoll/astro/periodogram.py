"""The compiled part of the period search: powers at many frequencies, and what they say.

All kernels are in this one file because numba's cache watches the file of the function that is called, only.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

_HALF = 32  # frequencies on each side of a block's centre
_EXACT_EVERY = 32  # blocks between two exact sines; in between, rotations
_PAD = 8
_DAYS = (1.0, 1.0027379093)  # nights return once a solar day, a field once a sidereal day: frequencies [1/d]
_SINGULAR = 1e-9
N_NUMBERS = 11
_compiled = njit(cache=True, nogil=True, error_model="numpy")
_summing = njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"})


@_compiled
def search_all(t: Any, y: Any, w: Any, parts: Any, nh: int, grid: Any, numbers: Any, tried: Any, amp: Any) -> None:
    n_bands = amp.shape[1]
    power = np.empty(0)
    for i in range(len(numbers)):
        bounds = parts[i * n_bands : (i + 1) * n_bands + 1]
        n, k, first, last = _extent(t, bounds, nh)
        length = last - first
        if n - k - 2 * nh * k < 1 or not length > 0:
            continue
        start, step = grid[1] / length, 1.0 / (grid[2] * length)
        size = math.floor((grid[0] - start) / step) + 1
        if size < 3 or size > grid[3]:
            continue
        if len(power) < padded(size):
            power = np.empty(padded(size))
        power[: padded(size)] = 0.0
        total = add_bands(t, y, w, bounds, nh, (start, step), power[: padded(size)])
        if total > 0:
            tried[i] = size
            power[:size] /= total
            _describe(t, y, w, bounds, nh, (start, step, length, total), (n, k), power[:size], numbers[i], amp[i])


@_compiled
def padded(n: int) -> int:
    """Size of the room for n powers: whole blocks."""
    return (n + 2 * _HALF - 1) // (2 * _HALF) * 2 * _HALF


@_compiled
def _extent(t: Any, bounds: Any, nh: int) -> Any:
    """Points and bands that count, their first and last time."""
    n, k, first, last = 0, 0, math.inf, -math.inf
    for b in range(len(bounds) - 1):
        if bounds[b + 1] - bounds[b] >= 2 * nh + 2:
            n, k = n + bounds[b + 1] - bounds[b], k + 1
            for i in range(bounds[b], bounds[b + 1]):
                first, last = min(first, t[i]), max(last, t[i])
    return n, k, first, last


@_compiled
def add_bands(t: Any, y: Any, w: Any, bounds: Any, nh: int, grid: Any, power: Any) -> float:
    """Adds the fall of chi2 at each frequency to `power`; returns chi2 of the constant model."""
    total = 0.0
    for b in range(len(bounds) - 1):
        part = slice(bounds[b], bounds[b + 1])
        if bounds[b + 1] - bounds[b] >= 2 * nh + 2:
            x, v, u, chi2 = _centred(t[part], y[part], w[part])
            if chi2 > 0:
                total += chi2
                _add_band(x, v, u, chi2, nh, grid[0], grid[1], power)
    return total


@_compiled
def _centred(t: Any, y: Any, w: Any) -> Any:
    """Times and values from their weighted means, weights of sum one, chi2; padded with points of no weight."""
    n = len(t)
    size = (n + _PAD - 1) // _PAD * _PAD
    x, v, u = np.zeros(size), np.zeros(size), np.zeros(size)
    mean_t = mean_y = sum_w = chi2 = 0.0
    for i in range(n):
        sum_w += w[i]
        mean_t += w[i] * (t[i] - t[0])
        mean_y += w[i] * (y[i] - y[0])
    for i in range(n):
        x[i], v[i] = t[i] - t[0] - mean_t / sum_w, y[i] - y[0] - mean_y / sum_w
        u[i] = w[i] / sum_w
        chi2 += w[i] * v[i] * v[i]
    return x, v, u, chi2


@_compiled
def _add_band(x: Any, v: Any, u: Any, chi2: float, nh: int, start: float, step: float, power: Any) -> None:
    """Blocks of frequencies around a centre: sums of cos(A + B) and cos(A - B) come from the same products."""
    n, scale = len(x), 0.0
    for i in range(n):
        scale += u[i] * v[i] * v[i]
    near = _near_tables(x, step, 2 * nh)
    far, turn = np.empty((2, n)), np.empty((2, n))
    for i in range(n):
        turn[0, i], turn[1, i] = _circle(2 * _HALF * step * x[i])
    one, many = np.empty((2, n)), np.empty((3 * nh, 2, 2 * _HALF))
    for block in range(len(power) // (2 * _HALF)):
        centre = start + (2 * _HALF * block + _HALF - 0.5) * step
        for i in range(n):
            if block % _EXACT_EVERY == 0:
                far[0, i], far[1, i] = _circle(centre * x[i])
            else:
                c, s = far[0, i], far[1, i]
                far[0, i], far[1, i] = c * turn[0, i] - s * turn[1, i], s * turn[0, i] + c * turn[1, i]
        for q in range(3 * nh):  # weights at 1..2nh times the angle, then weighted values at 1..nh
            _multiple(far, q % (2 * nh) + 1, u, v, q >= 2 * nh, one)
            _sum_products(one[0], one[1], near[0, q % (2 * nh)], near[1, q % (2 * nh)], many[q])
        room = power[2 * _HALF * block : 2 * _HALF * (block + 1)]
        if nh == 1:
            _add_single(many, chi2 / scale, room)
        else:
            _add_double(many, chi2 / scale, room)


@_compiled
def _circle(turns: float) -> Any:
    angle = 2.0 * math.pi * turns
    return math.cos(angle), math.sin(angle)


@_compiled
def _near_tables(x: Any, step: float, n_multiples: int) -> Any:
    """Cosines and sines of multiples of the angles (j + 1/2) step x, j below half a block."""
    tables = np.empty((2, n_multiples, _HALF, len(x)))
    for i in range(len(x)):
        for m in range(n_multiples):
            c, s = _circle(0.5 * (m + 1) * step * x[i])
            dc, ds = _circle((m + 1) * step * x[i])
            for j in range(_HALF):
                tables[0, m, j, i], tables[1, m, j, i] = c, s
                c, s = c * dc - s * ds, s * dc + c * ds
    return tables


@_compiled
def _multiple(far: Any, m: int, u: Any, v: Any, is_value: bool, out: Any) -> None:
    """Weight (times value) times cosine and sine of m times the angle."""
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


@_compiled
def _add_single(many: Any, factor: float, power: Any) -> None:
    """Zechmeister & Kuerster 2009, equation 5, times chi2."""
    for k in range(2 * _HALF):
        c, s = many[0, 0, k], many[0, 1, k]
        yc, ys = many[2, 0, k], many[2, 1, k]
        cc = 0.5 * (1.0 + many[1, 0, k]) - c * c
        ss = 0.5 * (1.0 - many[1, 0, k]) - s * s
        cs = 0.5 * many[1, 1, k] - c * s
        d = cc * ss - cs * cs
        gain = (ss * yc * yc + cc * ys * ys - 2.0 * cs * yc * ys) / d
        power[k] += factor * gain if d > _SINGULAR else 0.0


@_compiled
def _add_double(many: Any, factor: float, power: Any) -> None:
    """The same for two harmonics: the second one explains what the first, and the constant, left of it."""
    for k in range(2 * _HALF):
        c1, c2, c3, c4 = many[0, 0, k], many[1, 0, k], many[2, 0, k], many[3, 0, k]
        s1, s2, s3, s4 = many[0, 1, k], many[1, 1, k], many[2, 1, k], many[3, 1, k]
        cc, ss, cs = 0.5 * (1.0 + c2) - c1 * c1, 0.5 * (1.0 - c2) - s1 * s1, 0.5 * s2 - c1 * s1
        pp, qq, pq = 0.5 * (1.0 + c4) - c2 * c2, 0.5 * (1.0 - c4) - s2 * s2, 0.5 * s4 - c2 * s2
        cp, sp = 0.5 * (c1 + c3) - c1 * c2, 0.5 * (s3 - s1) - s1 * c2
        cq, sq = 0.5 * (s3 + s1) - c1 * s2, 0.5 * (c1 - c3) - s1 * s2
        yc, ys, yp, yq = many[4, 0, k], many[4, 1, k], many[5, 0, k], many[5, 1, k]
        d = cc * ss - cs * cs
        gain = (ss * yc * yc + cc * ys * ys - 2.0 * cs * yc * ys) / d
        pc, ps = (ss * cp - cs * sp) / d, (cc * sp - cs * cp) / d
        qc, qs = (ss * cq - cs * sq) / d, (cc * sq - cs * cq) / d
        pp, qq, pq = pp - pc * cp - ps * sp, qq - qc * cq - qs * sq, pq - pc * cq - ps * sq
        yp, yq = yp - pc * yc - ps * ys, yq - qc * yc - qs * ys
        e = pp * qq - pq * pq
        gain += (qq * yp * yp + pp * yq * yq - 2.0 * pq * yp * yq) / e
        power[k] += factor * gain if d > _SINGULAR and e > _SINGULAR else 0.0


@_compiled
def _solve(sums: Any, nh: int, matrix: Any, b: Any, x: Any) -> float:
    """Coefficients x of the cosines and sines of the harmonics by elimination; returns the variance they explain."""
    for p in range(nh):
        b[2 * p], b[2 * p + 1] = sums[2 * nh + p, 0], sums[2 * nh + p, 1]
        for q in range(p + 1):
            plus_c, plus_s = sums[p + q + 1, 0], sums[p + q + 1, 1]
            less_c, less_s = (sums[p - q - 1, 0], sums[p - q - 1, 1]) if p > q else (1.0, 0.0)
            cp, sp, cq, sq = sums[p, 0], sums[p, 1], sums[q, 0], sums[q, 1]
            matrix[2 * p, 2 * q] = 0.5 * (less_c + plus_c) - cp * cq
            matrix[2 * p + 1, 2 * q + 1] = 0.5 * (less_c - plus_c) - sp * sq
            matrix[2 * p + 1, 2 * q] = 0.5 * (plus_s + less_s) - sp * cq
            matrix[2 * p, 2 * q + 1] = 0.5 * (plus_s - less_s) - cp * sq
    return _eliminate(matrix, b, x)


@_compiled
def _eliminate(a: Any, b: Any, x: Any) -> float:
    """L D L^T of the lower triangle, in place; b^T A^-1 b, or 0 where A is singular."""
    n, gain = len(b), 0.0
    for i in range(n):
        x[i] = b[i]
        for j in range(i):
            for k in range(j):
                a[i, j] -= a[i, k] * a[j, k] * a[k, k]
            a[i, j] /= a[j, j]
            a[i, i] -= a[i, j] * a[i, j] * a[j, j]
            x[i] -= a[i, j] * x[j]
        if a[i, i] < _SINGULAR:
            return 0.0
        gain += x[i] * x[i] / a[i, i]
    for i in range(n - 1, -1, -1):
        x[i] /= a[i, i]
        for j in range(i + 1, n):
            x[i] -= a[j, i] * x[j]
    return gain


@_compiled
def _describe(
    t: Any, y: Any, w: Any, bounds: Any, nh: int, frame: Any, size: Any, power: Any, out: Any, amp: Any
) -> None:
    """Best peak, its error, the next one, the daily aliases, the sampling, the amplitudes."""
    start, step, length, total = frame
    n, k = size
    free, apart = n - k - 2 * nh * k, 1.5 / length
    f, top, bend = _zoom(t, y, w, bounds, nh, start + np.argmax(power) * step, step, total)
    second = _highest(power, start, step, 0.0, math.inf, (f, apart))
    if second >= 0:
        g, next_top, next_bend = _zoom(t, y, w, bounds, nh, start + second * step, step, total)
        if next_top > top:
            f, top, bend, g, next_top = g, next_top, next_bend, f, top
        out[4], out[5] = 1.0 / g, next_top
    out[0], out[2] = 1.0 / f, top
    if bend > 0:
        out[1] = math.sqrt(2.0 * max(1.0 / total, (1.0 - top) / free) / bend) / (f * f)
    alias = _daily_alias(power, start, step, f, apart)
    if alias >= 0:
        g, out[7], _ = _zoom(t, y, w, bounds, nh, start + alias * step, step, total)
        out[6] = 1.0 / g
    out[3], out[9], out[10] = power.size * step * math.sqrt(4.0 * math.pi * _time_variance(t, w, bounds, nh)), k, free
    out[8] = _window(t, bounds, nh, f)
    for b in range(len(amp)):
        part = slice(bounds[b], bounds[b + 1])
        if bounds[b + 1] - bounds[b] >= 2 * nh + 2:
            amp[b] = _amplitude(t[part], y[part], w[part], nh, f)


@_compiled
def _zoom(t: Any, y: Any, w: Any, bounds: Any, nh: int, f: float, step: float, total: float) -> Any:
    """Frequency, height and curvature of a peak: a grid 32 times finer than the search's, then a parabola."""
    fine = 2.0 * step / (2 * _HALF)
    first = max(f - step, 0.5 * f)
    power = np.zeros(2 * _HALF)
    add_bands(t, y, w, bounds, nh, (first, fine), power)
    i = np.argmax(power)
    if i == 0 or i == len(power) - 1:
        return first + i * fine, min(power[i] / total, 1.0), 0.0
    below, at, above = power[i - 1] / total, power[i] / total, power[i + 1] / total
    bend = 2.0 * at - below - above
    if not bend > 0:
        return first + i * fine, min(at, 1.0), 0.0
    shift = 0.5 * (above - below) / bend
    return first + (i + shift) * fine, min(at + 0.5 * bend * shift * shift, 1.0), bend / (fine * fine)


@_compiled
def _time_variance(t: Any, w: Any, bounds: Any, nh: int) -> float:
    """Weighted variance of the times, mean over bands, times the mean square of the harmonics' numbers."""
    total, k = 0.0, 0
    for b in range(len(bounds) - 1):
        part = slice(bounds[b], bounds[b + 1])
        if bounds[b + 1] - bounds[b] >= 2 * nh + 2:
            x, _, u, _ = _centred(t[part], t[part], w[part])
            total += np.sum(u * x * x)
            k += 1
    return total / k * (1.0 if nh == 1 else 2.5)


@_compiled
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


@_compiled
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


@_compiled
def _window(t: Any, bounds: Any, nh: int, f: float) -> float:
    c, s, n = 0.0, 0.0, 0
    for b in range(len(bounds) - 1):
        if bounds[b + 1] - bounds[b] >= 2 * nh + 2:
            for i in range(bounds[b], bounds[b + 1]):
                x, y = _circle((f * (t[i] - t[bounds[b]])) % 1.0)
                c, s, n = c + x, s + y, n + 1
    return (c * c + s * s) / (n * n)


@_compiled
def _amplitude(t: Any, y: Any, w: Any, nh: int, f: float) -> float:
    x, v, u, _ = _centred(t, y, w)
    sums = np.zeros((3 * nh, 2))
    for i in range(len(x)):
        for q in range(3 * nh):
            c, s = _circle((q % (2 * nh) + 1) * f * x[i])
            g = u[i] * v[i] if q >= 2 * nh else u[i]
            sums[q, 0] += g * c
            sums[q, 1] += g * s
    matrix, b, a = np.empty((2 * nh, 2 * nh)), np.empty(2 * nh), np.empty(2 * nh)
    if not _solve(sums, nh, matrix, b, a) > 0:
        return math.nan
    if nh == 1:
        return math.hypot(a[0], a[1])
    low, high = math.inf, -math.inf
    for k in range(64):
        c, s = _circle(k / 64)
        value = a[0] * c + a[1] * s + a[2] * (c * c - s * s) + a[3] * 2.0 * s * c
        low, high = min(low, value), max(high, value)
    return 0.5 * (high - low)
