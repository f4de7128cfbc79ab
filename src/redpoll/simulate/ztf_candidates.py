"""Columns of the candidate and history of ZTF packets, one entry per detection or exposure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from redpoll.simulate.classes import CLASSES
from redpoll.simulate.exposures import TAI_MINUS_UTC
from redpoll.simulate.population import Sources
from redpoll.simulate.segment import BOGUS, Segment, Setting
from redpoll.simulate.ztf_artefacts import aperture_excess, artefact_shape, logistic
from redpoll.simulate.ztf_cadence import FIRST_NIGHT

Array = NDArray[np.float64]
Columns = dict[str, NDArray]
MISSING = -999.0
"""Value that ZTF writes for unknown asteroids and catalogue neighbours."""
_ASTEROID = list(CLASSES).index("asteroid")
_CENTROID, _ASTROMETRY = 0.8, 0.1
"""Scatter of a position [arcsec] at a signal to noise of 1, and what stays: by distances of real alerts to stars."""
_PROGRAMMES, _FIELD_SPREAD, _EXPOSURES_A_DAY = 2.7, 0.9, 0.32
_GOLDEN = 0.618034
"""Multiples of it, without their whole parts, fill 0 to 1 evenly."""
_COLOUR_TERM = [0.0, -0.05, 0.09, 0.12]


def exposure_columns(setting: Setting, segment: Segment, points: NDArray[np.int64]) -> Columns:
    """Fields that every history entry has, detection or upper limit."""
    s, e = segment.sources, setting.exposures
    row, who = s.row[points], s.index[points]
    spoiled = np.nan_to_num(_parameter(s, "depth_lost")[who])  # where the artefact shows
    jd = e.mjd[row] - TAI_MINUS_UTC + 2400000.5
    nid = np.floor(jd - 2457754.5).astype(np.int64)
    fraction = np.mod(jd - 0.5, 1.0)
    number, rcid, band = setting.fields.number[e.field[row]], s.detector[who], e.band[row]
    return {
        "jd": jd,
        "fid": band,
        "pid": nid * 10**9 + (fraction * 1e5).astype(np.int64) * 10**4 + rcid * 100 + 15,
        "diffmaglim": e.limiting_mag[row] - np.where(s.detected[points], spoiled, 0.0),
        "pdiffimfilename": _file_names(e.night[row], fraction, number, band, rcid),
        "programpi": np.full(len(points), "Kulkarni"),
        "programid": np.ones(len(points), np.int64),
        "nid": nid,
        "rcid": rcid,
        "field": number,
        "magzpsci": e.zero_point[row],
        "magzpsciunc": np.full(len(points), 1.2e-5),
        "magzpscirms": 0.032 + 0.004 * (rcid % 4),
        "clrcoeff": np.array(_COLOUR_TERM)[band],
        "clrcounc": np.full(len(points), 2.0e-5),
        "rbversion": np.full(len(points), "t17_f5_c3"),
    }


def _file_names(night: NDArray, fraction: Array, field: NDArray, band: NDArray, rcid: NDArray) -> NDArray:
    rows = zip(night, fraction * 1e6, field, band, rcid, strict=True)
    return np.array(
        [
            f"ztf_{n}{int(f):06d}_{k:06d}_z{'ugri'[b]}_c{r // 4 + 1:02d}_o_q{r % 4 + 1}_scimrefdiffimg.fits"
            for n, f, k, b, r in rows
        ],
        dtype=object,
    )


def detection_columns(setting: Setting, segment: Segment, points: NDArray[np.int64], kick: Array) -> Columns:
    """Fields of a detection: as candidate, and as entry of a later alert's history."""
    s, around = segment.sources, segment.surroundings
    row, who = s.row[points], s.index[points]
    exposure = exposure_columns(setting, segment, points)
    snr = np.abs(s.flux[points]) / s.flux_err[points]
    positive = s.flux[points] > 0
    mag, sigma = 31.4 - 2.5 * np.log10(np.abs(s.flux[points])), 1.0857 / snr
    apart = np.hypot(_ASTROMETRY, _CENTROID / snr) / setting.camera.pixel_scale
    wobble = _CENTROID / snr / 3600.0
    dec = s.dec[who] + wobble * kick[:, 0]
    aperture = mag + kick[:, 1] * (0.6 * sigma + 0.015)
    aperture += np.where(s.kind[who] == BOGUS, aperture_excess(kick), 0.0)
    band = setting.exposures.band[row]
    big = aperture + 0.5 * sigma * kick[:, 2]
    columns = {
        "candid": exposure["pid"] * 10**6 + np.where(positive, 15000, 10000) + s.rank[points] % 5000,
        "isdiffpos": np.where(positive, "t", "f"),
        "tblid": s.rank[points],
        "xpos": s.x[who] + 0.3 * kick[:, 3],
        "ypos": s.y[who] + 0.3 * kick[:, 4],
        "ra": s.ra[who] + wobble * kick[:, 5] / np.cos(np.radians(dec)),
        "dec": dec,
        "magpsf": mag,
        "sigmapsf": sigma,
        "magap": aperture,
        "sigmagap": 1.1 * sigma + 0.005,
        "magdiff": aperture - mag,
        "magfromlim": exposure["diffmaglim"] - aperture,
        "magapbig": big,
        "sigmagapbig": 1.35 * sigma + 0.005,
        "distnr": np.hypot(
            around.reference_distance[who] / setting.camera.pixel_scale + apart * kick[:, 6], apart * kick[:, 0]
        ),
        **reference_columns(segment, who, band),
        "scorr": snr * np.exp(0.08 * kick[:, 7]) * 1.05,
    }
    return exposure | columns | _shape_columns(setting, segment, points, kick, snr)


def reference_columns(segment: Segment, who: NDArray[np.int64], band: NDArray[np.int64]) -> Columns:
    """Position and magnitude of the nearest source of the reference image, one entry an object and band."""
    s, around = segment.sources, segment.surroundings
    mag = around.reference_mag[who, band]
    return {
        "ranr": s.ra[who],
        "decnr": s.dec[who] + around.reference_distance[who] / 3600.0,
        "magnr": mag,
        "sigmagnr": np.clip(0.012 + 10.0 ** (0.4 * (mag - 23.5)), 0.008, 0.36),
    }


def _shape_columns(setting: Setting, segment: Segment, points: NDArray[np.int64], kick: Array, snr: Array) -> Columns:
    """Shape of the detection and how real it looks; artefacts differ from sources, with an overlap."""
    s, around = segment.sources, segment.surroundings
    row, who = s.row[points], s.index[points]
    bogus = s.kind[who] == BOGUS
    seeing = setting.exposures.seeing[row] / setting.camera.pixel_scale
    axis = 0.34 * seeing * np.exp(0.13 * kick[:, 8])
    elong = 1.03 + np.abs(kick[:, 9]) * np.where(bogus, 0.2, 0.08)
    looks = np.where(bogus, -0.7 + 1.1 * kick[:, 10], 1.5 + 0.85 * kick[:, 10] + np.clip(0.05 * (snr - 10), -0.3, 0.8))
    deep = np.where(bogus, -1.5 + 3.0 * kick[:, 11], 8.5 + 4.0 * kick[:, 11]) + 1.2 * kick[:, 10]
    columns = {
        "chipsf": np.exp(0.6 * kick[:, 12]) * (1.0 + (snr / 25.0) ** 1.5),
        "chinr": 0.9 * np.exp(0.5 * kick[:, 12]),
        "sharpnr": np.where(np.isfinite(around.host_mag[who, 2]), 0.2, 0.0) + 0.05 * kick[:, 13],
        "sky": 0.7 * kick[:, 13],
        "fwhm": np.clip(seeing * np.exp(0.12 * kick[:, 14]), 1.0, 9.0),
        "classtar": logistic(4.2 + 1.2 * kick[:, 14]),
        "mindtoedge": np.minimum.reduce([s.x[who], s.y[who], 3072.0 - s.x[who], 3072.0 - s.y[who]]),
        "seeratio": np.clip(np.exp(0.28 * kick[:, 15]) * 1.07, 0.4, 2.0),
        "aimage": axis,
        "bimage": axis / elong,
        "aimagerat": axis / seeing,
        "bimagerat": axis / elong / seeing,
        "elong": elong,
        "nneg": np.clip(np.rint(2.0 + 2.0 * kick[:, 15]), 0, 15).astype(np.int64),
        "nbad": np.zeros(len(points), np.int64),
        "rb": logistic(looks),
        "drb": logistic(deep),
        "sumrat": np.clip(1.0 - np.abs(kick[:, 7]) * 0.03, 0.3, 1.0),
    }
    kind = _parameter(s, "artefact")[who]
    flawed = artefact_shape(kind, kick, seeing, elong)
    return columns | {name: np.where(bogus, value, columns[name]) for name, value in flawed.items()}


def candidate_columns(setting: Setting, segment: Segment, points: NDArray[np.int64], detection: Columns) -> Columns:
    """Fields that only the alert's own candidate has: history counts, neighbours, image statistics."""
    s = segment.sources
    who = s.index[points]
    n = len(points)
    snr = np.abs(s.flux[points]) / s.flux_err[points]
    noise, jitter = 12.0 + 3.0 * (s.serial[who] % 7), s.serial[who] % 25
    constants = {"tooflag": 0, "nframesref": 15, "nmatches": 1100, "zpclrcov": -1.1e-5, "clrmed": 0.63, "clrrms": 0.21}
    columns = {name: np.full(n, value) for name, value in constants.items()} | {
        "ndethist": s.n_detections[points],
        "ncovhist": _exposures_in_all(setting, s, points),
        "jdstarthist": s.first_mjd[who] - TAI_MINUS_UTC + 2400000.5,
        "jdendhist": detection["jd"],
        "rfid": detection["field"] * 10**6 + detection["fid"] * 10**5 + 20000 + detection["rcid"],
        "jdstartref": 2458154.7 + jitter,
        "jdendref": 2458410.8 + jitter,
        "dsnrms": 0.4 * snr,
        "ssnrms": 0.4 * snr + noise,
        "dsdiff": -noise,
        "zpmed": detection["magzpsci"],
        "exptime": np.full(n, 30.0),
        "drbversion": np.full(n, "d6_m7"),
    }
    return columns | _neighbour_columns(segment, who) | _asteroid_columns(setting, segment, who)


def _exposures_in_all(setting: Setting, s: Sources, points: NDArray[np.int64]) -> NDArray[np.int64]:
    """Exposures of the position by all of ZTF's programmes since the survey began: a few to one of the simulated ones.

    That ratio is the field's own. Its median and spread, and the rate before the simulated past, were set to packets of
    2019 to 2026 in half 0 of `benchmarks/realism.py`.
    """
    e = setting.exposures
    field = s.field[s.index[points]]
    spread = 2.0 * np.mod(_GOLDEN * setting.fields.number[field], 1.0) - 1.0
    ratio = np.maximum(_PROGRAMMES * np.exp(_FIELD_SPREAD * spread), 1.0)
    earlier = (e.mjd[e.offsets[field]] - FIRST_NIGHT).clip(0.0) * _EXPOSURES_A_DAY
    return np.asarray(np.rint(ratio * (s.n_covered[points] + earlier)), np.int64)


def _neighbour_columns(segment: Segment, who: NDArray[np.int64]) -> Columns:
    around, s = segment.surroundings, segment.sources
    columns: Columns = {}
    for k in range(3):
        distance = around.near_distance[who, k]
        known = np.isfinite(distance)
        columns[f"distpsnr{k + 1}"] = np.where(known, distance, MISSING)
        columns[f"sgscore{k + 1}"] = np.where(known, around.near_score[who, k], MISSING)
        columns[f"objectidps{k + 1}"] = np.where(known, 10**17 + s.serial[who] * 97 + k, int(MISSING))
        for band, name in enumerate("griz", start=1):
            columns[f"s{name}mag{k + 1}"] = np.where(known, around.near_mag[who, k, band], MISSING)
    star = around.near_score[who] > 0.5
    near = np.where(star, around.near_distance[who], np.inf).min(axis=1)
    mag = np.where(star & (around.near_distance[who] == near[:, None]), around.near_mag[who, :, 2], np.inf).min(axis=1)
    bright = mag < 14.0
    return columns | {
        "nmtchps": np.isfinite(around.near_distance[who]).sum(axis=1) + 4,
        "neargaia": np.where(mag < 20.5, near, MISSING),
        "maggaia": np.where(mag < 20.5, mag, MISSING),
        "neargaiabright": np.where(bright, near, MISSING),
        "maggaiabright": np.where(bright, mag, MISSING),
    }


def _parameter(s: Sources, name: str) -> Array:
    """A parameter of each source, NaN for those of classes that lack it."""
    return s.parameters.get(name, np.full(len(s), np.nan))


def _asteroid_columns(setting: Setting, segment: Segment, who: NDArray[np.int64]) -> Columns:
    """Name and predicted magnitude of the known asteroid at the position; nine of ten asteroids are known."""
    s = segment.sources
    known = (s.kind[who] == _ASTEROID) & (s.unit[who] % 10 != 0)
    v_mag = _parameter(s, "v_mag")[who]
    names = [str(1000 + 37 * int(unit)) if yes else "null" for unit, yes in zip(s.unit[who], known, strict=True)]
    return {
        "ssdistnr": np.where(known, s.unit[who] % 4, MISSING),
        "ssmagnr": np.where(known, np.round(v_mag, 1), MISSING),
        "ssnamenr": np.array(names, dtype=object),
    }
