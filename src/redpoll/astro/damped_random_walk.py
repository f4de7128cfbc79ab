"""Damped random walk (Ornstein-Uhlenbeck process) in many light curves at once: likelihood and best fit, compiled.

The method, its formulas and its figures are described in ``docs/explanation/kernels.md``.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from redpoll.answer_cache import cached_answers
from redpoll.astro.order_statistics import medians
from redpoll.astro.ragged import some_parts
from redpoll.kernels import kernel, part

Array = NDArray[np.float64]
_TAUS, _SIGMAS = 12, 9  # grid
_LOWEST, _HIGHEST = 0.02, 20.0  # sigma, in units of the values' own spread
_ROUNDS, _RADIUS, _CLOSE, _STENCIL = 40, 1.0, 1e-4, 0.01
_LOG_2PI = math.log(2.0 * math.pi)


class DampedRandomWalk(NamedTuple):
    """Fit of each light curve; NaN where it has fewer than four points or no duration."""

    tau: Array
    """Damping time [d] of the most likely walk."""
    tau_err: Array
    """Its one-sigma error [d], from the curvature of the likelihood in ln(tau); NaN where the data do not bound it."""
    sigma: Array
    """Standard deviation of the walk over times longer than tau, in the unit of the values."""
    sigma_err: Array
    """Its one-sigma error, likewise."""
    mean: Array
    """Most likely mean."""
    log_likelihood: Array
    """Natural logarithm of the likelihood there."""
    log_likelihood_white: Array
    """The same for white noise of unknown variance in addition to the errors."""
    log_likelihood_constant: Array
    """The same for a constant source."""
    delta_bic_white: Array
    """Bayesian information criterion of white noise minus that of the walk: positive favours the walk."""
    delta_bic_constant: Array
    """The same for a constant source."""


def damped_random_walk_fit(
    mjd: ArrayLike, value: ArrayLike, err: ArrayLike, offsets: ArrayLike, *, use_cache: bool = False
) -> DampedRandomWalk:
    """Most likely damped random walk of each light curve, beside white noise and a constant.

    The covariance of two points is sigma**2 exp(-dt / tau), plus err**2 on the diagonal; the mean is fitted with it.
    tau is searched from a third of the shortest gap (at least 1e-4 of the length) to ten times the length. At the upper
    limit no damping is detected, at the lower the walk is white noise; there `tau_err` is NaN.

    Parameters
    ----------
    mjd, value, err
        Times [d], magnitudes or fluxes and one-sigma errors of all curves, end to end, each curve sorted in time. A
        point is used if all are finite and the error is positive.
    offsets
        Curve ``i`` is ``[offsets[i]:offsets[i + 1]]``.
    use_cache
        As in `redpoll.astro.periods.multiband_periods`.

    Raises
    ------
    ValueError
        If the arrays do not fit together or a curve is not sorted in time.

    References
    ----------
    Kelly, Bechtold & Siemiginowska 2009, ApJ 698, 895, equations 6 to 12; Kozlowski et al. 2010, ApJ 708, 927.

    Examples
    --------
    >>> t = np.arange(300.0)
    >>> walk, rng = np.zeros(300), np.random.default_rng(2)
    >>> for i in range(1, 300):
    ...     walk[i] = np.exp(-1 / 20) * walk[i - 1] + 0.2 * np.sqrt(1 - np.exp(-2 / 20)) * rng.normal()
    >>> fit = damped_random_walk_fit(t, 19 + walk, np.full(300, 0.01), [0, 300])
    >>> bool(10 < fit.tau[0] < 60), bool(fit.delta_bic_white[0] > 100)
    (True, True)
    """
    t, y, variance, bounds = _checked(mjd, value, err, offsets)

    def fit(curves: NDArray[np.int64]) -> Array:
        index, some = some_parts(np.arange(len(t)), bounds, curves)
        found, errors = np.full((len(curves), len(DampedRandomWalk._fields)), np.nan), np.empty(len(curves))
        medians(variance[index], some, np.empty(len(index)), errors)
        _fit_all(t[index], y[index], variance[index], some, np.sqrt(errors), found)
        return found

    points, n_numbers = [t, y, variance], len(DampedRandomWalk._fields)
    found = cached_answers("damped random walk", bounds, points, n_numbers, fit, use_cache=use_cache)
    return DampedRandomWalk(*found.T)


def damped_random_walk_log_likelihood(
    mjd: ArrayLike, value: ArrayLike, err: ArrayLike, offsets: ArrayLike, walk: tuple[ArrayLike, ArrayLike]
) -> Array:
    """Natural logarithm of the likelihood of ``walk = (tau, sigma)``, for the most likely mean; arguments as above.

    `tau` [d] may be 0, which is white noise, and `sigma` 0, a constant. NaN for a curve without points.

    >>> damped_random_walk_log_likelihood([0.0, 1.0], [1.0, 2.0], [1.0, 1.0], [0, 2], (5.0, 0.0)).round(4).tolist()
    [-2.0879]
    """
    t, y, variance, bounds = _checked(mjd, value, err, offsets)
    tau, sigma = (np.broadcast_to(np.asarray(x, np.float64), len(bounds) - 1).copy() for x in walk)
    found = np.full(len(bounds) - 1, np.nan)
    _likelihood_all(t, y, variance, bounds, tau, sigma, found)
    return found


def _checked(
    mjd: ArrayLike, value: ArrayLike, err: ArrayLike, offsets: ArrayLike
) -> tuple[Array, Array, Array, NDArray[np.int64]]:
    """The usable points: times, values, variances and offsets."""
    t, y, sigma = (np.asarray(x, np.float64) for x in (mjd, value, err))
    bounds = np.asarray(offsets, np.int64)
    if not t.shape == y.shape == sigma.shape == (t.size,):
        raise ValueError("mjd, value and err must be arrays of one dimension and equal length")
    if bounds.ndim != 1 or not len(bounds) or bounds[0] < 0 or bounds[-1] > t.size or (np.diff(bounds) < 0).any():
        raise ValueError(f"offsets must ascend within 0..{t.size}")
    keep = np.isfinite(t) & np.isfinite(y) & np.isfinite(sigma) & (sigma > 0)
    kept_before = np.concatenate([[0], np.cumsum(keep)])[bounds]
    t, y, variance = t[keep], y[keep], sigma[keep] ** 2
    falls = np.flatnonzero(np.diff(t) < 0) + 1
    unsorted = np.setdiff1d(falls[(falls > kept_before[0]) & (falls < kept_before[-1])], kept_before)
    if len(unsorted):
        curve = np.searchsorted(kept_before, unsorted[0], side="right") - 1
        raise ValueError(f"light curve {curve} is not sorted in time; sort it first")
    return t, y, variance, kept_before


@kernel
def _fit_all(t: Any, y: Any, variance: Any, bounds: Any, errors: Any, found: Any) -> None:
    for i in range(len(found)):
        part = slice(bounds[i], bounds[i + 1])
        n = bounds[i + 1] - bounds[i]
        if n >= 4 and t[bounds[i + 1] - 1] > t[bounds[i]]:
            _fit(t[part], y[part], variance[part], errors[i], found[i])


@kernel
def _likelihood_all(t: Any, y: Any, variance: Any, bounds: Any, tau: Any, sigma: Any, found: Any) -> None:
    for i in range(len(found)):
        part = slice(bounds[i], bounds[i + 1])
        if bounds[i + 1] > bounds[i]:
            rho = np.empty(bounds[i + 1] - bounds[i])
            _decays(t[part], tau[i], rho)
            found[i], _ = _log_likelihood(y[part], variance[part], rho, sigma[i])


@part
def _decays(t: Any, tau: float, rho: Any) -> None:
    """exp(-dt / tau) from each point to the next; zero for the last."""
    for i in range(len(t) - 1):
        rho[i] = math.exp((t[i] - t[i + 1]) / tau) if tau > 0 else 0.0
    rho[-1] = 0.0


@part
def _log_likelihood(y: Any, variance: Any, rho: Any, sigma: float) -> Any:
    """Log-likelihood and most likely mean, by Kalman recursion over the points.

    Logarithms are taken of products of variances, before these overflow or underflow.
    """
    total = sigma * sigma
    omega, ahead, ahead_one = total, 0.0, 0.0
    yy = y1 = one = logs = 0.0
    product = 1.0
    for i in range(len(y)):
        inverse = 1.0 / (omega + variance[i])
        product *= omega + variance[i]
        if product > 1e150 or product < 1e-150:
            logs += math.log(product)
            product = 1.0
        a, b = y[i] - y[0] - ahead, 1.0 - ahead_one
        yy += a * a * inverse
        y1 += a * b * inverse
        one += b * b * inverse
        gain = omega * inverse
        ahead, ahead_one = rho[i] * (ahead + gain * a), rho[i] * (ahead_one + gain * b)
        omega = total + rho[i] * rho[i] * (variance[i] * gain - total)
    logs += math.log(product)
    return -0.5 * (len(y) * _LOG_2PI + logs + yy - y1 * y1 / one), y[0] + y1 / one


@part
def _fit(t: Any, y: Any, variance: Any, error: float, out: Any) -> None:
    n = len(t)
    rho = np.empty(n)
    rho[:] = 0.0
    unit = max(_deviation(y), error)  # the standard deviation or the median error
    low, high = math.log(_shortest_tau(t)), math.log(10.0 * (t[-1] - t[0]))
    lowest, highest = math.log(_LOWEST * unit), math.log(_HIGHEST * unit)
    white = _best_white(y, variance, rho, lowest, highest)
    constant, _ = _log_likelihood(y, variance, rho, 0.0)
    best = (-math.inf, 0.0, 0.0)
    for i in range(_TAUS):
        u = low + (high - low) * i / (_TAUS - 1)
        _decays(t, math.exp(u), rho)
        for j in range(_SIGMAS):
            v = lowest + (highest - lowest) * j / (_SIGMAS - 1)
            value, _ = _log_likelihood(y, variance, rho, math.exp(v))
            if value > best[0]:
                best = (value, u, v)
    best, err_u, err_v = _climb(t, y, variance, rho, best, (low, high, lowest, highest))
    _decays(t, math.exp(best[1]), rho)
    out[0], out[2] = math.exp(best[1]), math.exp(best[2])
    out[1], out[3] = out[0] * err_u, out[2] * err_v
    out[5], out[4] = _log_likelihood(y, variance, rho, out[2])
    out[6], out[7] = white, constant
    out[8] = 2.0 * (out[5] - white) - math.log(n)
    out[9] = 2.0 * (out[5] - constant) - 2.0 * math.log(n)


@part
def _deviation(y: Any) -> float:
    """Standard deviation."""
    total = squares = 0.0
    for value in y:
        total += value
    for value in y:
        squares += (value - total / len(y)) * (value - total / len(y))
    return math.sqrt(squares / len(y))


@part
def _shortest_tau(t: Any) -> Any:
    gap = t[-1] - t[0]
    for i in range(1, len(t)):
        if t[i] > t[i - 1]:
            gap = min(gap, t[i] - t[i - 1])
    return max(gap / 3.0, 1e-4 * (t[-1] - t[0]))


@part
def _best_white(y: Any, variance: Any, rho: Any, lowest: float, highest: float) -> Any:
    """Log-likelihood of the best white noise: a grid, then a shrinking search around its best point."""
    step, at = (highest - lowest) / 15.0, lowest
    best = -math.inf
    for j in range(16):
        value, _ = _log_likelihood(y, variance, rho, math.exp(lowest + j * step))
        if value > best:
            best, at = value, lowest + j * step
    for _ in range(20):
        step *= 0.6
        for v in (at - step, at + step):
            value, _ = _log_likelihood(y, variance, rho, math.exp(v))
            if value > best:
                best, at = value, v
    constant, _ = _log_likelihood(y, variance, rho, 0.0)
    return max(best, constant)


@part
def _climb(t: Any, y: Any, variance: Any, rho: Any, best: Any, box: Any) -> Any:
    """Best (log-likelihood, ln tau, ln sigma) and errors, by Newton steps within an adaptive trust radius."""
    radius = _RADIUS
    err_u = err_v = math.nan
    for _ in range(_ROUNDS):
        f0, u, v = best
        gu, gv, uu, vv, uv = _derivatives(t, y, variance, rho, best)
        if (u <= box[0] and gu < 0) or (u >= box[1] and gu > 0):
            gu, uv = 0.0, 0.0
        if (v <= box[2] and gv < 0) or (v >= box[3] and gv > 0):
            gv, uv = 0.0, 0.0
        det = uu * vv - uv * uv
        is_peak = uu < 0 and det > 0
        err_u, err_v = (math.sqrt(-vv / det), math.sqrt(-uu / det)) if is_peak else (math.nan, math.nan)
        step_u, step_v = _newton(gu, gv, uu, vv, uv)
        while True:
            size = max(abs(step_u), abs(step_v), 1e-12)
            part = min(1.0, radius / size)
            nu, nv = min(max(u + part * step_u, box[0]), box[1]), min(max(v + part * step_v, box[2]), box[3])
            _decays(t, math.exp(nu), rho)
            value, _ = _log_likelihood(y, variance, rho, math.exp(nv))
            if value > f0 or part * size < _CLOSE:
                break
            radius = 0.25 * min(radius, size)
        if value > f0:
            best = (value, nu, nv)
            radius = min(2.0 * radius, _RADIUS)
        if part * size < _CLOSE or value - f0 < 1e-7:
            break
    inside = box[0] < best[1] < box[1] and box[2] < best[2] < box[3]
    return best, err_u if inside else math.nan, err_v if inside else math.nan


@part
def _newton(gu: float, gv: float, uu: float, vv: float, uv: float) -> Any:
    """Newton step to the maximum; the Hessian is shifted to be negative definite where it is not."""
    highest = 0.5 * (uu + vv) + math.sqrt(0.25 * (uu - vv) ** 2 + uv * uv)
    lift = max(0.0, highest + 0.05 * abs(highest) + 1e-3)
    uu, vv = uu - lift, vv - lift
    det = uu * vv - uv * uv
    return (uv * gv - vv * gu) / det, (uv * gu - uu * gv) / det


@part
def _derivatives(t: Any, y: Any, variance: Any, rho: Any, best: Any) -> Any:
    """First and second derivatives of the log-likelihood in ln(tau) and ln(sigma), from six neighbours."""
    f, h = np.empty((3, 3)), _STENCIL
    for i in range(3):
        _decays(t, math.exp(best[1] + (i - 1) * h), rho)
        for j in range(3):
            if i == 1 or j == 1 or i == j:
                f[i, j], _ = _log_likelihood(y, variance, rho, math.exp(best[2] + (j - 1) * h))
    gu, gv = (f[2, 1] - f[0, 1]) / (2 * h), (f[1, 2] - f[1, 0]) / (2 * h)
    uu, vv = (f[2, 1] + f[0, 1] - 2 * f[1, 1]) / (h * h), (f[1, 2] + f[1, 0] - 2 * f[1, 1]) / (h * h)
    both = (f[2, 2] + f[0, 0] - 2 * f[1, 1]) / (h * h)
    return gu, gv, uu, vv, 0.5 * (both - uu - vv)
