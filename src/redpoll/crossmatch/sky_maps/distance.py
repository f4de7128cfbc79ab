"""Distances in a sky map: moments along the line of sight, and credible volumes.

Along each line of sight the distance has the density ``norm * r**2 * exp(-(r - mu)**2 / (2 * sigma**2))``. In units of
sigma, with ``x = mu / sigma``, all results follow from the integrals ``I(k)`` of ``u**k * normal(u - x)`` over
u > 0. Their ratios obey ``I(k+1) = x I(k) + k I(k-1)``, used upwards, or downwards for x well below zero,
whichever is stable.

References
----------
Singer et al. 2016, ApJL 829, L15 (the ansatz, equation 1); Singer et al. 2016, ApJS 226, 10.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from redpoll.crossmatch.sky_maps.sky_map import SkyMap
from redpoll.kernels import kernel, part

Floats = NDArray[np.float64]
_TOP = 60  # where the way down starts; its error has died out by 4
_DOWN = -2.0  # below this x, downwards
_FAR = -25.0  # below this x, what is left of the distribution is u**2 * exp(x u)
_MIN_STEPS, _MAX_STEPS, _DEEPEST = 384, 16_384, 60.0
_WORK = 8_000_000
_LEFT_OUT = 1e-6
_ROOT_2PI, _ROOT_2 = math.sqrt(2 * math.pi), math.sqrt(2.0)


def conditional_moments(mu: ArrayLike, sigma: ArrayLike) -> tuple[Floats, Floats]:
    """Mean and standard deviation [Mpc] of the distance along lines of sight; NaN where the map has none.

    Parameters
    ----------
    mu, sigma
        The map's DISTMU and DISTSIGMA [Mpc].

    Examples
    --------
    >>> mean, deviation = conditional_moments([200.0, np.inf], [40.0, 1.0])
    >>> mean.round(3).tolist(), deviation.round(3).tolist()
    ([215.385, nan], [38.554, nan])
    """
    mu, sigma = np.atleast_1d(np.asarray(mu, np.float64)), np.atleast_1d(np.asarray(sigma, np.float64))
    mean, deviation = np.empty(len(mu)), np.empty(len(mu))
    _moments(mu, sigma, mean, deviation)
    return mean, deviation


class CredibleVolumes:
    """Credible levels of points in space, by position and distance.

    The level of a point is the probability within the smallest volume that contains it, that is, all space where the
    probability per volume is at least as high. It is tabulated once, for cells with all but a millionth of the
    probability; the error is below 1e-3, on maps of thousands of cells below 3e-4.

    Raises
    ------
    ValueError
        If the map has no distances at all.
    """

    def __init__(self, sky_map: SkyMap) -> None:
        if sky_map.distances is None:
            raise ValueError("the map has no distances")
        mu, sigma = (np.asarray(x, np.float64) for x in (sky_map.distances.mu, sky_map.distances.sigma))
        self._sigma = sigma
        self._x = np.where(
            np.isfinite(mu) & (sigma > 0) & np.isfinite(sigma), mu / np.where(sigma > 0, sigma, 1), np.nan
        )
        self._peak = np.empty(len(mu))
        _log_peaks(np.log(np.maximum(sky_map.density, 1e-300)), self._x, sigma, self._peak)
        self._depths, self._levels = self._table(sky_map)

    def levels(self, cell: NDArray[np.integer[Any]], distance: Floats) -> NDArray[np.float32]:
        """Credible level of each point, by the index of its cell in the map (-1: in none) and its distance [Mpc].

        NaN where the distance is not positive, or the map has none for the cell; 1 outside of all cells.
        """
        with np.errstate(invalid="ignore", divide="ignore"):
            x, u = self._x[cell], distance / self._sigma[cell]
            below = np.where(x > 0, 0.5 * (u - x) ** 2, u * (0.5 * u - x))
            depth = np.sqrt(np.maximum(self._top - (self._peak[cell] - below), 0.0))
            level = np.interp(depth, self._depths, self._levels, right=1.0)
        level = np.where(np.isnan(depth), np.nan, level)
        level = np.where(cell < 0, 1.0, level)
        return np.where(np.asarray(distance) > 0, level, np.nan).astype(np.float32)

    def _table(self, sky_map: SkyMap) -> tuple[Floats, Floats]:
        """Probability in the volume of at least each density, by the root of the logarithm below the highest one."""
        used = np.flatnonzero(np.isfinite(self._peak) & (sky_map.probability > 0))
        used = used[np.argsort(-sky_map.probability[used], kind="stable")]
        total = sky_map.probability[used].sum()
        used = used[: int(np.searchsorted(np.cumsum(sky_map.probability[used]), (1 - _LEFT_OUT) * total)) + 1]
        if not used.size:
            raise ValueError("the map has no distances where it has probability")
        used = used[np.argsort(-self._peak[used], kind="stable")]
        self._top = float(self._peak[used[0]])
        steps = min(max(_WORK // len(used), _MIN_STEPS), _MAX_STEPS)
        depths, levels = np.linspace(0.0, math.sqrt(_DEEPEST), steps), np.empty(steps)
        probability = sky_map.probability[used] / sky_map.probability[used].sum()
        _volume_levels(self._peak[used], self._x[used], probability, self._top - depths**2, levels)
        return depths, np.minimum(levels, 1.0)


@kernel
def _moments(mu: Any, sigma: Any, mean: Any, deviation: Any) -> None:
    for i in range(len(mu)):
        if not (math.isfinite(mu[i]) and math.isfinite(sigma[i]) and sigma[i] > 0):
            mean[i] = deviation[i] = math.nan
            continue
        _, _, r3, r4 = _ratios(mu[i] / sigma[i])
        mean[i] = sigma[i] * r3
        spread = r3 * (r4 - r3)
        deviation[i] = sigma[i] * math.sqrt(spread) if mu[i] < 1e4 * sigma[i] else sigma[i]


@part
def _ratios(x: float) -> tuple[float, float, float, float]:
    """I1/I0, I2/I1, I3/I2 and I4/I3."""
    if x > _DOWN:
        r1 = x + math.exp(-0.5 * x * x) / _ROOT_2PI / (0.5 * math.erfc(-x / _ROOT_2))
        r2 = x + 1 / r1
        r3 = x + 2 / r2
        return r1, r2, r3, x + 3 / r3
    r = 0.5 * (x + math.sqrt(x * x + 4 * _TOP))
    for k in range(_TOP, 4, -1):
        r = k / (r - x)
    r4 = 4 / (r - x)
    r3 = 3 / (r4 - x)
    r2 = 2 / (r3 - x)
    return 1 / (r2 - x), r2, r3, r4


@kernel
def _log_peaks(log_density: Any, x: Any, sigma: Any, peak: Any) -> None:
    """Logarithm of the highest probability per volume in each cell: at mu, or at zero distance if mu is negative."""
    for i in range(len(x)):
        if not math.isfinite(x[i]):
            peak[i] = math.nan
            continue
        r1, r2, _, _ = _ratios(x[i])
        if x[i] > 0:
            integral = math.log(0.5 * math.erfc(-x[i] / _ROOT_2) * r1 * r2 * _ROOT_2PI)
        else:  # over exp(-x**2 / 2), which the density at zero distance has too
            integral = math.log(r1 * r2 / (r1 - x[i]))
        peak[i] = log_density[i] - 3 * math.log(sigma[i]) - integral


@kernel
def _volume_levels(peak: Any, x: Any, probability: Any, thresholds: Any, levels: Any) -> None:
    """Probability where the density is at least each threshold; peaks descend, and so do thresholds."""
    whole = np.empty(len(x))
    for i in range(len(x)):
        r1, r2, _, _ = _ratios(x[i])
        whole[i] = 0.5 * math.erfc(-x[i] / _ROOT_2) * r1 * r2
    for k in range(len(thresholds)):
        total = 0.0
        for i in range(len(x)):
            if peak[i] < thresholds[k]:
                break
            total += probability[i] * _fraction(x[i], 2 * (peak[i] - thresholds[k]), whole[i])
        levels[k] = total


@part
def _fraction(x: float, room: float, whole: float) -> float:
    """Fraction of a line of sight's probability whose density is within exp(-room / 2) of its highest."""
    if x > 0:
        d = math.sqrt(room)
        return (_upper(-min(d, x), x) - _upper(d, x)) / whole
    reach = room / (math.sqrt(x * x + room) - x)  # of u, from zero
    if x < _FAR:
        q = -x * reach
        return 1 - math.exp(-q) * (1 + q + 0.5 * q * q)
    return 1 - _upper(reach - x, x) / whole


@part
def _upper(v: float, x: float) -> float:
    """Integral of (x + t)**2 * normal(t) over t > v."""
    return (1 + x * x) * 0.5 * math.erfc(v / _ROOT_2) + (v + 2 * x) * math.exp(-0.5 * v * v) / _ROOT_2PI
