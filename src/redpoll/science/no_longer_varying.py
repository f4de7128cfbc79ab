"""Science module: sources that varied and are back at the template's brightness."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll import Column, science_module
from redpoll.astro.ragged import last_of_each, owners, taken
from redpoll.schema.bands import DETECTION, FORCED, LOW_QUALITY, UPPER_LIMIT
from redpoll.schema.light_curve import LightCurves

OUTPUTS = {
    "quiet_points": Column(
        "int16",
        doc="Epochs since the last significant detection before the alert, all as in the template.",
        indexed=False,
    ),
    "quiet_days": Column(
        "float32", "d", "Time from that detection to the alert; null if too few epochs lie between.", indexed=False
    ),
    "is_no_longer_varying": Column(
        "bool",
        doc="It varied, was quiet since, and the alert is not significant; false if it cannot be told.",
    ),
}


@science_module(version="1", outputs=OUTPUTS)
def no_longer_varying(
    light_curve: LightCurves,
    *,
    min_points: int = 3,
    min_detections: int = 2,
    min_snr: float = 5.0,
    quiet_snr: float = 3.0,
) -> dict[str, NDArray[Any]]:
    """Epochs of any band since the last significant detection in which the source was as in the template.

    Such an epoch is forced photometry within `quiet_snr` of its errors, or an upper limit deep enough to have shown the
    median of the earlier detections. A survey sends no alert of what does not change, so that the alert itself is
    nearly always a new detection: then `quiet_days` says how long it was quiet before it returned. The flag is for the
    rest: an alert of low quality or below `min_snr`, or a light curve that ends with forced photometry.
    """
    curve = light_curve
    row, n = owners(curve.offsets), len(curve)
    own = curve.triggering
    is_own = np.arange(len(curve.mjd)) == own[row]
    size, err = np.abs(curve.flux.astype(np.float64)), curve.flux_err.astype(np.float64)
    is_varied = (curve.kind == DETECTION) & (size >= min_snr * err)
    is_earlier = is_varied & ~is_own
    last = last_of_each(curve.offsets, is_earlier)
    is_after = (np.arange(len(curve.mjd)) > last[row]) & (last[row] >= 0)
    median = _median(size, row, is_earlier, n)
    is_quiet = ((curve.kind == FORCED) & (size <= quiet_snr * err)) | (
        (curve.kind == UPPER_LIMIT) & (min_snr * err < median[row])
    )
    points = np.bincount(row[is_after & is_quiet], minlength=n)
    is_broken = is_after & (curve.kind == FORCED) & (size > min_snr * err) & ~is_own
    was_quiet = (points >= min_points) & (np.bincount(row[is_broken], minlength=n) == 0)
    has_varied = np.bincount(row[is_earlier], minlength=n) >= min_detections
    is_back = np.bincount(row[is_own & (size >= min_snr * err) & (curve.kind != UPPER_LIMIT)], minlength=n) > 0
    is_back &= taken(curve.kind, own) != LOW_QUALITY
    days = taken(curve.mjd, own) - taken(curve.mjd, last)
    return {
        "quiet_points": points,
        "quiet_days": np.where(was_quiet & has_varied, days, np.nan),
        "is_no_longer_varying": was_quiet & has_varied & ~is_back,
    }


def _median(values: NDArray[Any], row: NDArray[np.int64], keep: NDArray[np.bool_], n: int) -> NDArray[np.float64]:
    """Lower median of the kept values of each row; NaN without any."""
    who, kept = row[keep], values[keep]
    order = np.lexsort((kept, who))
    counts = np.bincount(who, minlength=n)
    place = np.concatenate([[0], np.cumsum(counts)])[:-1] + (counts - 1) // 2
    return taken(kept[order], np.where(counts > 0, place, -1))
