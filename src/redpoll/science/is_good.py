"""Science module: whether the detection itself can be believed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from redpoll import Column, science_module

OUTPUTS = {
    "is_good": Column("bool", doc="Brighter than the template, scored as real, and none of the survey's flags is set.")
}


@science_module(version="1", outputs=OUTPUTS)
def is_good(
    is_positive: NDArray[np.bool_],
    real_bogus: NDArray[np.float32],
    deep_real_bogus: NDArray[np.float32],
    has_bad_pixels: NDArray[np.bool_],
    is_edge: NDArray[np.bool_],
    is_dipole: NDArray[np.bool_],
    is_streak: NDArray[np.bool_],
    is_photometry_bad: NDArray[np.bool_],
    *,
    min_real_bogus: float = 0.5,
) -> NDArray[np.bool_]:
    """What most filters ask first; the survey's neural network counts, or where it did not look the older classifier.

    An unknown score is not good; an unknown flag counts as set, as quality fills it.
    """
    score = np.where(np.isnan(deep_real_bogus), real_bogus, deep_real_bogus)
    is_flagged = has_bad_pixels | is_edge | is_dipole | is_streak | is_photometry_bad
    return is_positive & ~is_flagged & (score >= min_real_bogus)
