"""Named conditions that science modules and filters share: arrays in, one boolean per alert out.

An unknown value fails a condition unless its description states otherwise.

>>> import numpy as np
>>> is_solar_system(np.array(["not_sso", "first_detection", "candidate", "known"], object)).tolist()
[False, False, True, True]
"""

from __future__ import annotations

from collections.abc import Container
from types import MappingProxyType
from typing import Any

import numpy as np

from redpoll.typing import Bools, Floats, Texts

__all__ = ["FINK_ROID", "is_brightening_by", "is_empty_position", "is_listed", "is_on_star", "is_solar_system"]
FINK_ROID = MappingProxyType({"not_sso": 0, "first_detection": 1, "candidate": 2, "known": 3})
"""The values of the column ``roid``, and the number that Fink's column of that name has for each."""


def is_solar_system(roid: Texts) -> Bools:
    """Whether the alert is a known Solar System object or a candidate.

    >>> is_solar_system(np.array(["known", "candidate", None], object)).tolist()
    [True, True, False]
    """
    return np.asarray((roid == "known") | (roid == "candidate"), bool)


def is_on_star(
    star_score: Floats, star_distance_arcsec: Floats, *, min_score: float = 0.76, max_arcsec: float = 1.5
) -> Bools:
    """Whether the nearest catalogued source is probably a star at the position; false if unknown.

    >>> is_on_star(np.array([0.9, 0.9, 0.1, np.nan]), np.array([0.5, 9.0, 0.5, 0.5])).tolist()
    [True, False, False, False]
    """
    return np.asarray((star_score > min_score) & (star_distance_arcsec < max_arcsec))


def is_brightening_by(mag_rate_upper: Floats, min_rate: float) -> Bools:
    """Whether the source brightens by more than `min_rate` mag/day with 95 % confidence.

    >>> is_brightening_by(np.array([-0.5, -0.1, 0.5, np.nan]), 0.3).tolist()
    [True, False, False, False]
    """
    return np.asarray(mag_rate_upper < -min_rate)


def is_empty_position(
    star_distance_arcsec: Floats, reference_mag: Floats, reference_distance_arcsec: Floats, min_arcsec: float
) -> Bools:
    """Whether no catalogued source and no source of the template lies within `min_arcsec`; unknown counts as empty.

    A reference source without a distance is at the position itself.

    >>> nothing, faint = np.array([np.nan, np.nan, 9.0]), np.array([np.nan, 21.0, 21.0])
    >>> is_empty_position(nothing, faint, np.array([np.nan, np.nan, 4.0]), 1.5).tolist()
    [True, False, True]
    """
    is_in_template = np.isfinite(reference_mag) & ~(reference_distance_arcsec >= min_arcsec)
    return np.asarray(~(star_distance_arcsec < min_arcsec) & ~is_in_template)


def is_listed(words: Texts, names: Container[Any] | None = None) -> Bools:
    """Whether each text is one of the names; any known text if none are given.

    >>> is_listed(np.array(["RRAB", None, "EA"], object), {"RRAB"}).tolist()
    [True, False, False]
    """
    if names is None:
        return np.fromiter((word is not None for word in words), bool, len(words))
    return np.fromiter((word in names for word in words), bool, len(words))
