"""Compiled sums of the period search: the decrease of chi2 by harmonics that all bands share, at many frequencies.

The tables and sums have the precision of the array `near`, so that a search takes half the time in float32.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from redpoll.kernels import kernel, part, parts

HALF = 16
"""Frequencies on each side of a block's centre."""
_EXACT = 64  # blocks between two exact sines; in between, rotations
_PAD = 4
_SINGULAR = 1e-9
_FAINT = 0.4  # of the highest power so far, below which a block's exact powers are not needed
TIME, VALUE, WEIGHT = range(3)
_ONE, _ZERO, _YC, _YS, _C, _S, _C2, _S2, _YC2, _YS2, _C3, _S3, _C4, _S4 = range(14)
_COVARIANCES = np.array([
    (_ONE, 1, _C2, _C, _C), (_ONE, -1, _C2, _S, _S), (_ZERO, 1, _S2, _C, _S),
    (_YC, 1, _YC, _ZERO, _ZERO), (_YS, 1, _YS, _ZERO, _ZERO),
    (_C, 1, _C3, _C, _C2), (_S3, -1, _S, _S, _C2), (_S3, 1, _S, _C, _S2), (_C, -1, _C3, _S, _S2),
    (_ONE, 1, _C4, _C2, _C2), (_ONE, -1, _C4, _S2, _S2), (_ZERO, 1, _S4, _C2, _S2),
    (_YC2, 1, _YC2, _ZERO, _ZERO), (_YS2, 1, _YS2, _ZERO, _ZERO),
])  # fmt: skip
"""Rows of each covariance: half of the first plus or minus the second, minus the product of the last two."""
_summing = parts(fastmath={"reassoc", "contract", "nsz"})


@kernel
def powers(t: Any, y: Any, w: Any, bounds: Any, n_harmonics: int, grid: Any, power: Any) -> float:
    """The decrease of chi2 at each frequency into `power`, of `padded` size; returns chi2 of the constant model."""
    points, inner, weights, total = centred(t, y, w, bounds)
    near = tables(points[TIME], grid[1], 2 * n_harmonics, np.empty((2 * n_harmonics, 2 * HALF * len(points[TIME]))))
    add_gains(points, inner, weights, n_harmonics, grid, near, power)
    return float(total)


def padded(n: int) -> int:
    """Size of the array for n powers, in whole blocks."""
    return (n + 2 * HALF - 1) // (2 * HALF) * 2 * HALF


padded_size = part(padded)


@part
def centred(t: Any, y: Any, w: Any, bounds: Any) -> Any:
    """Points as rows of times from the middle, values from the band's mean, weights of sum one in each band.

    Also the bounds of the bands in them, the sum of the weights of each band, and chi2 of the constant model. Each
    band is padded by points without weight; one of fewer than two points, or without weights, is left out.
    """
    n_bands, size, first, last = len(bounds) - 1, 0, math.inf, -math.inf
    for b in range(n_bands):
        if _counts(w, bounds[b], bounds[b + 1]):
            size += (bounds[b + 1] - bounds[b] + _PAD - 1) // _PAD * _PAD
            for i in range(bounds[b], bounds[b + 1]):
                first, last = min(first, t[i]), max(last, t[i])
    points, inner, weights = np.zeros((3, size)), np.zeros(n_bands + 1, np.int64), np.zeros(n_bands)
    total, origin = 0.0, 0.5 * (first + last)
    for b in range(n_bands):
        start, stop, at = bounds[b], bounds[b + 1], inner[b]
        inner[b + 1] = at
        if not _counts(w, start, stop):
            continue
        inner[b + 1] = at + (stop - start + _PAD - 1) // _PAD * _PAD
        mean = 0.0
        for i in range(start, stop):
            weights[b] += w[i]
            mean += w[i] * (y[i] - y[start])
        for i in range(start, stop):
            v, k = y[i] - y[start] - mean / weights[b], at + i - start
            points[TIME, k], points[VALUE, k], points[WEIGHT, k] = t[i] - origin, v, w[i] / weights[b]
            total += w[i] * v * v
    return points, inner, weights, total


@part
def _counts(w: Any, start: int, stop: int) -> bool:
    """Whether a band has two points and weights."""
    return bool(stop - start >= 2 and w[start] > 0)


@part
def tables(x: Any, step: float, n_multiples: int, near: Any) -> Any:
    """Cosines and sines of multiples of the angles (j + 1/2) step x, j below half a block."""
    for i in range(len(x)):
        for m in range(n_multiples):
            c, s = cos_sin(0.5 * (m + 1) * step * x[i])
            dc, ds = cos_sin((m + 1) * step * x[i])
            for j in range(HALF):
                near[m, 2 * HALF * i + j], near[m, 2 * HALF * i + HALF + j] = c, s
                c, s = c * dc - s * ds, s * dc + c * ds
    return near


@part
def cos_sin(turns: float) -> Any:
    """Cosine and sine of an angle in turns."""
    angle = 2.0 * math.pi * turns
    return math.cos(angle), math.sin(angle)


@part
def add_gains(points: Any, bounds: Any, weights: Any, nh: int, grid: Any, near: Any, power: Any) -> None:
    """Blocks of frequencies around a centre: sums of cos(A + B) and cos(A - B) come from the same products."""
    x, all_weight = points[TIME], weights.sum()
    far, one, sums = np.ones((2, len(x))), np.empty((4, len(x)), near.dtype), np.empty(4 * HALF, near.dtype)
    turn = _turns(x, grid[1], len(power) > 2 * HALF)
    many, moments = np.zeros((6 * nh + 2, 2 * HALF)), np.zeros((5 if nh == 1 else len(_COVARIANCES), 2 * HALF))
    many[_ONE] = 1.0
    for block in range(len(power) // (2 * HALF)):
        _turn(far, turn, x, grid[0] + (2 * HALF * block + HALF - 0.5) * grid[1], block % _EXACT == 0)
        moments[:] = 0.0
        for b in range(len(weights)):
            if bounds[b + 1] > bounds[b]:
                _sums(points, far, near, nh, one, bounds[b], bounds[b + 1], sums, many)
                for k in range(len(moments)):
                    _covary(many, _COVARIANCES[k], weights[b], moments[k])
        room = power[2 * HALF * block : 2 * HALF * (block + 1)]
        if nh == 1:
            _gain_single(moments, _SINGULAR * all_weight * all_weight, room)
        else:
            _gain_double(moments, _SINGULAR * all_weight * all_weight, room)


@kernel
def one_harmonic(points: Any, weight: float, start: float, step: float, power: Any) -> None:
    """As `add_gains` for one harmonic of one band, in single precision; faint blocks get the classical periodogram.

    It is a third of the work, and differs where the sampling favours one phase.
    """
    x, top = points[TIME], 0.0
    near = tables(x, step, 2, np.empty((2, 2 * HALF * len(x)), np.float32))
    far, one, sums = np.ones((2, len(x))), np.empty((4, len(x)), near.dtype), np.empty(4 * HALF, near.dtype)
    turn = _turns(x, step, True)
    many, moments = np.zeros((8, 2 * HALF)), np.zeros((5, 2 * HALF))
    many[_ONE] = 1.0
    for block in range(len(power) // (2 * HALF)):
        _turn(far, turn, x, start + (2 * HALF * block + HALF - 0.5) * step, block % _EXACT == 0)
        _multiple(far, 1, points, one, 0, len(x))
        room = power[2 * HALF * block : 2 * HALF * (block + 1)]
        _sum_products(one[0], one[1], near[0], 0, len(x), sums, many[_YC : _YC + 2])
        if _classical(many[_YC], many[_YS], weight, room) > _FAINT * top:
            _sum_products(one[2], one[3], near[0], 0, len(x), sums, many[_C : _C + 2])
            _multiple(far, 2, points, one, 0, len(x))
            _sum_products(one[2], one[3], near[1], 0, len(x), sums, many[_C2 : _C2 + 2])
            moments[:] = 0.0
            for k in range(len(moments)):
                _covary(many, _COVARIANCES[k], weight, moments[k])
            _gain_single(moments, _SINGULAR * weight * weight, room)
            for k in range(2 * HALF):
                top = max(top, room[k])


@part
def _classical(yc: Any, ys: Any, weight: float, power: Any) -> float:
    """The periodogram for points at all phases alike, and its highest value."""
    highest = 0.0
    for k in range(2 * HALF):
        power[k] = 2.0 * weight * (yc[k] * yc[k] + ys[k] * ys[k])
    for k in range(2 * HALF):
        highest = max(highest, power[k])
    return highest


@part
def _turns(x: Any, step: float, is_needed: bool) -> Any:
    """Cosine and sine by which each point's angle turns from block to block."""
    turn = np.empty((2, len(x)))
    for i in range(len(x) if is_needed else 0):
        turn[0, i], turn[1, i] = cos_sin(2 * HALF * step * x[i])
    return turn


@part
def _turn(far: Any, turn: Any, x: Any, centre: float, is_exact: bool) -> None:
    """Cosine and sine of each point's angle at the centre of the next block."""
    for i in range(len(x)):
        if is_exact:
            far[0, i], far[1, i] = cos_sin(centre * x[i])
        else:
            c, s = far[0, i], far[1, i]
            far[0, i], far[1, i] = c * turn[0, i] - s * turn[1, i], s * turn[0, i] + c * turn[1, i]


@part
def _sums(points: Any, far: Any, near: Any, nh: int, one: Any, start: int, stop: int, sums: Any, many: Any) -> None:
    """All sums of one band in a block."""
    for m in range(1, 2 * nh + 1):
        _multiple(far, m, points, one, start, stop)
        if m <= nh:
            at = _YC if m == 1 else _YC2
            _sum_products(one[0], one[1], near[m - 1], start, stop, sums, many[at : at + 2])
        at = _C if m == 1 else _C2 if m == 2 else _C3 if m == 3 else _C4
        _sum_products(one[2], one[3], near[m - 1], start, stop, sums, many[at : at + 2])


@part
def _multiple(far: Any, m: int, points: Any, one: Any, start: int, stop: int) -> None:
    """Weight times value, and weight, times cosine and sine of m times the angle."""
    for i in range(start, stop):
        c, s = far[0, i], far[1, i]
        cm, sm = c, s
        for _ in range(m - 1):
            cm, sm = cm * c - sm * s, sm * c + cm * s
        u = points[WEIGHT, i]
        v = u * points[VALUE, i]
        one[0, i], one[1, i], one[2, i], one[3, i] = v * cm, v * sm, u * cm, u * sm


@_summing
def _sum_products(gc: Any, gs: Any, near: Any, start: int, stop: int, sums: Any, out: Any) -> None:
    """Sums of g cos and g sin at the frequencies of a block, in ascending order.

    Four points at a time, each a row of cosines and sines, so that the loop over frequencies is vectorised.
    """
    for j in range(4 * HALF):
        sums[j] = 0.0
    for i in range(start, stop, 4):
        a0, a1, a2, a3 = gc[i], gc[i + 1], gc[i + 2], gc[i + 3]
        b0, b1, b2, b3 = gs[i], gs[i + 1], gs[i + 2], gs[i + 3]
        row = near[2 * HALF * i : 2 * HALF * (i + 4)]
        for j in range(2 * HALF):
            t0, t1, t2, t3 = row[j], row[2 * HALF + j], row[4 * HALF + j], row[6 * HALF + j]
            sums[j] += a0 * t0 + a1 * t1 + a2 * t2 + a3 * t3
            sums[2 * HALF + j] += b0 * t0 + b1 * t1 + b2 * t2 + b3 * t3
    cc, cs, sc, ss = sums[:HALF], sums[HALF : 2 * HALF], sums[2 * HALF : 3 * HALF], sums[3 * HALF :]
    for j in range(HALF):
        out[0, HALF + j], out[1, HALF + j] = cc[j] - ss[j], sc[j] + cs[j]
        out[0, HALF - 1 - j], out[1, HALF - 1 - j] = cc[j] + ss[j], sc[j] - cs[j]


@part
def _covary(many: Any, rows: Any, weight: float, out: Any) -> None:
    """Weighted covariance, which adds up over bands that share their harmonics.

    The mean of a product, by the half-angle rules, minus the product of the means; few arrays, so that it is fast.
    """
    first, sign, second, a, b = many[rows[0]], float(rows[1]), many[rows[2]], many[rows[3]], many[rows[4]]
    for k in range(2 * HALF):
        out[k] += weight * (0.5 * (first[k] + sign * second[k]) - a[k] * b[k])


@part
def _gain_single(m: Any, minimum: float, power: Any) -> None:
    """Zechmeister & Kuerster 2009, equation 5, times chi2."""
    for k in range(2 * HALF):
        cc, ss, cs, yc, ys = m[0, k], m[1, k], m[2, k], m[3, k], m[4, k]
        d = cc * ss - cs * cs
        gain = (ss * yc * yc + cc * ys * ys - 2.0 * cs * yc * ys) / d
        power[k] = gain if d > minimum else 0.0


@part
def _gain_double(m: Any, minimum: float, power: Any) -> None:
    """The same for two harmonics, the second one orthogonal to the first and the constant."""
    for k in range(2 * HALF):
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
        power[k] = gain if d > minimum and e > minimum else 0.0
