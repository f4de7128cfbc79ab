"""Named conditions that filters share: arrays in, one boolean per alert out; what is unknown is false."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Floats = NDArray[np.floating[Any]]


def is_solar_system(roid: NDArray[np.integer[Any]]) -> Bools:
    """A known solar-system object, or a candidate: flag `roid` is 3 or 2.

    >>> is_solar_system(np.array([0, 1, 2, 3])).tolist()
    [False, False, True, True]
    """
    return np.asarray(roid >= 2)


def is_brightening_by(mag_rate_upper: Floats, min_rate: float) -> Bools:
    """Brightening by more than `min_rate` mag/day with 95 % confidence.

    >>> is_brightening_by(np.array([-0.5, -0.1, 0.5, np.nan]), 0.3).tolist()
    [True, False, False, False]
    """
    return np.asarray(mag_rate_upper < -min_rate)
