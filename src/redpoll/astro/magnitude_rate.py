"""Rates of change in magnitudes per day, with errors and confidence bounds."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from redpoll.astro.photometry import MAG_PER_RELATIVE_FLUX, mag_err_from_flux, mag_from_flux
from redpoll.kernels import kernel, part

Array = NDArray[np.float64]
_Z95 = 1.6448536269514722
"""95 % quantile of the normal distribution."""


class Rate(NamedTuple):
    """Rate [mag/day], negative while brightening; its error; its 5 % and 95 % quantiles. NaN where unknown."""

    rate: Array
    err: Array
    lower: Array
    upper: Array


def rate_between(flux0: Array, err0: Array, flux1: Array, err1: Array, days: Array) -> Rate:
    """Rate from one flux to a later one, both with normal errors [nJy].

    The bounds are the quantiles of the flux ratio by Fieller's theorem, exact but for the chance that the first
    flux is negative; where a flux is below 1.645 of its errors there are none.

    References
    ----------
    Fieller 1954, J. R. Stat. Soc. B 16, 175.

    Examples
    --------
    >>> day, flux, err = np.array([2.0]), np.array([1000.0]), np.array([10.0])
    >>> [x.round(3).tolist() for x in rate_between(flux, err, 2 * flux, err, day)]
    [[-0.376], [0.006], [-0.386], [-0.366]]
    """
    flux0, flux1 = _positive(flux0), _positive(flux1)
    change = mag_from_flux(flux1) - mag_from_flux(flux0)
    err = np.hypot(mag_err_from_flux(flux0, err0), mag_err_from_flux(flux1, err1))
    faint, bright = _ratio_bounds(flux0, err0, flux1, err1)
    return _per_day(change, err, -2.5 * np.log10(bright), -2.5 * np.log10(faint), days)


def rate_from_upper_limit(upper_limit: Array, flux1: Array, err1: Array, days: Array) -> Rate:
    """Rate from an upper limit to a later flux, for a flux uniform between zero and the limit [nJy].

    The magnitude was then fainter than the limit by 1.0857 in the mean, with a deviation of 1.0857 (a uniform
    flux is exponential in magnitudes); the bounds are the quantiles of the exact distribution of the ratio.

    Examples
    --------
    >>> day, limit, flux, err = np.array([2.0]), np.array([1000.0]), np.array([4000.0]), np.array([40.0])
    >>> [x.round(3).tolist() for x in rate_from_upper_limit(limit, flux, err, day)]
    [[-1.295], [0.543], [-2.379], [-0.78]]
    """
    upper_limit, flux1 = _positive(upper_limit), _positive(flux1)
    change = mag_from_flux(flux1) - mag_from_flux(upper_limit) - MAG_PER_RELATIVE_FLUX
    err = np.hypot(mag_err_from_flux(flux1, err1), MAG_PER_RELATIVE_FLUX)
    logs = np.empty((2, len(flux1)))
    _uniform_ratio_logs(upper_limit, flux1, np.array(err1, np.float64), logs)
    lower, upper = -MAG_PER_RELATIVE_FLUX * logs
    return _per_day(change, err, lower, upper, days)


def _positive(flux: Array) -> Array:
    flux = np.asarray(flux, np.float64)
    return np.where(flux > 0, flux, np.nan)


def _per_day(change: Array, err: Array, lower: Array, upper: Array, days: Array) -> Rate:
    days = np.where(days > 0, days, np.nan)
    return Rate(change / days, np.where(np.isnan(change), np.nan, err / days), lower / days, upper / days)


def _ratio_bounds(flux0: Array, err0: Array, flux1: Array, err1: Array) -> tuple[Array, Array]:
    """5 % and 95 % quantiles of flux1 / flux0: where flux1 - ratio * flux0 is 1.645 of its error from zero."""
    a = flux0**2 - (_Z95 * np.asarray(err0, np.float64)) ** 2
    c = flux1**2 - (_Z95 * np.asarray(err1, np.float64)) ** 2
    is_bounded = (a > 0) & (c > 0)
    root = np.sqrt(np.where(is_bounded, (flux0 * flux1) ** 2 - a * c, np.nan))
    return c / (flux0 * flux1 + root), (flux0 * flux1 + root) / np.where(is_bounded, a, np.nan)


@kernel
def _uniform_ratio_logs(limit: Any, flux: Any, err: Any, logs: Any) -> None:
    """Natural logarithms of the 95 % and 5 % quantiles of flux / U, U uniform between 0 and the limit."""
    for i in range(len(flux)):
        for k, p in enumerate((0.95, 0.05)):
            logs[k, i] = _uniform_ratio_log(limit[i], flux[i], err[i], p)


@part
def _uniform_ratio_log(limit: float, flux: float, err: float, p: float) -> float:
    """Logarithm of the ratio at which the fraction of U above flux / ratio is p.

    It solves a convex equation in x = ratio * limit / err - flux / err by Newton's method, from the solution for an
    error of zero.
    """
    if not (flux > _Z95 * err and err > 0 and limit > 0):
        return math.nan
    s = flux / err
    below, x = _normal_integral(-s), p * s / (1 - p)
    for _ in range(30):
        step = (_normal_integral(x) - below - p * (x + s)) / (_normal_cdf(x) - p)
        x -= step
        if abs(step) < 1e-11 * (x + s):
            break
    return math.log((x + s) * err / limit)


@part
def _normal_integral(x: float) -> float:
    """Integral of the normal distribution function up to x."""
    return x * _normal_cdf(x) + math.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)


@part
def _normal_cdf(x: float) -> float:
    """The normal distribution function."""
    return 0.5 * math.erfc(-x / math.sqrt(2.0))
