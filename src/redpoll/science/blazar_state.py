"""Science module: whether a monitored blazar is in a low or a high state."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from redpoll import Column, science_module
from redpoll.astro.photometry import apparent_photometry
from redpoll.astro.ragged import owners
from redpoll.schema.bands import DETECTION
from redpoll.schema.light_curve import LightCurves

OUTPUTS = {
    "blazar_flux_ratio": Column(
        "float32", doc="Apparent flux over the blazar's median; null if it is not monitored.", indexed=False
    ),
    "blazar_flux_ratio_low": Column(
        "float32", doc="Its mean over the last low_days over the threshold of a low state.", indexed=False
    ),
    "blazar_flux_ratio_high": Column(
        "float32", doc="Its mean over the last high_days over the threshold of a high state.", indexed=False
    ),
    "is_blazar_low": Column(
        "bool", doc="Now and over low_days below the low threshold.", assigns="blazar", indexed=False
    ),
    "is_blazar_high": Column(
        "bool", doc="Now and over high_days above the high threshold.", assigns="blazar", indexed=False
    ),
}


@science_module(version="1", outputs=OUTPUTS)
def blazar_state(
    mjd: NDArray[np.float64],
    band: NDArray[np.object_],
    flux: NDArray[np.float32],
    reference_mag: NDArray[np.float32],
    reference_mag_err: NDArray[np.float32],
    ctao_blazars_median_g: NDArray[np.float64],
    ctao_blazars_median_r: NDArray[np.float64],
    ctao_blazars_low_threshold: NDArray[np.float32],
    ctao_blazars_high_threshold: NDArray[np.float32],
    light_curve: LightCurves,
    *,
    low_days: float = 30.0,
    high_days: float = 5.0,
) -> dict[str, NDArray[np.generic]]:
    """State of the blazars on the CTAO list, by Fink's definitions, in the alert's band.

    The flux is that of source and reference together; the reference of the alert serves for its history in the band,
    as the packet names it for the alert alone. The ratio of now must agree with the mean over the last days.

    References
    ----------
    Fink's blazar modules, fink-science ``blazar_low_state`` and ``blazar_extreme_state``; Peloton et al. 2021.
    """
    median = np.where(band == "g", ctao_blazars_median_g, np.where(band == "r", ctao_blazars_median_r, np.nan)) * 1e9
    reference = apparent_photometry(0.0, 0.0, reference_mag, reference_mag_err).flux
    now = (flux + reference) / median
    low = _mean(light_curve, mjd - low_days, reference) / median / ctao_blazars_low_threshold
    high = _mean(light_curve, mjd - high_days, reference) / median / ctao_blazars_high_threshold
    return {
        "blazar_flux_ratio": now,
        "blazar_flux_ratio_low": low,
        "blazar_flux_ratio_high": high,
        "is_blazar_low": (now < ctao_blazars_low_threshold) & (low < 1),
        "is_blazar_high": (now > ctao_blazars_high_threshold) & (high > 1),
    }


def _mean(curve: LightCurves, start: NDArray[np.float64], reference: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean apparent flux [nJy] of the detections in the alert's band from a time on."""
    row = owners(curve.offsets)
    own = curve.triggering
    keep = (curve.kind == DETECTION) & (curve.band == curve.band[own[row]]) & (curve.mjd >= start[row])
    count = np.bincount(row[keep], minlength=len(start))
    total = np.bincount(row[keep], curve.flux[keep], len(start))
    return total / np.where(count > 0, count, np.nan) + reference
