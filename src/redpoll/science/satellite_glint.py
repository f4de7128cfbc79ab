"""Science module: glints of satellites: seen once, where nothing is, as a dash."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll import Column, science_module
from redpoll.astro.ragged import owners
from redpoll.schema.bands import DETECTION, LOW_QUALITY
from redpoll.schema.light_curve import LightCurves

Array = NDArray[np.float64]
_BELT = {"ztf": -5.4, "rubin": 5.0}
"""Declination of the geostationary belt at the meridian, seen from Palomar (33.36 N) and Cerro Pachon (30.24 S)."""
OUTPUTS = {
    "is_lone_detection": Column(
        "bool",
        doc="Seen once, nothing known underneath: a glint, an asteroid, a flare or a new transient.",
        indexed=False,
    ),
    "belt_distance_deg": Column(
        "float32",
        "deg",
        "Declination, less that of geostationary satellites on the meridian of the survey's site.",
        indexed=False,
    ),
    "is_satellite_glint": Column(
        "bool",
        doc="A lone detection with a glint's shape; false where it cannot be told.",
        assigns="satellite_glint",
        indexed=False,
    ),
}


@science_module(version="2", outputs=OUTPUTS)
def satellite_glint(
    survey: NDArray[Any],
    dec: Array,
    light_curve: LightCurves,
    n_detections: NDArray[Any],
    is_positive: NDArray[np.bool_],
    is_streak: NDArray[np.bool_],
    trail_length_arcsec: NDArray[np.float32],
    roid: NDArray[np.integer[Any]],
    reference_mag: NDArray[np.float32],
    reference_distance_arcsec: NDArray[np.float32],
    star_distance_arcsec: NDArray[np.float32],
    host_d_dlr: NDArray[np.float32],
    cutout_snr: NDArray[np.float32],
    cutout_elongation: NDArray[np.float32],
    is_artefact: NDArray[np.bool_],
    *,
    min_arcsec: float = 2.0,
    min_d_dlr: float = 4.0,
    min_snr: float = 7.0,
    min_elongation: float = 1.6,
    belt_elongation: float = 1.4,
    belt_deg: float = 15.0,
    min_trail_arcsec: float = 3.0,
) -> dict[str, NDArray[Any]]:
    """One positive detection ever, no known asteroid, nothing within `min_arcsec`, in no galaxy; and its shape.

    A glint is the trail of a satellite cut to a dash by the length of the flash. So it is elongated by
    `min_elongation`, or by `belt_elongation` within `belt_deg` of the declination of geostationary satellites, in a
    cutout of at least `min_snr` that is no artefact; or the survey flagged a streak, or fitted a trail of
    `min_trail_arcsec` (stars: up to 2.2 arcsec in 87 real Rubin alerts). Of real stars in ZTF one in a hundred looks as
    long. What tells glints best cannot be seen here: several in a row in one exposure, since a module sees each alert
    alone. A glint as round as a star, or too faint to have a shape, stays a lone detection.

    References
    ----------
    Corbett et al. 2020, ApJ 903, L27; Nir et al. 2021, MNRAS 505, 2477 (0.1 to 0.3 s, at 15 arcsec/s); Karpov & Peloton
    2022, arXiv:2202.05719 (glints in ZTF, found by their rows).
    """
    is_lone = _is_single(light_curve) & (n_detections == 1) & is_positive & (roid != 3)
    is_lone &= ~(star_distance_arcsec < min_arcsec) & ~(host_d_dlr < min_d_dlr)
    is_lone &= ~(np.isfinite(reference_mag) & ~(reference_distance_arcsec >= min_arcsec))
    from_belt = dec - np.array([_BELT.get(name, np.nan) for name in survey], np.float64)
    is_long = (cutout_elongation >= min_elongation) | (
        (cutout_elongation >= belt_elongation) & (np.abs(from_belt) <= belt_deg)
    )
    is_shaped = (cutout_snr >= min_snr) & is_long & ~is_artefact
    return {
        "is_lone_detection": is_lone,
        "belt_distance_deg": from_belt,
        "is_satellite_glint": is_lone & (is_shaped | is_streak | (trail_length_arcsec >= min_trail_arcsec)),
    }


def _is_single(curve: LightCurves) -> NDArray[np.bool_]:
    """Whether the packet holds no other detection, good or not."""
    is_seen = np.isin(curve.kind, (DETECTION, LOW_QUALITY))
    return np.asarray(np.bincount(owners(curve.offsets)[is_seen], minlength=len(curve)) <= 1)
