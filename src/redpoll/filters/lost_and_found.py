"""Filter: faint now, bright before."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from redpoll import alert_filter
from redpoll.filters.blocks import is_solar_system


@alert_filter()
def lost_and_found(
    is_good: NDArray[np.bool_],
    peak_mag: NDArray[np.float32],
    faded_mag: NDArray[np.float32],
    lost_days: NDArray[np.float32],
    roid: NDArray[np.int8],
    *,
    max_peak_mag: float = 19.5,
    min_faded_mag: float = 1.0,
    min_lost_days: float = 3.0,
) -> NDArray[np.bool_]:
    """Bright before (max_peak_mag), then not seen by deep enough images, found after min_lost_days, faint now.

    A supernova that fades in plain sight is not lost: an alert of it in every image would say nothing new.
    """
    is_found = (faded_mag >= min_faded_mag) & (lost_days >= min_lost_days)
    return is_good & ~is_solar_system(roid) & (peak_mag <= max_peak_mag) & is_found
