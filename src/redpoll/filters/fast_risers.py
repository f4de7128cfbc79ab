"""Filter: brightening fast."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from redpoll import alert_filter
from redpoll.astro.stars import is_on_star
from redpoll.filters.blocks import is_brightening_by, is_solar_system


@alert_filter()
def fast_risers(
    is_good: NDArray[np.bool_],
    mag_rate_upper: NDArray[np.float32],
    mag_rate_days: NDArray[np.float32],
    roid: NDArray[np.int8],
    star_score: NDArray[np.float32],
    star_distance_arcsec: NDArray[np.float32],
    *,
    min_rate: float = 0.3,
    max_days: float = 5.0,
) -> NDArray[np.bool_]:
    """Brightening by more than min_rate mag/day with 95 % confidence over at most max_days; no star, no asteroid."""
    is_other = is_on_star(star_score, star_distance_arcsec) | is_solar_system(roid)
    return is_good & ~is_other & is_brightening_by(mag_rate_upper, min_rate) & (mag_rate_days <= max_days)
