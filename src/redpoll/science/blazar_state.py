"""Science module: whether a monitored blazar is in a low or a high state."""

from __future__ import annotations

import numpy as np

from redpoll import feature, flag, science_module
from redpoll.light_curves import DETECTION, LightCurves, count_of_each, in_alert_band, owners
from redpoll.photometry import flux_from_mag
from redpoll.typing import Arrays, Floats, Texts

OUTPUTS = {
    "blazar_flux_ratio": feature("", "Apparent flux over the blazar's median; null if it is not monitored."),
    "blazar_flux_ratio_low": feature("", "Its mean over the last low_days, over the threshold of a low state."),
    "blazar_flux_ratio_high": feature("", "Its mean over the last high_days, over the threshold of a high state."),
    "is_blazar_low": flag("Now and over low_days below the threshold of a low state.", assigns="blazar"),
    "is_blazar_high": flag("Now and over high_days above the threshold of a high state.", assigns="blazar"),
}


@science_module(version="1", outputs=OUTPUTS)
def blazar_state(
    mjd: Floats,
    band: Texts,
    flux: Floats,
    reference_mag: Floats,
    ctao_blazars_median_g: Floats,
    ctao_blazars_median_r: Floats,
    ctao_blazars_low_threshold: Floats,
    ctao_blazars_high_threshold: Floats,
    light_curve: LightCurves,
    *,
    low_days: float = 30.0,
    high_days: float = 5.0,
) -> Arrays:
    """State of the blazars on the CTAO list, by Fink's definitions, in the alert's band.

    The flux is that of source and reference together. The alert's reference magnitude is used for all earlier points
    in the band, because no other is known. The flux ratio of the alert and its mean over the last days must agree.

    References
    ----------
    Fink's blazar modules, fink-science ``blazar_low_state`` and ``blazar_extreme_state``; Peloton et al. 2021.
    """
    median = np.where(band == "g", ctao_blazars_median_g, np.where(band == "r", ctao_blazars_median_r, np.nan)) * 1e9
    reference = flux_from_mag(reference_mag)
    now = (flux + reference) / median
    low = (_mean_flux(light_curve, mjd - low_days) + reference) / median / ctao_blazars_low_threshold
    high = (_mean_flux(light_curve, mjd - high_days) + reference) / median / ctao_blazars_high_threshold
    return {
        "blazar_flux_ratio": now,
        "blazar_flux_ratio_low": low,
        "blazar_flux_ratio_high": high,
        "is_blazar_low": (now < ctao_blazars_low_threshold) & (low < 1),
        "is_blazar_high": (now > ctao_blazars_high_threshold) & (high > 1),
    }


def _mean_flux(curve: LightCurves, start: Floats) -> Floats:
    """Mean difference flux [nJy] of the detections in the alert's band since `start` [MJD]."""
    row = owners(curve.offsets)
    keep = (curve.kind == DETECTION) & in_alert_band(curve) & (curve.mjd >= start[row])
    count = count_of_each(curve, keep)
    total = np.bincount(row[keep], curve.flux[keep], len(start))
    return np.asarray(total / np.where(count > 0, count, np.nan))
