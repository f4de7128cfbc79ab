"""Science module: satellite glints, single elongated detections at an empty position."""

from __future__ import annotations

import numpy as np

from redpoll import feature, flag, science_module
from redpoll.conditions import is_empty_position
from redpoll.light_curves import DETECTION, LOW_QUALITY, LightCurves, count_of_each
from redpoll.typing import Arrays, Bools, Floats, Ints, Texts

_BELT = {"ztf": -5.4, "rubin": 5.0, "elasticc": 5.0}
"""Declination of the geostationary belt at the meridian, seen from Palomar (33.36 N) and Cerro Pachon (30.24 S)."""
OUTPUTS = {
    "is_lone_detection": flag("The only detection, at an empty position: a glint, an asteroid or a new transient."),
    "belt_distance_deg": feature("deg", "Declination minus that of geostationary satellites on the site's meridian."),
    "is_satellite_glint": flag("A lone detection with a glint's shape; false if unknown.", assigns="satellite_glint"),
}


@science_module(version="3", outputs=OUTPUTS)
def satellite_glint(
    survey: Texts,
    dec: Floats,
    light_curve: LightCurves,
    n_detections: Ints,
    is_positive: Bools,
    is_streak: Bools,
    trail_length_arcsec: Floats,
    roid: Texts,
    reference_mag: Floats,
    reference_distance_arcsec: Floats,
    star_distance_arcsec: Floats,
    host_d_dlr: Floats,
    cutout_snr: Floats,
    cutout_elongation: Floats,
    is_artefact: Bools,
    *,
    min_arcsec: float = 2.0,
    min_d_dlr: float = 4.0,
    min_snr: float = 7.0,
    min_elongation: float = 1.6,
    belt_elongation: float = 1.4,
    belt_deg: float = 15.0,
    min_trail_arcsec: float = 2.5,
) -> Arrays:
    """Flags for lone detections (the only one ever, positive, at an empty position) and for glints among them.

    A lone detection is no known asteroid, has nothing within `min_arcsec` and lies in no galaxy. A glint is a short
    flash of a moving satellite and leaves a dash. It is elongated by `min_elongation`, or by `belt_elongation` within
    `belt_deg` of the declination of geostationary satellites, in a cutout of at least `min_snr` that is no artefact; or
    the survey flagged a streak, or fitted a trail of `min_trail_arcsec` (stars: up to 2.2 arcsec in 87 real Rubin
    alerts). One in a hundred real stars in ZTF looks as long. The best sign of a glint, several in a row in one
    exposure, is not available to a module, which sees each alert alone. A glint as round as a star, or too faint to
    have a shape, remains a lone detection.

    References
    ----------
    Corbett et al. 2020, ApJ 903, L27; Nir et al. 2021, MNRAS 505, 2477 (0.1 to 0.3 s, at 15 arcsec/s); Karpov & Peloton
    2022, arXiv:2202.05719 (glints in ZTF, found by their rows).
    """
    n_seen = count_of_each(light_curve, np.isin(light_curve.kind, (DETECTION, LOW_QUALITY)))
    is_lone = (n_seen <= 1) & (n_detections == 1) & is_positive & (roid != "known") & ~(host_d_dlr < min_d_dlr)
    is_lone &= is_empty_position(star_distance_arcsec, reference_mag, reference_distance_arcsec, min_arcsec)
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
