"""Fluxes and magnitudes: nJy on the AB system, difference and apparent."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
ZERO_POINT = 31.4
"""AB magnitude of 1 nJy."""
MAG_PER_RELATIVE_FLUX = 2.5 / np.log(10.0)
"""1.0857: magnitude error of a relative flux error, to first order."""


def flux_from_mag(mag: ArrayLike, positive: ArrayLike = True) -> Array:
    """Flux [nJy] of an AB magnitude; negative where the source is not `positive`, that is, it faded.

    >>> flux_from_mag([31.4, 23.9], [True, False]).round(9).tolist()
    [1.0, -1000.0]
    """
    flux = 10.0 ** (0.4 * (ZERO_POINT - np.asarray(mag, np.float64)))
    return np.asarray(np.where(positive, flux, -flux))


def flux_err_from_mag_err(mag_err: ArrayLike, flux: ArrayLike) -> Array:
    """Flux error [nJy] of a magnitude error, to first order: the absolute flux times mag_err / 1.0857.

    >>> float(flux_err_from_mag_err(0.1, -1000.0).round(3))
    92.103
    """
    return np.asarray(np.abs(np.asarray(flux, np.float64)) * np.asarray(mag_err, np.float64) / MAG_PER_RELATIVE_FLUX)


def mag_from_flux(flux: ArrayLike) -> Array:
    """AB magnitude of the absolute value of a flux [nJy]; NaN where the flux is zero or unknown.

    >>> mag_from_flux([36307.8, -100.0, 0.0]).round(3).tolist()
    [20.0, 26.4, nan]
    """
    size = np.abs(np.asarray(flux, np.float64))
    return np.asarray(ZERO_POINT - 2.5 * np.log10(np.where(size > 0, size, np.nan)))


def mag_err_from_flux(flux: ArrayLike, flux_err: ArrayLike) -> Array:
    """Magnitude error of a flux and its error [nJy], to first order; NaN where the flux is zero or unknown.

    >>> float(mag_err_from_flux(-1000.0, 100.0).round(4))
    0.1086
    """
    size = np.abs(np.asarray(flux, np.float64))
    return np.asarray(MAG_PER_RELATIVE_FLUX * np.asarray(flux_err, np.float64) / np.where(size > 0, size, np.nan))


def limiting_mag(flux_err: ArrayLike, n_sigma: float = 5.0) -> Array:
    """AB magnitude of a source `n_sigma` above a noise of flux_err [nJy]; NaN unless flux_err is positive.

    >>> float(limiting_mag(200.0).round(3))
    23.9
    """
    noise = np.asarray(flux_err, np.float64)
    return mag_from_flux(n_sigma * np.where(noise > 0, noise, np.nan))


def flux_err_from_limiting_mag(limit: ArrayLike, n_sigma: float = 5.0) -> Array:
    """Noise [nJy] of an image with this limiting magnitude; the inverse of `limiting_mag`.

    >>> float(flux_err_from_limiting_mag(23.9).round(3))
    200.0
    """
    return flux_from_mag(limit) / n_sigma


class ApparentPhotometry(NamedTuple):
    """Flux of source and template together [nJy]; AB magnitude, or its upper limit where `is_upper_limit`."""

    flux: Array
    flux_err: Array
    mag: Array
    mag_err: Array
    is_upper_limit: NDArray[np.bool_]


def apparent_photometry(
    flux: ArrayLike, flux_err: ArrayLike, reference_mag: ArrayLike, reference_mag_err: ArrayLike
) -> ApparentPhotometry:
    """Difference flux [nJy] plus the flux of the source behind it: "DC" photometry.

    It makes sense only where the reference source is the same object (ZTF: within 1.5 arcsec). The errors add in
    quadrature, as if independent. Where the sum is not above its own error by 1.0857 (mag_err < 1), mag is the
    five-sigma upper limit and mag_err NaN. Where an input is unknown, so is the answer, and is_upper_limit is False.

    References
    ----------
    Masci et al. 2019, PASP 131, 018003, and the ZTF Science Data System explanatory supplement, p. 107.

    Examples
    --------
    >>> star = apparent_photometry(flux_from_mag(18.0), flux_err_from_mag_err(0.1, flux_from_mag(18.0)), 17.5, 0.02)
    >>> round(float(star.mag), 4), round(float(star.mag_err), 4), bool(star.is_upper_limit)
    (16.9689, 0.0406, False)
    """
    reference = flux_from_mag(reference_mag)
    total = np.asarray(np.asarray(flux, np.float64) + reference)
    total_err = np.hypot(np.asarray(flux_err, np.float64), flux_err_from_mag_err(reference_mag_err, reference))
    mag_err = mag_err_from_flux(total, total_err)
    is_upper_limit = np.asarray(np.isfinite(total_err) & ((total <= 0) | (mag_err >= 1)))
    mag = np.where(is_upper_limit, limiting_mag(total_err), mag_from_flux(total))
    return ApparentPhotometry(total, total_err, mag, np.where(is_upper_limit, np.nan, mag_err), is_upper_limit)
