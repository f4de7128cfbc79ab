"""Detections of a batch of light curves, as modules with per="object" read them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from redpoll.astro.photometry import mag_err_from_flux, mag_from_flux
from redpoll.schema.bands import BANDS, DETECTION
from redpoll.schema.light_curve import LightCurves

_BAND_NAMES = np.array([*BANDS, ""], "U1")


@dataclass(frozen=True)
class Detections:
    """One object's detections, time-sorted, triggering detection last, as equal-length arrays.

    ``mjd`` is TAI days, ``band`` one letter (empty if unknown), ``flux`` and ``flux_err`` nJy, ``mag`` and
    ``mag_err`` AB magnitudes of the absolute value of the flux; NaN where unknown.
    """

    mjd: NDArray[np.float64]
    band: NDArray[np.str_]
    flux: NDArray[np.float32]
    flux_err: NDArray[np.float32]
    mag: NDArray[np.float64]
    mag_err: NDArray[np.float64]


DETECTION_NAMES = ("mjd", "band", "flux", "flux_err", "mag", "mag_err")


def detections(curves: LightCurves) -> tuple[NDArray[np.int64], Detections]:
    """Offsets and values of the detections of a batch; alert ``i`` has ``values[offsets[i]:offsets[i + 1]]``.

    >>> curves = LightCurves(np.array([0, 2]), np.array([1.0, 2.0]), np.array([1, 2], np.int8),
    ...     np.array([np.nan, 3631e9], np.float32), np.ones(2, np.float32), np.array([2, 0], np.int8))
    >>> offsets, values = detections(curves)
    >>> values.band, values.mag.round(2) + 0.0
    (array(['r'], dtype='<U1'), array([0.]))
    """
    found = curves.of_kind(DETECTION)
    mag, mag_err = mag_from_flux(found.flux), mag_err_from_flux(found.flux, found.flux_err)
    band = _BAND_NAMES[found.band]
    return found.offsets, Detections(found.mjd, band, found.flux, found.flux_err, mag, mag_err)
