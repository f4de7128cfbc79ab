"""Filter: brightening fast."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from redpoll import alert_filter
from redpoll.filters.blocks import is_brightening_by, is_clean, is_on_star, is_real, is_solar_system


@alert_filter()
def fast_risers(
    mag_rate_upper: NDArray[np.float32],
    mag_rate_days: NDArray[np.float32],
    is_positive: NDArray[np.bool_],
    roid: NDArray[np.int8],
    star_score: NDArray[np.float32],
    star_distance_arcsec: NDArray[np.float32],
    real_bogus: NDArray[np.float32],
    deep_real_bogus: NDArray[np.float32],
    has_bad_pixels: NDArray[np.bool_],
    is_edge: NDArray[np.bool_],
    is_dipole: NDArray[np.bool_],
    is_streak: NDArray[np.bool_],
    is_photometry_bad: NDArray[np.bool_],
    *,
    min_rate: float = 0.3,
    max_days: float = 5.0,
    min_real_bogus: float = 0.5,
) -> NDArray[np.bool_]:
    """Brightening by more than min_rate mag/day with 95 % confidence over at most max_days; no star, no asteroid."""
    is_good = is_clean(has_bad_pixels, is_edge, is_dipole, is_streak, is_photometry_bad)
    is_good &= is_real(real_bogus, deep_real_bogus, min_real_bogus) & is_positive
    is_other = is_on_star(star_score, star_distance_arcsec) | is_solar_system(roid)
    return is_good & ~is_other & is_brightening_by(mag_rate_upper, min_rate) & (mag_rate_days <= max_days)
