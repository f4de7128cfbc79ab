"""Filter: moving objects that may be new."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from redpoll import alert_filter
from redpoll.filters.blocks import is_clean, is_real, is_solar_system


@alert_filter()
def solar_system_candidates(
    roid: NDArray[np.int8],
    is_positive: NDArray[np.bool_],
    real_bogus: NDArray[np.float32],
    deep_real_bogus: NDArray[np.float32],
    has_bad_pixels: NDArray[np.bool_],
    is_edge: NDArray[np.bool_],
    is_dipole: NDArray[np.bool_],
    is_streak: NDArray[np.bool_],
    is_photometry_bad: NDArray[np.bool_],
    *,
    include_known: bool = False,
    min_real_bogus: float = 0.5,
) -> NDArray[np.bool_]:
    """Solar-system candidates that are in no catalogue; the known objects too if include_known is set."""
    is_good = is_clean(has_bad_pixels, is_edge, is_dipole, is_streak, is_photometry_bad)
    is_good &= is_real(real_bogus, deep_real_bogus, min_real_bogus) & is_positive
    return is_good & (is_solar_system(roid) if include_known else roid == 2)
