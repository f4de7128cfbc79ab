"""Science module: whether a young source brightens or fades faster than supernovae do."""

from __future__ import annotations

import numpy as np

from redpoll import Column, flag, science_module
from redpoll.conditions import is_on_star, is_solar_system
from redpoll.typing import Arrays, Bools, Floats, Ints, Texts

OUTPUTS = {
    "is_fast_transient": flag("Young, no star or asteroid, and changing fast.", assigns="fast_transient"),
    "fast_transient_rule": Column("string", doc="The rule it meets: rising or fading; null if neither.", indexed=False),
}


@science_module(version="2", outputs=OUTPUTS)
def fast_transient(
    is_good: Bools,
    roid: Texts,
    age: Floats,
    n_detections: Ints,
    mag_rate_lower: Floats,
    mag_rate_upper: Floats,
    mag_rate_days: Floats,
    star_score: Floats,
    star_distance_arcsec: Floats,
    *,
    min_rise: float = 0.5,
    min_fade: float = 0.3,
    max_age: float = 10.0,
    max_days: float = 5.0,
    min_detections: int = 2,
    max_star_score: float = 0.76,
    min_star_arcsec: float = 1.5,
) -> Arrays:
    """Whether the rate of change of a young source is fast with 95 % confidence.

    Rising: brightening by more than `min_rise` mag/d; fading: by more than `min_fade` mag/d, as in the kilonova
    searches of ZTF. The threshold applies to the 5 % or 95 % bound of the rate. The source is at most `max_age` days
    old (Fink allows 30) and the rate spans at most `max_days` days. Sources on a catalogued star are left to
    `flare_star` and `cataclysmic`, Solar System objects to `roid`. The rate may start from an upper limit, see
    `rise_rate`. A source detected fewer than `min_detections` times is excluded: an asteroid or a satellite glint
    after an upper limit would always be a fast riser.

    References
    ----------
    Andreoni et al. 2021, ApJ 918, 63 (ZTFReST); Drout et al. 2014, ApJ 794, 23 (rates of rapid transients).
    """
    is_star = is_on_star(star_score, star_distance_arcsec, min_score=max_star_score, max_arcsec=min_star_arcsec)
    may_be = is_good & ~is_solar_system(roid) & ~is_star & (age <= max_age) & (n_detections >= min_detections)
    may_be &= mag_rate_days <= max_days
    is_rising = may_be & (mag_rate_upper < -min_rise)
    is_fading = may_be & (mag_rate_lower > min_fade)
    rule = np.full(len(may_be), None, object)
    rule[is_fading], rule[is_rising] = "fading", "rising"
    return {"is_fast_transient": is_rising | is_fading, "fast_transient_rule": rule}
