"""Alert table of Rubin packets, schema 7.x to 11.x and later.

Facts: the Rubin alert packet schemas (names, types and units of fields; Data Products Definition Document LSE-163).
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from redpoll.astro.photometry import limiting_mag, mag_err_from_flux, mag_from_flux
from redpoll.astro.time import NIGHT_OFFSET
from redpoll.config import Cuts
from redpoll.schema.bands import FORCED
from redpoll.schema.designations import designations
from redpoll.schema.dia_sources import SourceFields, identifier_text
from redpoll.schema.fields import any_flag, band_array, field, floats, identifier, nullable, without
from redpoll.schema.history import Points, items, light_curves
from redpoll.schema.point_kinds import detection_kinds
from redpoll.schema.table import assemble

_PIXELS = tuple(f"diaSource.pixelFlags_{name}" for name in ("bad", "saturated", "interpolated", "cr", "nodata"))
_EDGE = ("diaSource.pixelFlags_edge", "diaSource.psfFlux_flag_edge", "diaSource.forced_PsfFlux_flag_edge")
_STREAK = ("diaSource.pixelFlags_streak", "diaSource.pixelFlags_streakCenter")
_PHOTOMETRY = tuple(f"diaSource.{f}_flag" for f in ("psfFlux", "apFlux", "forced_PsfFlux", "centroid", "shape"))
_POOR_POINT = ("psfFlux_flag", "centroid_flag", "pixelFlags_bad", "pixelFlags_saturated", "pixelFlags_edge")
_FIELDS = SourceFields(mjd="midpointMjdTai", band="band", flux="psfFlux", flux_err="psfFluxErr")
_CUTOUTS = ("cutoutScience", "cutoutTemplate", "cutoutDifference")


def to_alerts(packets: pa.StructArray, cuts: Cuts) -> pa.RecordBatch:
    """Alert table of Rubin packets of one writer schema, one row per packet; `cuts` decide the kind of detections."""
    own, previous = _own(packets, cuts), _sources(packets, cuts)
    forced = _FIELDS.measured(field(packets, "prvDiaForcedSources"), FORCED)
    limits = _FIELDS.upper_limits(field(packets, "prvDiaNondetectionLimits"))  # sent by schema 7
    curves = light_curves(own, previous, forced, limits)
    template, template_err = (floats(packets, f"diaSource.templateFlux{x}") for x in ("", "Err"))
    columns = {
        "alert_id": identifier(packets, "diaSource.diaSourceId", "diaSourceId"),
        "object_id": _object_id(packets),
        "mjd": nullable(own.mjd, pa.float64()),
        "ra": nullable(floats(packets, "diaSource.ra"), pa.float64()),
        "dec": nullable(floats(packets, "diaSource.dec"), pa.float64()),
        "band": band_array(own.band),
        "flux": nullable(own.flux, pa.float32()),
        "flux_err": nullable(own.flux_err, pa.float32()),
        "mag": _f32(mag_from_flux(own.flux)),
        "mag_err": _f32(mag_err_from_flux(own.flux, own.flux_err)),
        "limiting_mag": _f32(limiting_mag(own.flux_err)),
        "is_positive": pc.greater_equal(nullable(own.flux, pa.float32()), 0.0),
        "real_bogus": field(packets, "diaSource.reliability", dtype=pa.float32()),
        "deep_real_bogus": pa.nulls(len(packets), pa.float32()),
        "n_detections": _n_detections(packets, previous),
        "first_mjd": _first_mjd(packets, own, previous),
        "sso_name": _sso_name(packets),
        "sso_distance_arcsec": field(packets, "ssSource.ephOffset", dtype=pa.float32()),
        "sso_eccentricity": _f32(floats(packets, "mpc_orbits.e", "MPCORB.e")),
        "star_distance_arcsec": pa.nulls(len(packets), pa.float32()),
        "star_score": pa.nulls(len(packets), pa.float32()),
        "reference_distance_arcsec": pa.nulls(len(packets), pa.float32()),
        "reference_mag": _f32(mag_from_flux(np.where(template > 0, template, np.nan))),
        "reference_mag_err": _f32(mag_err_from_flux(np.where(template > 0, template, np.nan), template_err)),
        "n_bad_pixels": pa.nulls(len(packets), pa.int32()),
        "has_bad_pixels": any_flag(packets, *_PIXELS),
        "is_edge": any_flag(packets, *_EDGE),
        "trail_length_arcsec": _f32(floats(packets, "diaSource.trailLength")),
        "is_streak": any_flag(packets, *_STREAK),
        "is_dipole": any_flag(packets, "diaSource.isDipole"),
        "is_photometry_bad": any_flag(packets, *_PHOTOMETRY),
        "light_curve": curves.to_arrow(),
        "cutout_science": field(packets, "cutoutScience", dtype=pa.binary_view()),
        "cutout_template": field(packets, "cutoutTemplate", dtype=pa.binary_view()),
        "cutout_difference": field(packets, "cutoutDifference", dtype=pa.binary_view()),
    }
    return assemble("rubin", columns, without(packets, _CUTOUTS), NIGHT_OFFSET["rubin"])


def _f32(values: NDArray[np.float64]) -> pa.Array:
    return nullable(values.astype(np.float32), pa.float32())


def _object_id(packets: pa.StructArray) -> pa.Array:
    """Identifier of the diaObject, else of the solar-system object, else of the alert."""
    return pc.coalesce(
        identifier_text(packets, "diaSource.diaObjectId", "diaObject.diaObjectId"),
        identifier_text(packets, "diaSource.ssObjectId", "ssSource.ssObjectId"),
        identifier_text(packets, "diaSource.diaSourceId", "diaSourceId"),
    )


def _sso_name(packets: pa.StructArray) -> pa.Array:
    paths = (
        "mpc_orbits.unpacked_primary_provisional_designation", "ssSource.designation", "mpc_orbits.designation",
        "MPCORB.mpcDesignation",
    )  # fmt: skip
    names = [field(packets, path, dtype=pa.string()) for path in paths]
    return pc.coalesce(designations(pc.coalesce(*names)), identifier_text(packets, "diaSource.ssObjectId"))


def _n_detections(packets: pa.StructArray, previous: Points) -> pa.Array:
    counted = np.bincount(previous.row, minlength=len(packets)).astype(np.int32) + np.int32(1)
    return pc.coalesce(field(packets, "diaObject.nDiaSources", dtype=pa.int32()), pa.array(counted, pa.int32()))


def _first_mjd(packets: pa.StructArray, own: Points, previous: Points) -> pa.Array:
    first = own.mjd.copy()
    np.fmin.at(first, previous.row, previous.mjd)
    reported = floats(packets, "diaObject.firstDiaSourceMjdTai")
    return nullable(np.where(np.isfinite(reported), reported, first), pa.float64())


def _kinds(sources: pa.Array, cuts: Cuts) -> NDArray[np.int8]:
    is_flagged = any_flag(sources, *_POOR_POINT).fill_null(True).to_numpy(zero_copy_only=False)
    return detection_kinds(cuts, floats(sources, "reliability"), is_flagged=is_flagged)


def _own(packets: pa.StructArray, cuts: Cuts) -> Points:
    source = field(packets, "diaSource")
    return _FIELDS.points(source, np.arange(len(packets)), _kinds(source, cuts))


def _sources(packets: pa.StructArray, cuts: Cuts) -> Points:
    sources, row = items(field(packets, "prvDiaSources"))
    found = _FIELDS.points(sources, row, _kinds(sources, cuts))
    return found.kept(np.isfinite(found.flux))
