"""Fluxes and AB magnitudes, of the difference image and with the reference source.

>>> mag_from_flux([36307.8]).round(3).tolist()
[20.0]
>>> reference_flux([18.0, 18.0], [0.5, 3.0], 1.5).round().tolist()
[229087.0, nan]
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from redpoll.astro.photometry import (
    MAG_PER_RELATIVE_FLUX,
    ApparentPhotometry,
    apparent_photometry,
    flux_err_from_limiting_mag,
    flux_err_from_mag_err,
    flux_from_mag,
    limiting_mag,
    mag_err_from_flux,
    mag_from_flux,
)

__all__ = [
    "MAG_PER_RELATIVE_FLUX",
    "ApparentPhotometry",
    "apparent_photometry",
    "flux_err_from_limiting_mag",
    "flux_err_from_mag_err",
    "flux_from_mag",
    "limiting_mag",
    "mag_err_from_flux",
    "mag_from_flux",
    "reference_flux",
]


def reference_flux(
    reference_mag: ArrayLike, reference_distance_arcsec: ArrayLike, max_arcsec: float
) -> NDArray[np.float64]:
    """Flux [nJy] of the reference source; NaN where there is none, or where it is farther than `max_arcsec`.

    A source without a distance counts: the survey then measured the reference at the position of the alert.

    >>> reference_flux([23.9, 23.9, np.nan], [0.5, 5.0, 0.5], 1.5).round().tolist()
    [1000.0, nan, nan]
    """
    is_far = np.asarray(reference_distance_arcsec) > max_arcsec
    return np.asarray(np.where(is_far, np.nan, flux_from_mag(reference_mag)))
