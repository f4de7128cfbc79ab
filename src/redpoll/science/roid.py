"""Science module: whether the alert is a known or a possible solar-system object, by Fink's rules."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll import Column, science_module
from redpoll.astro.ragged import last_of_each, owners
from redpoll.schema.bands import DETECTION, FORCED, LOW_QUALITY
from redpoll.schema.light_curve import LightCurves

OUTPUTS = {
    "roid": Column(
        "int8", doc="3: known solar-system object; 2: candidate; 1: first detection; 0: neither, or it cannot be told."
    )
}


@science_module(version="1", outputs=OUTPUTS)
def roid(
    survey: NDArray[Any],
    n_detections: NDArray[Any],
    star_score: NDArray[np.float32],
    star_distance_arcsec: NDArray[np.float32],
    sso_distance_arcsec: NDArray[np.float32],
    sso_name: NDArray[Any],
    light_curve: LightCurves,
    *,
    max_star_score: float = 0.76,
    max_sso_arcsec: float = 5.0,
    min_star_arcsec: float = 5.0,
    max_gap_minutes: float = 30.0,
    max_known_detections: int = 5,
) -> NDArray[np.int8]:
    """Solar-system flag 0 to 3: Fink's rules, with its thresholds as defaults.

    1 for a first detection; 2 if nothing catalogued as a star lies next to it and it was detected at most twice;
    but 0 within `min_star_arcsec` of any catalogued source, if of two good points the gap before the last is longer
    than `max_gap_minutes` (to the previous epoch of any kind, as Fink counts), or if the first of two detections is
    not in the packet. 3 if a known object lies within `max_sso_arcsec` and nearer than any star, seen at most
    `max_known_detections` times. ZTF says nothing of a star if there is none. Rubin sends no stars, so that its
    alerts are never 2, and does the association itself: 3 if the alert names an object.
    """
    has_stars = survey == "ztf"
    n_points, gap_days = _detections_and_gap(light_curve)
    is_near_star = (star_distance_arcsec > 0) & (star_distance_arcsec < min_star_arcsec)
    is_star = star_score >= max_star_score
    flag = np.where(n_detections == 1, 1, 0)
    flag[has_stars & ~is_star & (n_detections <= 2)] = 2
    flag[is_near_star] = 0
    flag[(n_points == 2) & (gap_days > max_gap_minutes / 1440.0)] = 0
    flag[(n_detections == 2) & (n_points == 1)] = 0
    is_near = (sso_distance_arcsec >= 0) & (sso_distance_arcsec < max_sso_arcsec)
    is_nearest = ~(np.abs(star_distance_arcsec) <= sso_distance_arcsec)
    is_rare = (n_detections <= max_known_detections) & (n_points <= max_known_detections)
    is_named = np.array([name is not None for name in sso_name], bool)
    flag[np.where(has_stars, is_near & is_nearest & is_rare, is_named)] = 3
    return flag.astype(np.int8)


def _detections_and_gap(curve: LightCurves) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Number of points with a measured flux, and time between the last two epochs; forced photometry aside."""
    row, n = owners(curve.offsets), len(curve)
    n_points = np.bincount(row[np.isin(curve.kind, (DETECTION, LOW_QUALITY))], minlength=n)
    is_epoch = curve.kind != FORCED
    last = last_of_each(curve.offsets, is_epoch)
    is_epoch[last[last >= 0]] = False
    previous = last_of_each(curve.offsets, is_epoch)
    has_both = previous >= 0
    gap = np.full(n, np.nan)
    gap[has_both] = curve.mjd[last[has_both]] - curve.mjd[previous[has_both]]
    return n_points, gap
