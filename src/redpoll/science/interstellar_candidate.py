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
        doc="The known object at this place is interstellar by its designation.",
        says="interstellar_object",
        hot=False,
    )
}


@science_module(version="1", outputs=OUTPUTS)
def interstellar_candidate(
    sso_name: NDArray[Any], sso_distance_arcsec: NDArray[np.float32], *, max_arcsec: float = 5.0
) -> NDArray[np.bool_]:
    """Whether the survey names an object within `max_arcsec` that the Minor Planet Center calls interstellar.

    That is all an alert tells. An unknown one shows by its hyperbolic orbit, which takes detections of several nights,
    linked: neither survey sends positions of earlier detections for a moving object. Rubin sends the eccentricity of
    known orbits, but only in the packet's own fields, which modules do not read.

    References
    ----------
    Minor Planet Center, MPEC 2017-V17 (designation of interstellar objects); Meech et al. 2017, Nature 552, 378.
    """
    is_named = np.array([name is not None and _DESIGNATION.match(name) is not None for name in sso_name], bool)
    return is_named & ~(sso_distance_arcsec > max_arcsec)
