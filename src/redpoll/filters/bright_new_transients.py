"""Filter: bright and new."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll import alert_filter
from redpoll.astro.stars import is_on_star
from redpoll.filters.blocks import is_solar_system


@alert_filter()
def bright_new_transients(
    is_good: NDArray[np.bool_],
    mag: NDArray[np.float32],
    age: NDArray[np.float32],
    n_detections: NDArray[Any],
    roid: NDArray[np.int8],
    star_score: NDArray[np.float32],
    star_distance_arcsec: NDArray[np.float32],
    *,
    max_mag: float = 19.0,
    max_age: float = 10.0,
    min_detections: int = 2,
) -> NDArray[np.bool_]:
    """Brighter than max_mag, first seen at most max_age days ago, detected again since, neither star nor asteroid."""
    is_other = is_on_star(star_score, star_distance_arcsec) | is_solar_system(roid)
    is_new = (age <= max_age) & (n_detections >= min_detections)
    return is_good & ~is_other & is_new & (mag <= max_mag)
