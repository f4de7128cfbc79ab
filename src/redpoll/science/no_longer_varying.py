"""Science module: sources that varied and have returned to the brightness of the template."""

from __future__ import annotations

import numpy as np

from redpoll import Column, feature, science_module
from redpoll.light_curves import (
    DETECTION,
    FORCED,
    LOW_QUALITY,
    UPPER_LIMIT,
    LightCurves,
    at_trigger,
    count_of_each,
    last_of_each,
    owners,
    taken,
)
from redpoll.typing import Arrays, Floats

OUTPUTS = {
    "quiet_points": Column(
        "int16", doc="Epochs since the last earlier significant detection, all as in the template.", indexed=False
    ),
    "quiet_days": feature("d", "Time from that detection to the alert; null if too few epochs lie between."),
    "is_no_longer_varying": Column("bool", doc="It varied, was quiet since, and the alert is not significant."),
}


@science_module(version="1", outputs=OUTPUTS)
def no_longer_varying(
    light_curve: LightCurves,
    *,
    min_points: int = 3,
    min_detections: int = 2,
    min_snr: float = 5.0,
    quiet_snr: float = 3.0,
) -> Arrays:
    """Number of epochs of any band since the last significant detection in which the source was as in the template.

    Such an epoch is forced photometry within `quiet_snr` sigma of zero, or an upper limit below the median of the
    earlier detections. A survey sends no alert of an unchanged source, so that the alert is nearly always a new
    detection: `quiet_days` is then the duration of the quiet time before it. The flag is true for the others only: an
    alert of low quality or below `min_snr`, or a light curve that ends with forced photometry.
    """
    curve, index = light_curve, np.arange(len(light_curve.mjd))
    row = owners(curve.offsets)
    is_trigger = index == curve.triggering[row]
    size, err = np.abs(curve.flux.astype(np.float64)), curve.flux_err.astype(np.float64)
    is_significant, is_forced = size >= min_snr * err, curve.kind == FORCED
    is_earlier = (curve.kind == DETECTION) & is_significant & ~is_trigger
    last = last_of_each(curve.offsets, is_earlier)
    is_after = (index > last[row]) & (last[row] >= 0)
    is_upper_limit = curve.kind == UPPER_LIMIT
    has_limit = count_of_each(curve, is_upper_limit) > 0  # a median takes a sort
    is_deep = is_upper_limit & (min_snr * err < _medians(curve.kept(is_earlier & has_limit[row]))[row])
    points = count_of_each(curve, is_after & ((is_forced & (size <= quiet_snr * err)) | is_deep))
    is_broken = count_of_each(curve, is_after & is_forced & (size > min_snr * err) & ~is_trigger) > 0
    was_quiet = (points >= min_points) & ~is_broken & (count_of_each(curve, is_earlier) >= min_detections)
    is_back = count_of_each(curve, is_trigger & is_significant & (curve.kind != UPPER_LIMIT)) > 0
    is_back &= at_trigger(curve, curve.kind) != LOW_QUALITY
    days = at_trigger(curve, curve.mjd) - taken(curve.mjd, last)
    return {
        "quiet_points": points,
        "quiet_days": np.where(was_quiet, days, np.nan),
        "is_no_longer_varying": was_quiet & ~is_back,
    }


def _medians(curve: LightCurves) -> Floats:
    """Lower median of the absolute fluxes [nJy] of each light curve; NaN without points."""
    size, counts = np.abs(curve.flux.astype(np.float64)), np.diff(curve.offsets)
    order = np.lexsort((size, owners(curve.offsets)))
    return taken(size[order], np.where(counts > 0, curve.offsets[:-1] + (counts - 1) // 2, -1))
