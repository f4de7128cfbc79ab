"""Weather, Moon and seeing at Palomar: which nights are clear, and the depth of each exposure.

The numbers were set to the medians and quartiles of `diffmaglim` in the histories of real packets of the public survey
(half 0 of `benchmarks/realism.py`), at each sixth of the Moon's illumination.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from redpoll.simulate.exposures import moonlight

Array = NDArray[np.float64]
_CLEAR, _SUMMER, _JULY_20 = 0.72, 0.17, 58684
_PERSISTENCE = 0.4
_HAZE, _THIN_CLOUD, _HAZY_NIGHTS = 0.12, 0.5, 0.25
_PATCHES, _PATCH = 0.06, 0.7
_WORST_NIGHT = 0.8
_SEEING, _SEEING_SCATTER = 2.05, 0.22  # median FWHM [arcsec], Bellm et al. 2019
_DARK_LIMIT = np.array([0.0, 20.70, 20.6, 20.1])  # u (none), g, r, i
_MOON_LOSS = np.array([0.0, 1.3, 1.05, 0.6])
_ZERO_POINT = np.array([0.0, 26.3, 26.2, 25.7])
_SCATTER = 0.22


def clear_nights(rng: np.random.Generator, days: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each of consecutive nights (whole MJD) is clear: nine of ten in July, half in January, in spells."""
    wanted = _CLEAR + _SUMMER * np.cos(2 * np.pi * (days - _JULY_20) / 365.25)
    fresh = rng.random(len(days)) > _PERSISTENCE
    fresh[:1] = True
    last = np.maximum.accumulate(np.where(fresh, np.arange(len(days)), 0))
    return np.asarray(rng.random(len(days))[last] < wanted)


def haze(rng: np.random.Generator, n: int, n_last: int) -> Array:
    """Light lost to haze and thin cloud on each of `n` nights [mag]; at most 0.8 on the `n_last` that alert."""
    thick = rng.random(n) < _HAZY_NIGHTS
    lost = rng.exponential(np.where(thick, _THIN_CLOUD, _HAZE))
    lost[n - n_last :] = np.minimum(lost[n - n_last :], _WORST_NIGHT)
    return np.asarray(lost)


def conditions(
    rng: np.random.Generator, mjd: Array, band: NDArray[np.int64], lost: Array
) -> tuple[Array, Array, Array]:
    """Limiting magnitude, seeing [arcsec] and zero point of exposures with so much light `lost` on their night [mag].

    A few exposures lose more to a patch of cloud.
    """
    seeing = _SEEING * np.exp(rng.normal(0.0, _SEEING_SCATTER, len(mjd)))
    lost = lost + np.where(rng.random(len(mjd)) < _PATCHES, rng.exponential(_PATCH, len(mjd)), 0.0)
    limit = _DARK_LIMIT[band] - _MOON_LOSS[band] * moonlight(mjd) ** 2 - lost - 1.25 * np.log10(seeing / _SEEING)
    limit += rng.normal(0.0, _SCATTER, len(mjd))
    return limit, seeing, _ZERO_POINT[band] - lost
