"""Science module: whether the alert is a known or a possible Solar System object, by Fink's rules."""

from __future__ import annotations

import numpy as np

from redpoll import Column, science_module
from redpoll.conditions import FINK_ROID, is_listed
from redpoll.light_curves import DETECTION, FORCED, LOW_QUALITY, LightCurves, count_of_each, last_of_each, taken
from redpoll.typing import Floats, Ints, Texts

OUTPUTS = {
    "roid": Column(
        "string", doc="Solar System object: known, candidate, first_detection, or not_sso if none of them or unknown."
    )
}


@science_module(version="3", outputs=OUTPUTS)
def roid(
    survey: Texts,
    n_detections: Ints,
    star_score: Floats,
    star_distance_arcsec: Floats,
    sso_distance_arcsec: Floats,
    sso_name: Texts,
    packet_light_curve: LightCurves,
    *,
    max_star_score: float = 0.76,
    max_sso_arcsec: float = 5.0,
    min_star_arcsec: float = 5.0,
    max_gap_minutes: float = 30.0,
    max_known_detections: int = 5,
) -> Texts:
    """Category of the alert by Fink's rules for Solar System objects, with its thresholds as defaults.

    known: a known object lies within `max_sso_arcsec`, nearer than any star, and was detected at most
    `max_known_detections` times. candidate: no catalogued star is next to it and it was detected at most twice.
    first_detection: neither of these, and detected once. not_sso: all others, and alerts within `min_star_arcsec` of
    any catalogued source, alerts with a gap longer than `max_gap_minutes` between two good points (to the previous
    epoch of any kind, as in Fink), and second detections whose first is not in the light curve. ZTF sends no star score
    if there is no star. Rubin sends no stars, so that its alerts are never candidates, and does the association itself:
    known if the alert has the name of an object. Fink's numbers are in `redpoll.conditions.FINK_ROID`.

    The packet's measurements alone are counted, as in Fink.
    """
    has_stars = np.asarray(survey == "ztf", bool)
    n_points, gap_days = _points_and_gap(packet_light_curve)
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
    flag[np.where(has_stars, is_near & is_nearest & is_rare, is_listed(sso_name))] = 3
    return np.array(list(FINK_ROID), object)[flag]


def _points_and_gap(curve: LightCurves) -> tuple[Ints, Floats]:
    """Number of measured points, and time between the last two epochs [d]; forced photometry aside."""
    n_points = count_of_each(curve, np.isin(curve.kind, (DETECTION, LOW_QUALITY)))
    is_epoch = curve.kind != FORCED
    last = last_of_each(curve.offsets, is_epoch)
    is_epoch[last[last >= 0]] = False
    previous = last_of_each(curve.offsets, is_epoch)
    return n_points, taken(curve.mjd, last) - taken(curve.mjd, previous)
