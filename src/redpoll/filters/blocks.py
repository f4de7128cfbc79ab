"""Named conditions that filters share: arrays in, one boolean per alert out; what is unknown is false."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Floats = NDArray[np.floating[Any]]


def is_clean(
    has_bad_pixels: Bools, is_edge: Bools, is_dipole: Bools, is_streak: Bools, is_photometry_bad: Bools
) -> Bools:
    """None of the survey's flags is set.

    >>> no, yes = np.array([False]), np.array([True])
    >>> is_clean(no, no, no, no, no).tolist(), is_clean(no, yes, no, no, no).tolist()
    ([True], [False])
    """
    return ~(has_bad_pixels | is_edge | is_dipole | is_streak | is_photometry_bad)


def is_real(real_bogus: Floats, deep_real_bogus: Floats, min_score: float) -> Bools:
    """The survey's neural network, or where it did not look the older classifier, says real.

    >>> is_real(np.array([0.9, 0.9, np.nan]), np.array([0.2, np.nan, np.nan]), 0.5).tolist()
    [False, True, False]
    """
    return np.where(np.isnan(deep_real_bogus), real_bogus, deep_real_bogus) >= min_score


def is_on_star(star_score: Floats, star_distance_arcsec: Floats, max_arcsec: float = 1.5) -> Bools:
    """A catalogued source that is probably a star (score above 0.76) lies underneath.

    >>> is_on_star(np.array([0.9, 0.9, 0.1]), np.array([0.5, 9.0, 0.5])).tolist()
    [True, False, False]
    """
    return (star_score > 0.76) & (star_distance_arcsec < max_arcsec)


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
