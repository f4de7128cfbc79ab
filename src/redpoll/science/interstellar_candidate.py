"""Science module: known interstellar objects, by designation or orbit."""

from __future__ import annotations

import re

import numpy as np

from redpoll import flag, science_module
from redpoll.typing import Bools, Floats, Texts

_DESIGNATION = re.compile(r"\s*(?:\d{1,4}I\b|0\d{3}I\b|I/\d{4} [A-Z]|(?:[AC]/)?(?:2017 U1|2019 Q4|2025 N1)\b)")
"""Permanent (3I/ATLAS, packed 0003I), of the year (I/2017 U1), and the first designations of 1I, 2I and 3I."""
OUTPUTS = {
    "is_interstellar": flag(
        "The known object here is interstellar by designation or orbit.", assigns="interstellar_object"
    )
}


@science_module(version="2", outputs=OUTPUTS)
def interstellar_candidate(
    sso_name: Texts,
    sso_distance_arcsec: Floats,
    sso_eccentricity: Floats,
    *,
    max_arcsec: float = 5.0,
    min_eccentricity: float = 1.1,
) -> Bools:
    """Whether an object within `max_arcsec` is interstellar by its designation, or by a known, hyperbolic orbit.

    Comets ejected by the planets reach an eccentricity of 1.06 (C/1980 E1); 1I, the least hyperbolic interstellar
    object, has 1.20. Only Rubin sends orbits. An unknown object cannot be recognised from one alert: it needs linked
    detections of several nights, and neither survey sends earlier positions of a moving object.

    References
    ----------
    Minor Planet Center, MPEC 2017-V17 (designation of interstellar objects); Meech et al. 2017, Nature 552, 378.
    """
    is_named = np.array([name is not None and _DESIGNATION.match(name) is not None for name in sso_name], bool)
    is_hyperbolic = sso_eccentricity >= min_eccentricity
    return (is_named | is_hyperbolic) & ~(sso_distance_arcsec > max_arcsec)
