"""Filter: faint now, bright before."""

from __future__ import annotations

from redpoll import alert_filter
from redpoll.conditions import is_solar_system
from redpoll.typing import Bools, Floats, Texts


@alert_filter()
def lost_and_found(
    is_good: Bools,
    peak_mag: Floats,
    faded_mag: Floats,
    lost_days: Floats,
    roid: Texts,
    *,
    max_peak_mag: float = 19.5,
    min_faded_mag: float = 1.0,
    min_lost_days: float = 3.0,
) -> Bools:
    """Bright before (max_peak_mag), then not seen by deep enough images, found after min_lost_days, faint now.

    A supernova that fades in plain sight is not lost: an alert of it in every image adds nothing new.
    """
    is_found = (faded_mag >= min_faded_mag) & (lost_days >= min_lost_days)
    return is_good & ~is_solar_system(roid) & (peak_mag <= max_peak_mag) & is_found
