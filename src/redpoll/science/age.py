"""Science module: how long the object has been known."""

from __future__ import annotations

from redpoll import Column, science_module
from redpoll.typing import Arrays, Floats

OUTPUTS = {
    "age": Column("float32", "d", "Time since the survey's first detection of the object; null if unknown."),
}


@science_module(version="2", outputs=OUTPUTS)
def age(mjd: Floats, first_mjd: Floats) -> Arrays:
    """Age of the object at the alert, from the survey's first detection.

    ZTF counts from the first three-sigma detection at this position, which may be an unrelated fluctuation years ago.
    How far the light curve goes back is the column ``history_days``.
    """
    return {"age": mjd - first_mjd}
