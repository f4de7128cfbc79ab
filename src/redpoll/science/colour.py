"""Science module: colours of neighbouring bands, from detections close in time."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from redpoll import Column, science_module
from redpoll.light_curves import BANDS, LightCurves, is_positive_detection, last_of_each, owners, taken
from redpoll.photometry import mag_err_from_flux, mag_from_flux
from redpoll.typing import Arrays, Floats, Ints

PAIRS = tuple(pairwise(BANDS))
_INDEXED = ("g", "r")


def _outputs() -> dict[str, Column]:
    columns = {}
    for blue, red in PAIRS:
        name, is_indexed = f"colour_{blue}_{red}", blue in _INDEXED
        doc = f"Colour {blue} - {red} of the latest pair of detections; null without one."
        columns[name] = Column("float32", "mag", doc, indexed=is_indexed)
        columns[f"{name}_err"] = Column("float32", "mag", f"One-sigma error of {blue} - {red}.", indexed=is_indexed)
    return columns


@science_module(version="1", outputs=_outputs())
def colour(light_curve: LightCurves, *, max_days: float = 0.3) -> Arrays:
    """Colours u-g, g-r, r-i, i-z and z-y from the latest two neighbouring detections within `max_days`.

    They are difference magnitudes: the colour of the change. Detections of negative flux are left out.
    """
    columns: Arrays = {}
    for blue, red in PAIRS:
        value, error = _latest(light_curve, BANDS.index(blue), BANDS.index(red), max_days)
        columns[f"colour_{blue}_{red}"], columns[f"colour_{blue}_{red}_err"] = value, error
    return columns


def _latest(curve: LightCurves, blue: int, red: int, max_days: float) -> tuple[Floats, Floats]:
    """Colour and error of the latest neighbours among the detections in the two bands."""
    keep = is_positive_detection(curve) & ((curve.band == blue) | (curve.band == red))
    point, row = np.flatnonzero(keep), owners(curve.offsets)[keep]
    is_pair = (row[1:] == row[:-1]) & (curve.band[point[1:]] != curve.band[point[:-1]])
    is_pair &= np.abs(curve.mjd[point[1:]] - curve.mjd[point[:-1]]) <= max_days
    partner = np.full(len(curve.mjd) + 1, -1)
    partner[point[1:][is_pair]] = point[:-1][is_pair]
    late = last_of_each(curve.offsets, partner[:-1] >= 0)
    (mag0, err0), (mag1, err1) = (_mag(curve, index) for index in (partner[late], late))
    return np.where(taken(curve.band, late) == blue, mag1 - mag0, mag0 - mag1), np.hypot(err0, err1)


def _mag(curve: LightCurves, index: Ints) -> tuple[Floats, Floats]:
    flux, error = taken(curve.flux, index), taken(curve.flux_err, index)
    return mag_from_flux(flux), mag_err_from_flux(flux, error)
