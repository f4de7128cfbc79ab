"""Filter: brightening fast."""

from __future__ import annotations

from redpoll import alert_filter
from redpoll.conditions import is_brightening_by, is_on_star, is_solar_system
from redpoll.typing import Bools, Floats, Texts


@alert_filter()
def fast_risers(
    is_good: Bools,
    mag_rate_upper: Floats,
    mag_rate_days: Floats,
    roid: Texts,
    star_score: Floats,
    star_distance_arcsec: Floats,
    *,
    min_rate: float = 0.3,
    max_days: float = 5.0,
) -> Bools:
    """Brightening by more than min_rate mag/day with 95 % confidence over at most max_days; no star, no asteroid."""
    is_other = is_on_star(star_score, star_distance_arcsec) | is_solar_system(roid)
    return is_good & ~is_other & is_brightening_by(mag_rate_upper, min_rate) & (mag_rate_days <= max_days)
