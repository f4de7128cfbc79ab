"""Light curves of labelled objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class LabelledCurve:
    """One object: its class, its points by time, and what catalogues have at its position.

    ``mjd`` is TAI days; ``band`` and ``kind`` are indices into BANDS and KINDS; ``flux`` and ``flux_err`` [nJy] are
    those of a difference image, flux NaN for an upper limit. ``about`` holds canonical columns and columns of the host
    that are the same for all its alerts. ``label`` is empty if unknown, and so is ``survey``.
    """

    name: str
    label: str
    mjd: Array
    band: NDArray[np.int64]
    flux: Array
    flux_err: Array
    kind: NDArray[np.int64]
    about: dict[str, float] = field(default_factory=dict)
    survey: str = ""


def bare(curves: Sequence[LabelledCurve]) -> list[LabelledCurve]:
    """The same objects with nothing known of their positions."""
    return [replace(c, about={k: v for k, v in c.about.items() if k in ("ra", "dec")}) for c in curves]


def moved(curve: LabelledCurve, *, arcsec: float) -> LabelledCurve:
    """The same object so far from the centre of its galaxy."""
    return replace(curve, about=curve.about | {"host_arcsec": arcsec, "star_distance_arcsec": arcsec})


def half(name: str) -> int:
    """0 or 1, always the same for a name: the half of the objects that it is in.

    >>> half("ZTF18aabssth"), half("ZTF18aaguhgb")
    (0, 1)
    """
    return crc32(name.encode()) % 2
