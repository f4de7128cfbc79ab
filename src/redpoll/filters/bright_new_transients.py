"""Filter: bright and new."""

from __future__ import annotations

from redpoll import alert_filter
from redpoll.conditions import is_on_star, is_solar_system
from redpoll.typing import Bools, Floats, Ints, Texts


@alert_filter()
def bright_new_transients(
    is_good: Bools,
    mag: Floats,
    age: Floats,
    n_detections: Ints,
    roid: Texts,
    star_score: Floats,
    star_distance_arcsec: Floats,
    *,
    max_mag: float = 19.0,
    max_age: float = 10.0,
    min_detections: int = 2,
) -> Bools:
    """Brighter than max_mag, first seen at most max_age days ago, detected again since, neither star nor asteroid."""
    is_other = is_on_star(star_score, star_distance_arcsec) | is_solar_system(roid)
    is_new = (age <= max_age) & (n_detections >= min_detections)
    return is_good & ~is_other & is_new & (mag <= max_mag)
