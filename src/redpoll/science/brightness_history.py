"""Science module: brightness of the source relative to its earlier maximum."""

from __future__ import annotations

import numpy as np

from redpoll import Column, science_module
from redpoll.light_curves import (
    LightCurves,
    at_trigger,
    days_before_trigger,
    highest_of_each,
    in_alert_band,
    is_non_detection,
    is_positive_detection,
    last_of_each,
    owners,
    taken,
)
from redpoll.photometry import mag_from_flux
from redpoll.typing import Arrays

OUTPUTS = {
    "peak_mag": Column(
        "float32", "mag", "Brightest earlier detection in the alert's band; null if there is none.", aggregate="min"
    ),
    "peak_days": Column("float32", "d", "Time since that detection."),
    "faded_mag": Column("float32", "mag", "Magnitude of the alert minus peak_mag; negative if it is brighter."),
    "lost_days": Column(
        "float32", "d", "Time since the previous detection in the band, if the source was lost in between; else null."
    ),
}


@science_module(version="2", outputs=OUTPUTS)
def brightness_history(packet_light_curve: LightCurves, *, limit_sigma: float = 5.0) -> Arrays:
    """Brightest earlier detection in the alert's band, the fading since, and whether the source was lost.

    It was lost if, after the previous detection in the band, an image deep enough to show the peak at `limit_sigma`
    did not show it: an upper limit, or forced photometry below `limit_sigma`. Only positive fluxes count.

    The packet's measurements alone are used: the filters that read the answers were set for a month of history.
    """
    curve = packet_light_curve
    is_before = in_alert_band(curve) & (days_before_trigger(curve) > 0)
    is_detected = is_before & is_positive_detection(curve)
    highest = highest_of_each(curve, curve.flux, is_detected)[owners(curve.offsets)]
    peak = last_of_each(curve.offsets, is_detected & (curve.flux == highest))
    depth = limit_sigma * curve.flux_err
    was_lost = last_of_each(curve.offsets, is_before & is_non_detection(curve, limit_sigma) & (depth < highest))
    previous = last_of_each(curve.offsets, is_detected)
    mjd, flux = at_trigger(curve, curve.mjd), at_trigger(curve, curve.flux)
    peak_mag = mag_from_flux(taken(curve.flux, peak))
    is_lost = taken(curve.mjd, was_lost) > taken(curve.mjd, previous)
    return {
        "peak_mag": peak_mag,
        "peak_days": mjd - taken(curve.mjd, peak),
        "faded_mag": np.where(flux > 0, mag_from_flux(flux), np.nan) - peak_mag,
        "lost_days": np.where(is_lost, mjd - taken(curve.mjd, previous), np.nan),
    }
