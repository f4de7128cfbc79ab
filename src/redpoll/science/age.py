"""Science module: how long the object is known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from redpoll import Column, science_module
from redpoll.astro.ragged import owners
from redpoll.schema.bands import DETECTION
from redpoll.schema.light_curve import LightCurves

OUTPUTS = {
    "age": Column("float32", "d", "Time since the object's first detection, as the survey counts it; null if unknown."),
    "history_days": Column("float32", "d", "Time since the first good detection in the packet; 0 for the first."),
}


@science_module(version="1", outputs=OUTPUTS)
def age(
    mjd: NDArray[np.float64], first_mjd: NDArray[np.float64], light_curve: LightCurves
) -> dict[str, NDArray[np.float64]]:
    """Age of the object at the alert.

    ZTF counts from the first three-sigma detection ever at this place, which may be an unrelated fluctuation of
    years ago; a packet's own history holds five-sigma detections of the last 30 days (ZTF) or year (Rubin).
    """
    first = np.where(light_curve.kind == DETECTION, light_curve.mjd, np.inf)
    earliest = np.array(mjd, np.float64)
    np.minimum.at(earliest, owners(light_curve.offsets), first)
    return {"age": mjd - first_mjd, "history_days": mjd - earliest}
