"""Science module: how fast the source rises or fades, from its last two epochs in the alert's band."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from redpoll import Column, science_module
from redpoll.astro.magnitude_rate import Rate, rate_between, rate_from_upper_limit
from redpoll.astro.ragged import last_of_each, owners, taken
from redpoll.schema.bands import DETECTION, UPPER_LIMIT
from redpoll.schema.light_curve import LightCurves

_BOUND = "of the rate's distribution; null if there is no rate, or a flux below 1.645 of its errors."
OUTPUTS = {
    "mag_rate": Column(
        "float32", "mag/d", "Rate since the previous epoch in the alert's band; negative while brightening."
    ),
    "mag_rate_err": Column("float32", "mag/d", "One-sigma error of mag_rate."),
    "mag_rate_lower": Column("float32", "mag/d", f"5 % quantile {_BOUND}"),
    "mag_rate_upper": Column("float32", "mag/d", f"95 % quantile {_BOUND}", aggregate="min"),
    "mag_rate_days": Column(
        "float32", "d", "Time between the two epochs of mag_rate; null if there is no earlier one."
    ),
    "mag_rate_from_limit": Column("bool", doc="Whether mag_rate starts from an upper limit, not from a detection."),
}


@science_module(version="2", outputs=OUTPUTS)
def rise_rate(
    light_curve: LightCurves, *, limit_sigma: float = 5.0, min_days: float = 0.01, doubt_days: float = 10.0
) -> dict[str, NDArray[np.generic]]:
    """Rate of change in magnitudes per day since the previous detection or upper limit in the same band.

    As Fink does, the latest earlier epoch counts, whether it was a detection or a limit (of `limit_sigma`
    errors); but not one less than `min_days` ago, where a few thousandths of a magnitude between two images become
    tens of magnitudes per day. A limit that denies a brighter detection of at most `doubt_days` before is not believed:
    surveys report the depth of the whole image, also where the source's own place was masked. The detection counts
    instead. Null without any such epoch, and where a flux is not positive.
    """
    curve = light_curve
    own, before = _epochs(curve, max(min_days, 1e-9), limit_sigma, doubt_days)
    from_limit = taken(curve.kind, before) == UPPER_LIMIT
    flux, err = taken(curve.flux, own), taken(curve.flux_err, own)
    days = taken(curve.mjd, own) - taken(curve.mjd, before)
    between = rate_between(taken(curve.flux, before), taken(curve.flux_err, before), flux, err, days)
    since_limit = rate_from_upper_limit(limit_sigma * taken(curve.flux_err, before), flux, err, days)
    rate = Rate(*(np.where(from_limit, a, b) for a, b in zip(since_limit, between, strict=True)))
    return {
        "mag_rate": rate.rate, "mag_rate_err": rate.err, "mag_rate_lower": rate.lower, "mag_rate_upper": rate.upper,
        "mag_rate_days": days, "mag_rate_from_limit": from_limit & np.isfinite(rate.rate),
    }  # fmt: skip


def _epochs(
    curve: LightCurves, min_days: float, limit_sigma: float, doubt_days: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Index of each alert's triggering detection, and of the latest epoch in its band at least `min_days` before."""
    own = curve.triggering
    mine = own[owners(curve.offsets)]
    is_earlier = curve.mjd <= curve.mjd[mine] - min_days
    is_same_band = (curve.band == curve.band[mine]) & (curve.band >= 0)
    seen = last_of_each(curve.offsets, is_earlier & is_same_band & (curve.kind == DETECTION))
    limit = last_of_each(curve.offsets, is_earlier & is_same_band & (curve.kind == UPPER_LIMIT))
    is_denied = taken(curve.flux, seen) > limit_sigma * taken(curve.flux_err, limit)
    is_denied &= taken(curve.mjd, limit) - taken(curve.mjd, seen) <= doubt_days
    return own, np.where((limit > seen) & ~is_denied, limit, seen)
