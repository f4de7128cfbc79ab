"""Period search in many light curves of several bands, compiled: the best sine (or two harmonics) per band.

The method, its formulas and its figures are described in ``docs/explanation/kernels.md``.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from redpoll.answer_cache import cached_answers
from redpoll.astro.harmonics import band_amplitudes
from redpoll.astro.period_peaks import N_NUMBERS, search_all
from redpoll.astro.periodogram import padded, powers
from redpoll.astro.ragged import by_band, owners, some_parts

Array = NDArray[np.float64]


class Periods(NamedTuple):
    """Periods of each light curve; all NaN (and `n_frequencies` 0) where no search was possible."""

    period: Array
    """Best period [d]."""
    period_err: Array
    """One-sigma error [d] of this peak; another peak may be the right one, see the margins."""
    power: Array
    """Fraction of the weighted variance that two harmonics explain there, 0 to 1."""
    log10_fap: Array
    """Logarithm of the chance that white noise has a peak of one harmonic as high anywhere in the search."""
    second_period: Array
    """Period [d] of the next peak, neither half nor twice the best."""
    second_power: Array
    """Its power."""
    second_margin: Array
    """Logarithm (base 10) of the likelihood of the best period over that of the second, one count a visit.

    The errors are scaled to the scatter. It is no probability of the period: see the table of how often it is right.
    """
    alias_period: Array
    """Period [d] of the highest peak one or two cycles per day away from the best frequency or its mirror image."""
    alias_power: Array
    """Its power."""
    alias_margin: Array
    """As `second_margin`: below 1 or so, the data do not distinguish the best period from its daily alias."""
    window_power: Array
    """Power of the sampling itself at the best period, 0 to 1: near 1, all points have the same phase."""
    n_frequencies: NDArray[np.int64]
    """Number of frequencies searched."""
    amplitude: Array
    """Half the range of each band's own sine there, of shape (n_curves, n_bands), in the unit of the values."""


def multiband_periods(
    mjd: ArrayLike,
    value: ArrayLike,
    err: ArrayLike,
    band: ArrayLike,
    offsets: ArrayLike,
    *,
    shortest: ArrayLike = 0.05,
    min_cycles: float = 0.5,
    oversampling: float = 3.0,
    max_frequencies: int = 2_000_000,
    n_bands: int = 6,
    use_cache: bool = False,
) -> Periods:
    """Best period of each light curve, all bands together: peaks of one harmonic, compared by two.

    The values of each band are taken in units of their standard deviation, with 0.2 added to the errors in quadrature.
    The generalised Lomb-Scargle periodogram of one harmonic that all bands share is searched; two shared harmonics,
    with a mean of each band, are fitted at its twelve highest peaks, at half the frequency of four, and at the daily
    alias. The best is the period. The grid of a curve of length T goes from `min_cycles` / T to 1 / `shortest` (one
    number, or one a curve) in steps of 1 / (`oversampling` T), so that a trend is found as a period longer than T / 2
    and not as its daily alias near 1 d; call no such thing a period. A curve that needs more than `max_frequencies` is
    not searched. A point counts if time and value are finite, the error is finite and positive and the band in
    0..n_bands-1; a band counts with two points that differ.

    Points within 0.02 d are one visit. What a model does not explain is alike in all bands of a visit, so that
    each counts once in the margins; with a count for every point, a wrong period seems certain.

    Parameters
    ----------
    mjd, value, err, band
        Times [d], magnitudes or fluxes, one-sigma errors, band codes of all curves, end to end, in any order.
    offsets
        Curve ``i`` is ``[offsets[i]:offsets[i + 1]]``.
    use_cache
        Whether answers are kept for curves of the same points, where the caller has a cache
        (`redpoll.answer_cache`); worth it for light curves that are stepwise (`LightCurves.stepwise`).

    Raises
    ------
    ValueError
        If the arrays do not fit together or an option is out of range.

    References
    ----------
    Zechmeister & Kuerster 2009, A&A 496, 577; VanderPlas & Ivezic 2015, ApJ 812, 18 (its model (2, 0));
    Baluev 2008, MNRAS 385, 1279, for the false-alarm probability.

    Examples
    --------
    >>> t = np.sort(np.random.default_rng(1).uniform(0, 30, 40))
    >>> mag = 18 + 0.3 * np.sin(2 * np.pi * t / 0.57)
    >>> found = multiband_periods(t, mag, np.full(40, 0.02), np.full(40, 1), [0, 40])
    >>> round(float(found.period[0]), 3), round(float(found.amplitude[0, 1]), 2), bool(found.log10_fap[0] < -10)
    (0.57, 0.3, True)
    """
    if not (np.all(np.asarray(shortest) > 0) and min_cycles > 0 and oversampling >= 1 and n_bands > 0):
        raise ValueError("shortest, min_cycles and n_bands must be positive; oversampling at least 1")
    t, y, weight, parts = _split(mjd, value, err, band, offsets, n_bands)
    limits = np.ascontiguousarray(np.broadcast_to(np.asarray(shortest, np.float64), len(parts) // n_bands))
    grid = np.array([min_cycles, oversampling, float(max_frequencies)])

    def search(curves: NDArray[np.int64]) -> Array:
        index, some = some_parts(np.arange(len(t)), parts, _parts_of(curves, n_bands))
        numbers, amplitude = np.full((len(curves), N_NUMBERS), np.nan), np.full((len(curves), n_bands), np.nan)
        points = t[index], y[index], weight[index]
        search_all(*points, some, limits[curves], grid, numbers)
        band_amplitudes(*points, some, 1.0 / numbers[:, 0], 1, amplitude)
        return np.hstack([numbers, amplitude])

    options, bounds = f"periods {grid.tolist()} {n_bands}", parts[::n_bands]
    points = [t, y, weight, owners(parts) % n_bands, limits[owners(bounds)]]
    found = cached_answers(options, bounds, points, N_NUMBERS + n_bands, search, use_cache=use_cache)
    return _periods(found[:, :N_NUMBERS], found[:, N_NUMBERS:])


def _parts_of(curves: NDArray[np.int64], n_bands: int) -> NDArray[np.int64]:
    """The parts that are the bands of these curves."""
    return np.asarray((curves[:, None] * n_bands + np.arange(n_bands)).ravel())


def _periods(numbers: Array, amplitude: Array) -> Periods:
    period, err, power, second, second_power, alias, alias_power, window, top, width, free, visits, size = numbers.T
    fap = log10_false_alarm(top, width, 2.0, free + 2.0)
    rest, rivals = (np.log10(np.maximum(1.0 - p, 1e-15)) for p in (power, np.stack([second_power, alias_power])))
    margins = 0.5 * np.maximum(visits, 0.0) * (rivals - rest)
    tried = np.nan_to_num(size).astype(np.int64)
    others = (second, second_power, margins[0], alias, alias_power, margins[1])
    return Periods(period, err, power, fap, *others, window, tried, amplitude)


def log10_false_alarm(power: ArrayLike, width: ArrayLike, n_coefficients: ArrayLike, free: ArrayLike) -> Array:
    """Logarithm of the chance that white noise has a peak as high as `power` somewhere in a search.

    Baluev's bound for the periodogram normalised by the scatter itself, so that errors that are all too small by one
    factor do no harm. `width` is the frequency range times sqrt(4 pi var(t)), `n_coefficients` (even) what the
    periodic part of the model has, `free` the points less all coefficients. For two coefficients it is Baluev's
    equation; for more, his count of upcrossings for a beta-distributed power of as many coefficients.

    References
    ----------
    Baluev 2008, MNRAS 385, 1279, equations 5 and 6; 2009, MNRAS 395, 1541.

    Examples
    --------
    >>> log10_false_alarm([0.5, 0.9], 1000.0, 2, 27).round(2).tolist()
    [-0.56, -9.45]
    """
    power = np.minimum(np.asarray(power, np.float64), 1.0 - 1e-15)
    d, free = np.asarray(n_coefficients, np.float64), np.asarray(free, np.float64)
    rest = np.log1p(-power)
    single = 0.5 * free * rest + np.log(_beta_tail(power, d, free))
    gamma = _log_gamma(0.5 * (free + d)) - _log_gamma(0.5 * d) - _log_gamma(0.5 * (free + 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        crossings = np.log(width) + gamma + 0.5 * (d - 1) * np.log(power) + 0.5 * (free - 1) * rest
        either = np.logaddexp(single, crossings)
        exact = -np.expm1(np.log1p(-np.exp(np.clip(single, -30, -1e-16))) - np.exp(np.clip(crossings, -30, 30)))
        return np.asarray(np.where(either < -20, either, np.log(exact)) / np.log(10.0))


def _log_gamma(x: Array) -> Array:
    values = (math.lgamma(v) if v > 0 else math.nan for v in x.ravel().tolist())
    return np.fromiter(values, np.float64, x.size).reshape(x.shape)


def _beta_tail(power: Array, d: Array, free: Array) -> Array:
    """Finite series of the incomplete beta function, d even."""
    total, term = np.ones(np.broadcast_shapes(power.shape, d.shape, free.shape)), np.ones(())
    for j in range(1, int(np.nanmax(d, initial=2.0)) // 2):
        term = term * (0.5 * free + j - 1) / j * power
        total = np.where(j < d // 2, total + term, total)
    return total


def multiband_periodogram(
    mjd: ArrayLike,
    value: ArrayLike,
    err: ArrayLike,
    band: ArrayLike,
    grid: tuple[float, float, int],
    *,
    n_harmonics: int = 1,
    n_bands: int = 6,
) -> Array:
    """Power of one light curve at the frequencies ``start + step * arange(n)`` [1/d] of ``grid = (start, step, n)``.

    All bands share `n_harmonics` (1 or 2), each has its own mean; the values are used as they are. All NaN without a
    band of two points that differ.

    >>> t = np.arange(20.0) * 0.77
    >>> power = multiband_periodogram(t, np.sin(t), np.ones(20), np.ones(20), (0.1, 0.0295775, 3))
    >>> power.round(3).tolist()[2]
    1.0
    """
    if n_harmonics not in (1, 2):
        raise ValueError(f"n_harmonics must be 1 or 2, not {n_harmonics}")
    t, y, weight, parts = _split(mjd, value, err, band, [0, np.size(mjd)], n_bands)
    start, step, n = grid
    power = np.zeros(padded(max(n, 1)))
    total = powers(t, y, weight, parts, n_harmonics, (start, step), power)
    return power[:n] / total if total > 0 else np.full(n, np.nan)


def _split(
    mjd: ArrayLike, value: ArrayLike, err: ArrayLike, band: ArrayLike, offsets: ArrayLike, n_bands: int
) -> tuple[Array, Array, Array, NDArray[np.int64]]:
    """Usable points by curve and band: time, value, weight, and the offsets of the parts."""
    t, y, sigma = (np.asarray(x, np.float64) for x in (mjd, value, err))
    code, bounds = np.asarray(band), np.asarray(offsets, np.int64)
    if not t.shape == y.shape == sigma.shape == code.shape == (t.size,):
        raise ValueError("mjd, value, err and band must be arrays of one dimension and equal length")
    if bounds.ndim != 1 or not len(bounds) or bounds[0] != 0 or bounds[-1] != t.size or (np.diff(bounds) < 0).any():
        raise ValueError(f"offsets must ascend from 0 to {t.size}")
    keep = np.isfinite(t) & np.isfinite(y) & np.isfinite(sigma) & (sigma > 0) & (code < n_bands)
    order, parts = by_band(bounds, code.astype(np.int8), keep, n_bands)
    return t[order], y[order], 1.0 / sigma[order] ** 2, parts
