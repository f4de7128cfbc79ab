"""Science module: how long the object has been known."""

from __future__ import annotations

import numpy as np

from redpoll import Column, science_module
from redpoll.light_curves import DETECTION, LightCurves, lowest_of_each
from redpoll.typing import Arrays, Floats

OUTPUTS = {
    "age": Column("float32", "d", "Time since the first detection of the object; null if the survey does not tell."),
}


@science_module(version="3", outputs=OUTPUTS)
def age(mjd: Floats, first_mjd: Floats, light_curve: LightCurves) -> Arrays:
    """Age of the object at the alert, from the survey's first detection or an earlier one in the light curve.

    ZTF counts from the first three-sigma detection at this position in the alert's field, which may be an unrelated
    fluctuation years ago, and may be later than one in a neighbouring field. With a stored history the age never falls
    from one alert of an object to the next. How far the light curve goes back is the column ``history_days``.
    """
    first_seen = lowest_of_each(light_curve, light_curve.mjd, light_curve.kind == DETECTION)
    return {"age": mjd - np.where(np.isfinite(first_mjd), np.fmin(first_mjd, first_seen), np.nan)}
