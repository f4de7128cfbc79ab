"""Filter: faint now, bright before."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from redpoll import alert_filter
from redpoll.filters.blocks import is_clean, is_real, is_solar_system


@alert_filter()
def lost_and_found(
    peak_mag: NDArray[np.float32],
    faded_mag: NDArray[np.float32],
    lost_days: NDArray[np.float32],
    is_positive: NDArray[np.bool_],
    roid: NDArray[np.int8],
    real_bogus: NDArray[np.float32],
    deep_real_bogus: NDArray[np.float32],
    has_bad_pixels: NDArray[np.bool_],
    is_edge: NDArray[np.bool_],
    is_dipole: NDArray[np.bool_],
    is_streak: NDArray[np.bool_],
    is_photometry_bad: NDArray[np.bool_],
    *,
    max_peak_mag: float = 19.5,
    min_faded_mag: float = 1.0,
    min_lost_days: float = 3.0,
    min_real_bogus: float = 0.5,
) -> NDArray[np.bool_]:
    """Bright before (max_peak_mag), then not seen by deep enough images, found after min_lost_days, faint now.

    A supernova that fades in plain sight is not lost: an alert of it in every image would say nothing new.
    """
    is_good = is_clean(has_bad_pixels, is_edge, is_dipole, is_streak, is_photometry_bad)
    is_good &= is_real(real_bogus, deep_real_bogus, min_real_bogus) & is_positive & ~is_solar_system(roid)
    is_found = (faded_mag >= min_faded_mag) & (lost_days >= min_lost_days)
    return is_good & (peak_mag <= max_peak_mag) & is_found
