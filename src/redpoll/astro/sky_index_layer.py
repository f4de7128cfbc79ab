"""Layer of an index of positions; separate from `sky_index`, which imports numba."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Layer:
    """Rows ``start:stop`` of an index, of similar reach, sorted by hpx29.

    ``radius`` [rad] and ``speed`` [rad/yr] are the largest of its sources; ``buckets`` is the index of the first of its
    12 x 4^``order`` + 1 row numbers.
    """

    start: int
    stop: int
    radius: float
    speed: float
    order: int
    buckets: int
