"""Whether an alert lies on a star, by a survey's score of the nearest catalogued source."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]


def is_on_star(
    star_score: Floats, star_distance_arcsec: Floats, *, min_score: float = 0.76, max_arcsec: float = 1.5
) -> NDArray[np.bool_]:
    """Whether the nearest catalogued source is probably a star at the position; false if unknown.

    >>> is_on_star(np.array([0.9, 0.9, 0.1, np.nan]), np.array([0.5, 9.0, 0.5, 0.5])).tolist()
    [True, False, False, False]
    """
    return np.asarray((star_score > min_score) & (star_distance_arcsec < max_arcsec))
