"""Smooth curve through the points of a table."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def cubic(x: Array, y: Array, at: Array) -> Array:
    """Values at `at` of a cubic Hermite spline through points with increasing `x`.

    The slope at a point is that of the parabola through it and its neighbours, at the ends that of the last step.

    >>> cubic(np.array([0.0, 1.0, 2.0, 3.0]), np.array([0.0, 1.0, 4.0, 9.0]), np.array([1.5, 2.0])).tolist()
    [2.25, 4.0]
    """
    width = np.diff(x)
    steps = np.diff(y) / width
    middle = (steps[:-1] * width[1:] + steps[1:] * width[:-1]) / (width[1:] + width[:-1])
    slope = np.concatenate([steps[:1], middle, steps[-1:]])
    k = np.clip(np.searchsorted(x, at, side="right") - 1, 0, len(width) - 1)
    u = (at - x[k]) / width[k]
    left = (1 + 2 * u) * (1 - u) ** 2 * y[k] + u * (1 - u) ** 2 * width[k] * slope[k]
    return np.asarray(left + u**2 * (3 - 2 * u) * y[k + 1] + u**2 * (u - 1) * width[k] * slope[k + 1])
