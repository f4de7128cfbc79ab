"""Science module: whether a young source brightens or fades faster than supernovae do."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll import Column, science_module
from redpoll.astro.stars import is_on_star

OUTPUTS = {
    "is_fast_transient": Column(
        "bool",
        doc="Young, neither star nor asteroid, and brightening or fading fast; false where it cannot be told.",
        assigns="fast_transient",
        indexed=False,
    ),
    "fast_transient_rule": Column(
        "string", doc="Which rule says so: rising or fading; null if neither.", indexed=False
    ),
}


@science_module(version="2", outputs=OUTPUTS)
def fast_transient(
    is_good: NDArray[np.bool_],
    roid: NDArray[np.integer[Any]],
    age: NDArray[np.float32],
    n_detections: NDArray[Any],
    mag_rate_lower: NDArray[np.float32],
    mag_rate_upper: NDArray[np.float32],
    mag_rate_days: NDArray[np.float32],
    star_score: NDArray[np.float32],
    star_distance_arcsec: NDArray[np.float32],
    *,
    min_rise: float = 0.5,
    min_fade: float = 0.3,
    max_age: float = 10.0,
    max_days: float = 5.0,
    min_detections: int = 2,
    max_star_score: float = 0.76,
    min_star_arcsec: float = 1.5,
) -> dict[str, NDArray[Any]]:
    """Whether the rate of change of a young source is fast with 95 % confidence.

    Rising: more than `min_rise` mag/d brighter; fading: more than `min_fade` mag/d fainter, as the kilonova searches
    of ZTF ask, with the bound of the rate and not the rate itself over the limit. At most `max_age` days after the
    first detection (Fink allows 30), over at most `max_days` days. What lies on a catalogued star is left to
    `flare_star` and `cataclysmic`, moving objects to `roid`. An upper limit is an epoch too, see `rise_rate`; but what
    was detected less than `min_detections` times may be an asteroid or a glint, which every limit makes a fast riser.

    References
    ----------
    Andreoni et al. 2021, ApJ 918, 63 (ZTFReST); Drout et al. 2014, ApJ 794, 23 (rates of rapid transients).
    """
    is_star = is_on_star(star_score, star_distance_arcsec, min_score=max_star_score, max_arcsec=min_star_arcsec)
    may_be = is_good & (roid < 2) & ~is_star & (age <= max_age) & (n_detections >= min_detections)
    may_be &= mag_rate_days <= max_days
    is_rising = may_be & (mag_rate_upper < -min_rise)
    is_fading = may_be & (mag_rate_lower > min_fade)
    rule = np.full(len(may_be), None, object)
    rule[is_fading], rule[is_rising] = "fading", "rising"
    return {"is_fast_transient": is_rising | is_fading, "fast_transient_rule": rule}
