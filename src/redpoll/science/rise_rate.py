"""Science module: how fast the source rises or fades, from its last two epochs in the alert's band."""

from __future__ import annotations

import numpy as np

from redpoll import Column, science_module
from redpoll.light_curves import (
    DETECTION,
    LightCurves,
    at_trigger,
    in_alert_band,
    is_non_detection,
    last_of_each,
    owners,
    taken,
)
from redpoll.statistics import Rate, rate_between, rate_from_upper_limit
from redpoll.typing import Arrays, Bools, Ints

_BOUND = "of the rate's distribution; null if there is no rate, or a flux below 1.645 of its errors."
OUTPUTS = {
    "mag_rate": Column("float32", "mag/d", "Rate since the previous epoch in the band; negative while brightening."),
    "mag_rate_err": Column("float32", "mag/d", "One-sigma error of mag_rate."),
    "mag_rate_lower": Column("float32", "mag/d", f"5 % quantile {_BOUND}"),
    "mag_rate_upper": Column("float32", "mag/d", f"95 % quantile {_BOUND}", aggregate="min"),
    "mag_rate_days": Column("float32", "d", "Time between the two epochs of mag_rate; null without an earlier one."),
    "mag_rate_from_limit": Column("bool", doc="Whether mag_rate starts from an upper limit, not from a detection."),
}


@science_module(version="3", outputs=OUTPUTS, compile_group="statistics")
def rise_rate(
    light_curve: LightCurves, *, limit_sigma: float = 5.0, min_days: float = 0.01, doubt_days: float = 10.0
) -> Arrays:
    """Rate of change in magnitudes per day since the previous detection or upper limit in the same band.

    As in Fink, the latest earlier epoch is used, a detection or an upper limit (of `limit_sigma` sigma; a forced point
    below it stands for one), but not one less than `min_days` ago: a few thousandths of a magnitude between two images
    would become tens of magnitudes per day. An upper limit that contradicts a brighter detection of the last
    `doubt_days` is ignored and the detection is used: surveys report the depth of the whole image, also where the
    position of the source was masked. Null without such an epoch, and where a flux is not positive.
    """
    curve = light_curve
    is_upper_limit = is_non_detection(curve, limit_sigma)
    before = _earlier_epoch(curve, is_upper_limit, max(min_days, 1e-9), limit_sigma, doubt_days)
    from_limit = taken(is_upper_limit, before) == 1
    flux, err = at_trigger(curve, curve.flux), at_trigger(curve, curve.flux_err)
    days = at_trigger(curve, curve.mjd) - taken(curve.mjd, before)
    between = rate_between(taken(curve.flux, before), taken(curve.flux_err, before), flux, err, days)
    since_limit = rate_from_upper_limit(limit_sigma * taken(curve.flux_err, before), flux, err, days)
    rate = Rate(*(np.where(from_limit, a, b) for a, b in zip(since_limit, between, strict=True)))
    return {
        "mag_rate": rate.rate, "mag_rate_err": rate.err, "mag_rate_lower": rate.lower, "mag_rate_upper": rate.upper,
        "mag_rate_days": days, "mag_rate_from_limit": from_limit & np.isfinite(rate.rate),
    }  # fmt: skip


def _earlier_epoch(
    curve: LightCurves, is_upper_limit: Bools, min_days: float, limit_sigma: float, doubt_days: float
) -> Ints:
    """Index of the latest epoch in each alert's band at least `min_days` before the alert; -1 without any."""
    is_earlier = curve.mjd <= at_trigger(curve, curve.mjd)[owners(curve.offsets)] - min_days
    is_earlier &= in_alert_band(curve)
    seen = last_of_each(curve.offsets, is_earlier & (curve.kind == DETECTION))
    limit = last_of_each(curve.offsets, is_earlier & is_upper_limit)
    is_denied = taken(curve.flux, seen) > limit_sigma * taken(curve.flux_err, limit)
    is_denied &= taken(curve.mjd, limit) - taken(curve.mjd, seen) <= doubt_days
    return np.where((limit > seen) & ~is_denied, limit, seen)
