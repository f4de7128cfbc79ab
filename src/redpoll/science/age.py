"""Science module: how long the object has been known."""

from __future__ import annotations

import numpy as np

from redpoll import Column, science_module
from redpoll.light_curves import DETECTION, LightCurves, lowest_of_each
from redpoll.typing import Arrays, Floats

OUTPUTS = {
    "age": Column("float32", "d", "Time since the survey's first detection of the object; null if unknown."),
    "history_days": Column("float32", "d", "Time since the first good detection in the light curve; 0 for the first."),
}


@science_module(version="1", outputs=OUTPUTS)
def age(mjd: Floats, first_mjd: Floats, light_curve: LightCurves) -> Arrays:
    """Age of the object at the alert, from the survey's first detection and from the light curve.

    ZTF counts from the first three-sigma detection at this position, which may be an unrelated fluctuation years ago.
    The light curve holds five-sigma detections; ZTF's packets go back 30 days, Rubin's a year.
    """
    first = lowest_of_each(light_curve, light_curve.mjd, light_curve.kind == DETECTION)
    return {"age": mjd - first_mjd, "history_days": mjd - np.fmin(first, mjd)}
