"""Science module: whether the triggering detection is reliable."""

from __future__ import annotations

import numpy as np

from redpoll import Column, science_module
from redpoll.typing import Bools, Floats

OUTPUTS = {
    "is_good": Column("bool", doc="Brighter than the template, scored as real, and none of the survey's flags is set.")
}


@science_module(version="1", outputs=OUTPUTS)
def is_good(
    is_positive: Bools,
    real_bogus: Floats,
    deep_real_bogus: Floats,
    has_bad_pixels: Bools,
    is_edge: Bools,
    is_dipole: Bools,
    is_streak: Bools,
    is_photometry_bad: Bools,
    *,
    min_real_bogus: float = 0.5,
) -> Bools:
    """Whether the detection is positive, unflagged, and scored as real; the first condition of most filters.

    The score is that of the survey's neural network, or of its older classifier where the network gave none. A
    detection with an unknown score is not good; missing flags default to true.
    """
    score = np.where(np.isnan(deep_real_bogus), real_bogus, deep_real_bogus)
    is_flagged = has_bad_pixels | is_edge | is_dipole | is_streak | is_photometry_bad
    return is_positive & ~is_flagged & (score >= min_real_bogus)
