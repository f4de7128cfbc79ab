"""Science module: colours of neighbouring bands, from detections close in time."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from redpoll import Column, science_module
from redpoll.astro.photometry import mag_err_from_flux, mag_from_flux
from redpoll.astro.ragged import last_of_each, owners, taken
from redpoll.schema.bands import BANDS, DETECTION
from redpoll.schema.light_curve import LightCurves

PAIRS = tuple(pairwise(BANDS))
_HOT = ("g", "r")
Array = NDArray[np.float64]


def _outputs() -> dict[str, Column]:
    columns = {}
    for blue, red in PAIRS:
        pair, hot = f"{blue} - {red}", blue in _HOT
        columns[f"colour_{blue}_{red}"] = Column(
            "float32", "mag", f"Colour {pair} of the latest pair of detections; null without one.", indexed=hot
        )
        columns[f"colour_{blue}_{red}_err"] = Column("float32", "mag", f"One-sigma error of {pair}.", indexed=hot)
    return columns


@science_module(version="1", outputs=_outputs())
def colour(light_curve: LightCurves, *, max_days: float = 0.3) -> dict[str, Array]:
    """Colours u-g, g-r, r-i, i-z and z-y from the latest two neighbouring detections within `max_days`.

    They are difference magnitudes: the colour of what changed. Detections of negative flux are left out.
    """
    columns: dict[str, Array] = {}
    for blue, red in PAIRS:
        value, error = _latest(light_curve, BANDS.index(blue), BANDS.index(red), max_days)
        columns[f"colour_{blue}_{red}"], columns[f"colour_{blue}_{red}_err"] = value, error
    return columns


def _latest(curve: LightCurves, blue: int, red: int, max_days: float) -> tuple[Array, Array]:
    """Colour and error of the latest neighbours among the detections in the two bands."""
    keep = (curve.kind == DETECTION) & (curve.flux > 0) & ((curve.band == blue) | (curve.band == red))
    point, row = np.flatnonzero(keep), owners(curve.offsets)[keep]
    is_pair = (row[1:] == row[:-1]) & (curve.band[point[1:]] != curve.band[point[:-1]])
    is_pair &= np.abs(curve.mjd[point[1:]] - curve.mjd[point[:-1]]) <= max_days
    partner = np.full(len(curve.mjd) + 1, -1)
    partner[point[1:][is_pair]] = point[:-1][is_pair]
    late = last_of_each(curve.offsets, partner[:-1] >= 0)
    early = partner[late]
    is_blue_late = taken(curve.band, late) == blue
    mags, errors = zip(*(_mag(curve, index) for index in (early, late)), strict=True)
    return np.where(is_blue_late, mags[1] - mags[0], mags[0] - mags[1]), np.hypot(*errors)


def _mag(curve: LightCurves, index: NDArray[np.int64]) -> tuple[Array, Array]:
    flux, error = taken(curve.flux, index), taken(curve.flux_err, index)
    return mag_from_flux(flux), mag_err_from_flux(flux, error)
