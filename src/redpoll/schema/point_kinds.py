"""Kinds of the detections in a light curve: detection, or low quality by the survey's flags and by the cuts given."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from redpoll.config import Cuts
from redpoll.schema.bands import DETECTION, LOW_QUALITY


def detection_kinds(
    cuts: Cuts, real_bogus: NDArray[np.float64], *, n_bad_pixels: NDArray[np.float64] | None = None,
    is_flagged: NDArray[np.bool_] | None = None,
) -> NDArray[np.int8]:  # fmt: skip
    """Kind of each point: LOW_QUALITY if it is flagged or fails a cut, else DETECTION; a missing value fails no cut.

    Scores are compared as float32, like those of alerts in `redpoll.quality.cuts`.

    >>> detection_kinds(Cuts(min_real_bogus=0.55), np.array([0.55, 0.54, np.nan])).tolist()
    [0, 3, 0]
    """
    is_poor = np.zeros(len(real_bogus), bool) if is_flagged is None else is_flagged
    if cuts.min_real_bogus is not None:
        is_poor = is_poor | (real_bogus.astype(np.float32) < np.float32(cuts.min_real_bogus))
    if cuts.max_bad_pixels is not None and n_bad_pixels is not None:
        is_poor = is_poor | (n_bad_pixels > cuts.max_bad_pixels)
    return np.where(is_poor, np.int8(LOW_QUALITY), np.int8(DETECTION)).astype(np.int8)
