"""Science module: what became of the source since it was brightest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from redpoll import Column, science_module
from redpoll.astro.photometry import mag_from_flux
from redpoll.astro.ragged import last_of_each, owners, taken
from redpoll.schema.bands import DETECTION, FORCED, UPPER_LIMIT
from redpoll.schema.light_curve import LightCurves

OUTPUTS = {
    "peak_mag": Column(
        "float32",
        "mag",
        "Brightest earlier detection in the alert's band within the packet; null if none.",
        aggregate="min",
    ),
    "peak_days": Column("float32", "d", "Time since that detection."),
    "faded_mag": Column("float32", "mag", "How much fainter than peak_mag the alert is; negative if it is brighter."),
    "lost_days": Column(
        "float32", "d", "Time since the previous detection in the band, if the source was lost in between; else null."
    ),
}


@science_module(version="1", outputs=OUTPUTS)
def brightness_history(light_curve: LightCurves, *, limit_sigma: float = 5.0) -> dict[str, NDArray[np.float64]]:
    """Brightest earlier detection in the alert's band, the fading since, and whether the source was lost.

    It was lost if, after the previous detection in the band, an image that would have shown the peak at
    `limit_sigma` did not show it: an upper limit, or forced photometry below `limit_sigma`. Only positive fluxes count.
    """
    curve = light_curve
    row = owners(curve.offsets)
    own = curve.triggering
    is_before = (curve.band == curve.band[own[row]]) & (curve.band >= 0) & (curve.mjd < curve.mjd[own[row]])
    is_detected = is_before & (curve.kind == DETECTION) & (curve.flux > 0)
    highest = np.full(len(curve), -np.inf)
    np.maximum.at(highest, row, np.where(is_detected, curve.flux, -np.inf))
    peak = last_of_each(curve.offsets, is_detected & (curve.flux == highest[row]))
    depth = limit_sigma * curve.flux_err
    is_empty = (curve.kind == UPPER_LIMIT) | ((curve.kind == FORCED) & (curve.flux < depth))
    was_lost = last_of_each(curve.offsets, is_before & is_empty & (depth < highest[row]))
    previous = last_of_each(curve.offsets, is_detected)
    mjd, flux = taken(curve.mjd, own), taken(curve.flux, own)
    peak_mag = mag_from_flux(taken(curve.flux, peak))
    is_lost = (previous >= 0) & (taken(curve.mjd, was_lost) > taken(curve.mjd, previous))
    return {
        "peak_mag": peak_mag,
        "peak_days": mjd - taken(curve.mjd, peak),
        "faded_mag": np.where(flux > 0, mag_from_flux(flux), np.nan) - peak_mag,
        "lost_days": np.where(is_lost, mjd - taken(curve.mjd, previous), np.nan),
    }
