"""Columns of the diaSource of Rubin packets, one entry per visit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from redpoll.schema.bands import BANDS
from redpoll.simulate.classes import CLASSES
from redpoll.simulate.classes.bogus import BAD_COLUMN, COSMIC_RAY, DIPOLE, STAR_RESIDUAL
from redpoll.simulate.segment import BOGUS, Segment, Setting

Array = NDArray[np.float64]
Columns = dict[str, NDArray]
_ASTEROID, _GLINT = (list(CLASSES).index(name) for name in ("asteroid", "satellite_glint"))
_FIT_PIXELS = 1681
_HOST_FRACTION = 0.1  # of a galaxy's light within a point-source fit
_FALSE = (
    "apFlux_flag", "apFlux_flag_apertureTruncated", "psfFlux_flag_edge", "psfFlux_flag_noGoodPixels", "trail_flag_edge",
    "forced_PsfFlux_flag_edge", "forced_PsfFlux_flag_noGoodPixels", "shape_flag", "shape_flag_no_pixels",
    "shape_flag_not_contained", "shape_flag_parent_source", "pixelFlags", "pixelFlags_crCenter", "pixelFlags_nodata",
    "pixelFlags_nodataCenter", "pixelFlags_offimage", "pixelFlags_suspect", "pixelFlags_suspectCenter",
    "pixelFlags_streak", "pixelFlags_streakCenter", "pixelFlags_injected", "pixelFlags_injectedCenter",
    "glint_trail", "pixelFlags_injected_template", "pixelFlags_injected_templateCenter", "trail_flag",
)  # fmt: skip


def dia_object_id(setting: Setting, serial: NDArray[np.int64]) -> NDArray[np.int64]:
    """Identifiers of objects: 18 digits, as the survey's."""
    return np.asarray(313 * 10**15 + (serial * 1_000_003 + setting.name_offset) % 10**15)


def visit_id(setting: Setting, row: NDArray[np.int64]) -> NDArray[np.int64]:
    """Identifiers of visits: the night and five digits."""
    second = np.floor(np.mod(setting.exposures.mjd[row], 1.0) * 86400.0).astype(np.int64)
    return np.asarray(setting.exposures.night[row] * 10**5 + second)


def is_known_asteroid(segment: Segment) -> NDArray[np.bool_]:
    """Whether each object is a catalogued asteroid: nine of ten asteroids are."""
    return np.asarray((segment.sources.kind == _ASTEROID) & (segment.sources.unit % 10 != 0))


def visit_columns(setting: Setting, segment: Segment, points: NDArray[np.int64]) -> Columns:
    """Fields that detections and forced sources share."""
    s, e = segment.sources, setting.exposures
    row, who = s.row[points], s.index[points]
    return {
        "visit": visit_id(setting, row),
        "detector": s.detector[who],
        "midpointMjdTai": e.mjd[row],
        "band": np.array(BANDS)[e.band[row]],
        "psfFlux": s.flux[points],
        "psfFluxErr": s.flux_err[points],
        "timeProcessedMjdTai": e.mjd[row] + 75.0 / 86400.0,
    }


def template_flux(segment: Segment, who: NDArray[np.int64], band: NDArray[np.int64]) -> Array:
    """Flux [nJy] of the template under each source: its star, and the part of its host in a point-source fit."""
    star, host = (
        10.0 ** (0.4 * (31.4 - mag[who, band]))
        for mag in (segment.surroundings.star_mag, segment.surroundings.host_mag)
    )
    return np.asarray(np.nan_to_num(star) + _HOST_FRACTION * np.nan_to_num(host))


def source_columns(setting: Setting, segment: Segment, points: NDArray[np.int64], kick: Array) -> Columns:
    """Fields of a diaSource at these points: as the alert's own, and as an entry of a later alert's history."""
    s = segment.sources
    who = s.index[points]
    visit = visit_columns(setting, segment, points)
    flux, err = s.flux[points], s.flux_err[points]
    snr = np.abs(flux) / err
    pixel_err = 2.0 / snr
    wobble = pixel_err * setting.camera.pixel_scale / 3600.0
    dec = s.dec[who] + wobble * kick[:, 0]
    template = template_flux(segment, who, setting.exposures.band[s.row[points]])
    known = is_known_asteroid(segment)[who]
    columns = {
        "diaSourceId": visit["visit"] * 10**5 + s.detector[who] * 500 + s.rank[points] % 500,
        "diaObjectId": np.ma.masked_array(dia_object_id(setting, s.serial)[who], known),
        "ssObjectId": np.ma.masked_array(ss_object_id(setting, s.unit)[who], ~known),
        "ra": s.ra[who] + wobble * kick[:, 1] / np.cos(np.radians(dec)),
        "raErr": wobble,
        "dec": dec,
        "decErr": wobble,
        "ra_dec_Cov": 0.05 * wobble**2 * kick[:, 2],
        "x": s.x[who] + pixel_err * kick[:, 1],
        "xErr": pixel_err,
        "y": s.y[who] + pixel_err * kick[:, 0],
        "yErr": pixel_err,
        "isNegative": flux < 0,
        "snr": snr,
        "apFlux": flux + 0.8 * err * kick[:, 3],
        "apFluxErr": 1.3 * err,
        "psfNdata": np.full(len(points), _FIT_PIXELS),
        "psfChi2": _FIT_PIXELS * (1.0 + 0.05 * kick[:, 4] + (snr / 300.0) ** 2),
        "scienceFlux": flux + template,
        "scienceFluxErr": err,
        "templateFlux": template,
        "templateFluxErr": 0.05 * err,
        "bboxSize": np.rint(np.clip(18.0 + 3.0 * np.log2(snr / 5.0) + 2.0 * kick[:, 5], 10, 80)).astype(np.int64),
        "exposureTime": np.full(len(points), 30.0),
    }
    flags = {name: np.zeros(len(points), bool) for name in _FALSE}
    return visit | columns | flags | _shape_columns(setting, segment, points, kick, snr)


def ss_object_id(setting: Setting, unit: NDArray[np.int64]) -> NDArray[np.int64]:
    """Identifiers of asteroids, the same at every sighting."""
    return np.asarray(21 * 10**15 + (unit * 7_919 + setting.name_offset) % 10**14)


def _shape_columns(setting: Setting, segment: Segment, points: NDArray[np.int64], kick: Array, snr: Array) -> Columns:
    """Shape, trail, dipole, flags and reliability; artefacts differ from sources, with an overlap."""
    s = segment.sources
    who, flux = s.index[points], s.flux[points]
    kind, artefact = s.kind[who], s.parameters.get("artefact", np.full(len(s), np.nan))[who]
    bogus, dipole = kind == BOGUS, artefact == DIPOLE
    moment = (setting.exposures.seeing[s.row[points]] / 2.355) ** 2
    rate = np.hypot(*(s.parameters.get(f"rate_{axis}", np.full(len(s), np.nan))[who] for axis in ("ra", "dec")))
    width = np.clip(1.3 + 0.35 * kick[:, 6], 0.5, None)  # real alerts of 2026-03-10: 0.6 to 2.2 arcsec
    dash = s.parameters.get("dash_arcsec", np.full(len(s), np.nan))[who]
    trail = np.hypot(width, np.nan_to_num(np.where(kind == _GLINT, dash, rate * 30.0 / 3600.0)))
    looks = np.where(bogus, -0.6 + 1.2 * kick[:, 10], 2.0 + 1.3 * kick[:, 10] + np.clip(0.03 * (snr - 10), -0.2, 2.5))
    near_edge = np.minimum.reduce([s.x, s.y, 4072.0 - s.x, 4072.0 - s.y])[who] < 40.0
    saturated, bad = (artefact == STAR_RESIDUAL) & (kick[:, 7] > 0), artefact == BAD_COLUMN
    lost = bogus & (kick[:, 8] > 1.5)

    return _dipole_columns(dipole, np.abs(flux), snr, kick) | {
        "centroid_flag": lost,
        "psfFlux_flag": lost,
        "forced_PsfFlux_flag": lost,
        "trailFlux": flux,
        "trailFluxErr": 0.01 * np.abs(flux) / snr,
        "trailRa": s.ra[who],
        "trailDec": s.dec[who],
        "trailLength": trail,
        "trailAngle": np.clip(60.0 * kick[:, 9], -180.0, 180.0),
        "trailNdata": np.zeros(len(points), np.int64),
        "ixx": moment * np.exp(0.1 * kick[:, 11]),
        "iyy": moment * np.exp(0.1 * kick[:, 12]),
        "ixy": 0.05 * moment * kick[:, 13],
        "ixxPSF": moment,
        "iyyPSF": moment,
        "ixyPSF": 0.0 * moment,
        "extendedness": 1.0 / (1.0 + np.exp(np.where(bogus, 0.5, 2.5) + 1.3 * kick[:, 14])),
        "reliability": 1.0 / (1.0 + np.exp(-np.clip(looks, -30.0, 30.0))),
        "reliabilityVersion": np.full(len(points), "simulated"),
        "pixelFlags_bad": bad,
        "pixelFlags_interpolated": bad | (artefact == COSMIC_RAY) | saturated,
        "pixelFlags_interpolatedCenter": bad & (kick[:, 15] > 0),
        "pixelFlags_cr": artefact == COSMIC_RAY,
        "pixelFlags_saturated": saturated,
        "pixelFlags_saturatedCenter": saturated & (kick[:, 15] > 0),
        "pixelFlags_edge": near_edge,
    }


def _dipole_columns(dipole: NDArray[np.bool_], size: Array, snr: Array, kick: Array) -> Columns:
    """The fit of two opposite sources, tried for dipoles alone."""
    columns = {
        "dipoleMeanFlux": size,
        "dipoleMeanFluxErr": size / snr,
        "dipoleFluxDiff": 0.0 * size,
        "dipoleFluxDiffErr": 2.0 * size / snr,
        "dipoleLength": 0.1 + 0.05 * np.abs(kick[:, 9]),
        "dipoleAngle": np.clip(60.0 * kick[:, 9], -180.0, 180.0),
        "dipoleChi2": 1000.0 + 20.0 * snr,
    }
    return {name: np.where(dipole, values, np.nan) for name, values in columns.items()} | {
        "dipoleNdata": np.where(dipole, _FIT_PIXELS, 0),
        "isDipole": dipole,
        "dipoleFitAttempted": dipole,
    }
