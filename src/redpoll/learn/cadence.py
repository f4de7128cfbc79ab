"""Cadence and counts of light curves: what betrays where photometry is from, whatever its values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from redpoll.astro.ragged import lengths, owners
from redpoll.schema.bands import BANDS, FORCED, UPPER_LIMIT
from redpoll.schema.light_curve import LightCurves

CADENCE = (
    *(f"n_{band}" for band in BANDS), "n_points", "days", "n_nights", "mean_step", "fraction_forced",
    "fraction_upper_limit",
)  # fmt: skip
"""Columns of `cadence_rows`; days and mean_step [d], mean_step between nights with points."""


def cadence_rows(curves: LightCurves) -> NDArray[np.float64]:
    """Cadence and counts of each light curve, of shape (n, len(CADENCE)); fractions and steps NaN where there are none.

    >>> mjd, zeros = np.array([1.0, 1.1, 4.0]), np.zeros(3, np.int8)
    >>> one = LightCurves(np.array([0, 3]), mjd, zeros + 1, mjd.astype(np.float32), mjd.astype(np.float32), zeros)
    >>> dict(zip(CADENCE, cadence_rows(one)[0].round(3).tolist()))["mean_step"]
    3.0
    """
    n, of = len(curves), owners(curves.offsets)
    counts = [np.bincount(of[curves.band == code], minlength=n) for code in range(len(BANDS))]
    n_points = np.diff(curves.offsets)
    night = np.floor(curves.mjd)
    is_new = np.ones(len(night), bool)
    is_new[1:] = (night[1:] != night[:-1]) | (of[1:] != of[:-1])
    n_nights = np.bincount(of[is_new], minlength=n)
    days = lengths(curves.mjd, curves.offsets)
    nights = lengths(night, curves.offsets)
    with np.errstate(invalid="ignore", divide="ignore"):
        step = np.where(n_nights > 1, nights / (n_nights - 1), np.nan)
        fractions = [np.bincount(of[curves.kind == kind], minlength=n) / n_points for kind in (FORCED, UPPER_LIMIT)]
    return np.column_stack([*counts, n_points, days, n_nights, step, *fractions]).astype(np.float64)
