"""Forced photometry of Rubin packets: the same pixels as the detections, measured at the position of the object.

Its habits are those of the 93 real packets of 2026-03-10: see `forced_points` and `forced_columns`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from redpoll.astro.photometry import flux_from_mag
from redpoll.simulate.rubin_sources import Columns, dia_object_id, template_flux, visit_columns
from redpoll.simulate.segment import Segment, Setting

Array = NDArray[np.float64]
_MIN_DETECTIONS = 2
_FAILED_VISITS = 0.064  # 2,245 of 34,815 detections after the first forced point
_ERR_RATIO = 1.018  # median of the forced error over that of the detection
_SHARED_NOISE = 0.94  # correlation of both noises; they then differ by 0.4 sigma
_SCALE_SCATTER = 0.0135  # of the flux: centroid and model of the point source
_BRIGHT = float(flux_from_mag(17.5))
_BLANK_BRIGHT, _BLANK_FAINT = 0.137, 0.0024  # 1,287 of 9,425 and 19 of 8,061 points without a detection


def forced_points(setting: Setting, segment: Segment) -> NDArray[np.bool_]:
    """Whether each point of the segment's objects has a forced measurement.

    Forced photometry begins with the second detection of an object and includes that exposure: 19 of the 65 real lists
    begin exactly there, the others on a later visit, and none before. In some visits it fails for every object.
    """
    rng = np.random.default_rng([setting.seed, 4, setting.day])
    is_failed = rng.random(len(setting.exposures)) < _FAILED_VISITS
    return np.asarray((segment.sources.n_detections >= _MIN_DETECTIONS) & ~is_failed[segment.sources.row])


def forced_columns(setting: Setting, segment: Segment, points: NDArray[np.int64]) -> Columns:
    """Fields of the forced sources at these points, fluxes in nJy.

    The flux shares most of the detection's noise. It is exactly zero, with an error and without a flag (the schema has
    none), in some exposures without a detection, most of them on stars brighter than 17.5 mag.
    """
    s, who = segment.sources, segment.sources.index[points]
    own, blank = _draws(setting, segment)[:, points]
    columns, template = visit_columns(setting, segment, points), _template(setting, segment, points)
    true, noise, err = s.true_flux[points], (s.flux - s.true_flux)[points], s.flux_err[points]
    own_err = np.hypot(err * np.sqrt(_ERR_RATIO**2 - _SHARED_NOISE**2), _SCALE_SCATTER * true)
    flux = true + _SHARED_NOISE * noise + own * own_err
    chance = np.where(template + true > _BRIGHT, _BLANK_BRIGHT, _BLANK_FAINT)
    is_blank = (blank < chance) & ~s.detected[points]
    return columns | {
        "diaForcedSourceId": columns["visit"] * 10**5 + s.serial[who] % 10**5,
        "diaObjectId": dia_object_id(setting, s.serial)[who],
        "ra": s.ra[who],
        "dec": s.dec[who],
        "psfFlux": np.where(is_blank, 0.0, flux),
        "psfFluxErr": _ERR_RATIO * err,
        "scienceFlux": flux + template,
        "scienceFluxErr": err,
    }


def _template(setting: Setting, segment: Segment, points: NDArray[np.int64]) -> Array:
    s = segment.sources
    return template_flux(segment, s.index[points], setting.exposures.band[s.row[points]])


def _draws(setting: Setting, segment: Segment) -> Array:
    """A normal and a uniform number (2, points), the same for an object in every segment."""
    s = segment.sources
    streams = (np.random.default_rng([setting.seed, 5, int(serial)]) for serial in s.serial)
    draws = [np.stack([r.standard_normal(n), r.random(n)]) for r, n in zip(streams, np.diff(s.offsets), strict=True)]
    return np.concatenate(draws, axis=1) if draws else np.zeros((2, 0))
