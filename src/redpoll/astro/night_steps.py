"""Smoothness of light curves from night to night, and the length of the steps."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll.astro.ragged import by_band, owners

Array = NDArray[np.float64]


def night_steps(mjd: Array, band: NDArray[np.int8], flux: NDArray[Any], offsets: NDArray[np.int64], *, n_bands: int,
                min_days: float = 0.5) -> tuple[Array, Array]:  # fmt: skip
    """Von Neumann's ratio of each light curve, all bands together, and the median step it rests on [d].

    Half the mean squared step from one night to the next over the variance in the band: near 1 for uncorrelated
    nights, near 0 for a smooth curve. The first point of each night is used. Both are NaN where no
    band has two nights.

    Parameters
    ----------
    mjd, band, flux, offsets
        Points end to end, time-sorted within each curve; band is 0 to `n_bands` - 1.
    min_days
        Shortest step.

    References
    ----------
    von Neumann 1941, Annals of Mathematical Statistics 12, 367.

    Examples
    --------
    >>> ratio, days = night_steps(np.arange(5.0), np.zeros(5, np.int8), np.arange(5.0), np.array([0, 5]), n_bands=1)
    >>> ratio.tolist(), days.tolist()
    ([0.2], [1.0])
    """
    n = len(offsets) - 1
    order, parts = by_band(offsets, band, np.isfinite(flux), n_bands)
    series, time, light = owners(parts), mjd[order], np.asarray(flux, np.float64)[order]
    begins = np.ones(len(order), bool)
    begins[1:] = (np.diff(series) != 0) | (np.diff(time) >= min_days)
    series, time, light = series[begins], time[begins], light[begins]
    nights = np.bincount(series, minlength=n * n_bands)
    mean = np.bincount(series, light, len(nights)) / np.maximum(nights, 1)
    variance = np.bincount(series, (light - mean[series]) ** 2, len(nights)) / np.maximum(nights - 1, 1)
    is_step = np.diff(series) == 0
    who, steps = series[1:][is_step], np.diff(light)[is_step]
    relative = 0.5 * steps**2 / np.where(variance[who] > 0, variance[who], np.nan)
    counts = np.bincount(who // n_bands, minlength=n)
    ratio = np.bincount(who // n_bands, relative, n) / np.where(counts > 0, counts, np.nan)
    return ratio, _medians(np.diff(time)[is_step], who // n_bands, counts)


def _medians(values: Array, who: NDArray[np.int64], counts: NDArray[np.int64]) -> Array:
    """Upper median of the values of each curve; NaN without any."""
    ordered = np.append(values[np.lexsort((values, who))], np.nan)
    middle = np.concatenate([[0], np.cumsum(counts)])[:-1] + counts // 2
    return np.asarray(np.where(counts > 0, ordered[middle], np.nan))
