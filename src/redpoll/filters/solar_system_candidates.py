"""Filter: moving objects that may be new."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from redpoll import alert_filter
from redpoll.filters.blocks import is_solar_system


@alert_filter()
def solar_system_candidates(
    is_good: NDArray[np.bool_],
    roid: NDArray[np.int8],
    *,
    include_known: bool = False,
) -> NDArray[np.bool_]:
    """Solar-system candidates that are in no catalogue; the known objects too if include_known is set."""
    return is_good & (is_solar_system(roid) if include_known else roid == 2)
