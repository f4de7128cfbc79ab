"""Science module: objects from beyond the Solar System, as far as an alert can tell."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll import Column, science_module

_DESIGNATION = re.compile(r"\s*(?:\d{1,4}I\b|0\d{3}I\b|I/\d{4} [A-Z]|(?:[AC]/)?(?:2017 U1|2019 Q4|2025 N1)\b)")
"""Permanent (3I/ATLAS, packed 0003I), of the year (I/2017 U1), and what 1I, 2I and 3I were first called."""
OUTPUTS = {
    "is_interstellar": Column(
        "bool",
        doc="The known object at this place is interstellar by its designation or by its orbit.",
        assigns="interstellar_object",
        indexed=False,
    )
}


@science_module(version="2", outputs=OUTPUTS)
def interstellar_candidate(
    sso_name: NDArray[Any],
    sso_distance_arcsec: NDArray[np.float32],
    sso_eccentricity: NDArray[np.float32],
    *,
    max_arcsec: float = 5.0,
    min_eccentricity: float = 1.1,
) -> NDArray[np.bool_]:
    """Whether an object within `max_arcsec` is interstellar by its designation, or by a known, hyperbolic orbit.

    Comets that the planets throw out of the Solar System reach an eccentricity of 1.06 (C/1980 E1); 1I, the least
    hyperbolic visitor, had 1.20. Only Rubin sends orbits. An object without one takes detections of several nights,
    linked: neither survey sends positions of earlier detections for a moving object.

    References
    ----------
    Minor Planet Center, MPEC 2017-V17 (designation of interstellar objects); Meech et al. 2017, Nature 552, 378.
    """
    is_named = np.array([name is not None and _DESIGNATION.match(name) is not None for name in sso_name], bool)
    is_hyperbolic = sso_eccentricity >= min_eccentricity
    return (is_named | is_hyperbolic) & ~(sso_distance_arcsec > max_arcsec)
