"""Alert table of ZTF packets, schema 1.3 to 4.02.

Facts: the ZTF alert packet documentation (Patterson et al. 2019, PASP 131, 018001).
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from redpoll.astro.photometry import flux_err_from_mag_err, flux_from_mag
from redpoll.astro.time import NIGHT_OFFSET, tai_mjd_from_utc_jd
from redpoll.config import Cuts
from redpoll.errors import FieldError
from redpoll.schema.bands import BANDS, FORCED, UPPER_LIMIT
from redpoll.schema.designations import designations
from redpoll.schema.fields import any_flag, band_array, field, floats, identifier, nullable, without
from redpoll.schema.history import Points, items, light_curves
from redpoll.schema.point_kinds import detection_kinds
from redpoll.schema.table import assemble

PIXEL_ARCSEC = 1.012
EDGE_PIXELS = 10.0
_SENTINEL = -900.0
_NO_FORCED_FLUX = -99_999.0
_BAND_OF_FID = np.array([-1, BANDS.index("g"), BANDS.index("r"), BANDS.index("i")], np.int8)


def to_alerts(packets: pa.StructArray, cuts: Cuts) -> pa.RecordBatch:
    """Alert table of ZTF packets of one writer schema, one row per packet; `cuts` decide the kind of detections."""
    is_positive = _is_positive(field(packets, "candidate.isdiffpos"))
    own = _own(packets, is_positive.fill_null(True).to_numpy(zero_copy_only=False), cuts)
    curves = light_curves(own, _previous(packets, cuts), _forced(packets))
    columns = {
        "alert_id": identifier(packets, "candid"),
        "object_id": _object_id(packets),
        "mjd": nullable(own.mjd, pa.float64()),
        "ra": nullable(floats(packets, "candidate.ra"), pa.float64()),
        "dec": nullable(floats(packets, "candidate.dec"), pa.float64()),
        "band": band_array(own.band),
        "flux": nullable(own.flux, pa.float32()),
        "flux_err": nullable(own.flux_err, pa.float32()),
        "mag": _known(packets, "candidate.magpsf"),
        "mag_err": _known(packets, "candidate.sigmapsf"),
        "limiting_mag": _known(packets, "candidate.diffmaglim"),
        "is_positive": is_positive,
        "real_bogus": _known(packets, "candidate.rb"),
        "deep_real_bogus": _known(packets, "candidate.drb"),
        "n_detections": field(packets, "candidate.ndethist", dtype=pa.int32()),
        "first_mjd": nullable(tai_mjd_from_utc_jd(floats(packets, "candidate.jdstarthist")), pa.float64()),
        "sso_name": _sso_name(packets),
        "sso_distance_arcsec": _sso_distance(packets),
        "sso_eccentricity": pa.nulls(len(packets), pa.float32()),
        "star_distance_arcsec": _known(packets, "candidate.distpsnr1"),
        "star_score": _star_score(packets),
        "reference_distance_arcsec": _scaled(floats(packets, "candidate.distnr", sentinel=_SENTINEL), PIXEL_ARCSEC),
        "reference_mag": _known(packets, "candidate.magnr"),
        "reference_mag_err": _known(packets, "candidate.sigmagnr"),
        "n_bad_pixels": field(packets, "candidate.nbad", dtype=pa.int32()),
        "has_bad_pixels": pc.greater(field(packets, "candidate.nbad", dtype=pa.int32()), 0),
        "is_edge": pc.less(field(packets, "candidate.mindtoedge", dtype=pa.float64()), EDGE_PIXELS),
        "trail_length_arcsec": pa.nulls(len(packets), pa.float32()),
        "is_streak": any_flag(packets),
        "is_dipole": any_flag(packets),
        "is_photometry_bad": any_flag(packets),
        "light_curve": curves.to_arrow(),
        "cutout_science": field(packets, "cutoutScience.stampData", dtype=pa.binary_view()),
        "cutout_template": field(packets, "cutoutTemplate.stampData", dtype=pa.binary_view()),
        "cutout_difference": field(packets, "cutoutDifference.stampData", dtype=pa.binary_view()),
    }
    cutouts = [f"cutout{kind}.stampData" for kind in ("Science", "Template", "Difference")]
    return assemble("ztf", columns, without(packets, cutouts), NIGHT_OFFSET["ztf"])


def _known(packets: pa.StructArray, *paths: str) -> pa.Array:
    return nullable(floats(packets, *paths, sentinel=_SENTINEL).astype(np.float32), pa.float32())


def _star_score(packets: pa.StructArray) -> pa.Array:
    """Score of the nearest PS1 source; null for exactly 0.5, which stands for a source that was not classified."""
    score = floats(packets, "candidate.sgscore1", "candidate.sgscore", sentinel=_SENTINEL)
    return nullable(np.where(score == 0.5, np.nan, score).astype(np.float32), pa.float32())


def _object_id(packets: pa.StructArray) -> pa.Array:
    """The object's name; FieldError if it is a float, which holds no exact identifier."""
    found = field(packets, "objectId")
    if pa.types.is_floating(found.type):
        raise FieldError("objectId is a float, which holds no exact identifier; send text")
    return field(packets, "objectId", dtype=pa.string())


def _sso_name(packets: pa.StructArray) -> pa.Array:
    """Name of the nearest solar-system object; null for blanks and the word "null" in any case."""
    name = pc.utf8_trim_whitespace(field(packets, "candidate.ssnamenr", dtype=pa.string()))
    return designations(pc.if_else(pc.is_in(pc.utf8_lower(name), pa.array(["null", ""])), None, name))


def _sso_distance(packets: pa.StructArray) -> pa.Array:
    """Distance to that object [arcsec]; null for negative values, which ZTF sends for none."""
    distance = floats(packets, "candidate.ssdistnr")
    return nullable(np.where(distance >= 0, distance, np.nan).astype(np.float32), pa.float32())


def _scaled(values: NDArray[np.float64], factor: float) -> pa.Array:
    return nullable((values * factor).astype(np.float32), pa.float32())


def _is_positive(flag: pa.Array) -> pa.Array:
    yes, no = pa.array(["t", "1", "T", "true"]), pa.array(["f", "0", "F", "false"])
    text = flag.cast(pa.string())
    return pc.if_else(pc.is_in(text, yes), True, pc.if_else(pc.is_in(text, no), False, pa.scalar(None, pa.bool_())))


def _band(fid: NDArray[np.float64]) -> NDArray[np.int8]:
    known = np.isin(fid, (1, 2, 3))
    return _BAND_OF_FID[np.where(known, fid, 0).astype(np.int64)]


def _own(packets: pa.StructArray, is_positive: NDArray[np.bool_], cuts: Cuts) -> Points:
    mag, mag_err = (floats(packets, f"candidate.{x}psf", sentinel=_SENTINEL) for x in ("mag", "sigma"))
    flux = flux_from_mag(mag, is_positive)
    flux_err = flux_err_from_mag_err(mag_err, flux)
    n = len(packets)
    kind = _kinds(packets, "candidate.", cuts)
    mjd = tai_mjd_from_utc_jd(floats(packets, "candidate.jd"))
    return Points(np.arange(n), mjd, _band(floats(packets, "candidate.fid")), _f32(flux), _f32(flux_err), kind)


def _previous(packets: pa.StructArray, cuts: Cuts) -> Points:
    """Earlier detections and upper limits; entries that are neither are dropped."""
    points, row = items(field(packets, "prv_candidates"))
    mag, mag_err, limit = (floats(points, x, sentinel=_SENTINEL) for x in ("magpsf", "sigmapsf", "diffmaglim"))
    is_upper_limit = np.isnan(mag)
    is_positive = _is_positive(field(points, "isdiffpos")).fill_null(True).to_numpy(zero_copy_only=False)
    flux = flux_from_mag(mag, is_positive)
    flux_err = flux_err_from_mag_err(mag_err, flux)
    flux_err = np.where(is_upper_limit, flux_from_mag(limit) / 5.0, flux_err)
    kind = np.where(is_upper_limit, np.int8(UPPER_LIMIT), _kinds(points, "", cuts)).astype(np.int8)
    mjd = tai_mjd_from_utc_jd(floats(points, "jd"))
    found = Points(row, mjd, _band(floats(points, "fid")), _f32(flux), _f32(flux_err), kind)
    return found.kept(~(is_upper_limit & np.isnan(limit)))


def _kinds(points: pa.Array, prefix: str, cuts: Cuts) -> NDArray[np.int8]:
    return detection_kinds(cuts, floats(points, f"{prefix}rb"), n_bad_pixels=floats(points, f"{prefix}nbad"))


def _forced(packets: pa.StructArray) -> Points:
    """Forced photometry (schema 4.0 and later), from counts and zero point to nJy; failed points are dropped."""
    points, row = items(field(packets, "fp_hists"))
    counts, error = (floats(points, f"forcediffimflux{x}") for x in ("", "unc"))
    counts, error = (np.where(x == _NO_FORCED_FLUX, np.nan, x) for x in (counts, error))  # real counts may be lower
    scale = flux_from_mag(floats(points, "magzpsci", sentinel=_SENTINEL))
    mjd = tai_mjd_from_utc_jd(floats(points, "jd"))
    kind = np.full(len(row), FORCED, np.int8)
    found = Points(row, mjd, _band(floats(points, "fid")), _f32(counts * scale), _f32(error * scale), kind)
    return found.kept(np.isfinite(found.flux))


def _f32(values: NDArray[np.float64]) -> NDArray[np.float32]:
    return values.astype(np.float32)
