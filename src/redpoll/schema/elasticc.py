"""Alert table of ELAsTiCC packets, schema 0.9: the simulated LSST stream of the classification challenge.

Facts: the challenge's packet schemas (github.com/LSSTDESC/elasticc, alert_schema). They name no unit of the fluxes: the
zero point 31.4 (nJy) follows from the magnitudes at peak of its truth tables, see docs/explanation/elasticc.md. Early
samples of packets, all of alertId 1231321321, have SNANA's zero point 27.5 and are not for science.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from redpoll.astro.photometry import limiting_mag, mag_err_from_flux, mag_from_flux
from redpoll.astro.time import NIGHT_OFFSET
from redpoll.config import Cuts
from redpoll.schema.bands import DETECTION, FORCED
from redpoll.schema.dia_sources import SourceFields, identifier_text
from redpoll.schema.fields import any_flag, band_array, field, floats, identifier, nullable, without
from redpoll.schema.history import Points, light_curves
from redpoll.schema.table import assemble

_FIELDS = SourceFields(mjd="midPointTai", band="filterName", flux="psFlux", flux_err="psFluxErr")
_CUTOUTS = ("cutoutScience", "cutoutTemplate", "cutoutDifference")
_NOT_SENT = (
    "deep_real_bogus", "sso_distance_arcsec", "sso_eccentricity", "star_distance_arcsec", "star_score",
    "reference_distance_arcsec", "reference_mag", "reference_mag_err", "trail_length_arcsec",
)  # fmt: skip
_FLAGS = ("has_bad_pixels", "is_edge", "is_streak", "is_dipole", "is_photometry_bad")


def to_alerts(packets: pa.StructArray, cuts: Cuts) -> pa.RecordBatch:
    """Alert table of ELAsTiCC packets of one writer schema, one row per packet.

    The challenge simulates no artefacts: `real_bogus` is 1 and no flag is set, so that `cuts` reject none but bands.
    """
    n = len(packets)
    source = field(packets, "diaSource")
    own = _FIELDS.points(source, np.arange(n), np.full(n, DETECTION, np.int8))
    previous = _FIELDS.measured(field(packets, "prvDiaSources"), DETECTION)
    forced = _FIELDS.measured(field(packets, "prvDiaForcedSources"), FORCED)
    curves = light_curves(own, previous, forced, _FIELDS.upper_limits(field(packets, "prvDiaNondetectionLimits")))
    flux = nullable(own.flux, pa.float32())
    columns = {
        "alert_id": pc.coalesce(identifier(packets, "alertId"), identifier(packets, "diaSource.diaSourceId")),
        "object_id": _object_id(packets),
        "mjd": nullable(own.mjd, pa.float64()),
        "ra": nullable(_right_ascension(floats(packets, "diaSource.ra")), pa.float64()),
        "dec": nullable(floats(packets, "diaSource.decl"), pa.float64()),
        "band": band_array(own.band),
        "flux": flux,
        "flux_err": nullable(own.flux_err, pa.float32()),
        "mag": _f32(mag_from_flux(own.flux)),
        "mag_err": _f32(mag_err_from_flux(own.flux, own.flux_err)),
        "limiting_mag": _f32(limiting_mag(own.flux_err)),
        "is_positive": pc.greater_equal(flux, 0.0),
        "real_bogus": pa.array(np.ones(n, np.float32)),
        "n_detections": pa.array(np.bincount(previous.row, minlength=n).astype(np.int32) + np.int32(1)),
        "first_mjd": _first_mjd(own, previous),
        "sso_name": pa.nulls(n, pa.string()),
        "n_bad_pixels": pa.array(np.zeros(n, np.int32)),
        "light_curve": curves.to_arrow(),
        "cutout_science": pa.nulls(n, pa.binary_view()),
        "cutout_template": field(packets, "cutoutTemplate", dtype=pa.binary_view()),
        "cutout_difference": field(packets, "cutoutDifference", dtype=pa.binary_view()),
    }
    columns |= {name: pa.nulls(n, pa.float32()) for name in _NOT_SENT}
    columns |= {name: any_flag(packets) for name in _FLAGS}
    return assemble("elasticc", columns, without(packets, _CUTOUTS), NIGHT_OFFSET["elasticc"])


def _f32(values: NDArray[np.float64]) -> pa.Array:
    return nullable(values.astype(np.float32), pa.float32())


def _object_id(packets: pa.StructArray) -> pa.Array:
    """Identifier of the diaObject, else of the alert."""
    ids = ("diaSource.diaObjectId",), ("diaObject.diaObjectId",), ("alertId",), ("diaSource.diaSourceId",)
    return pc.coalesce(*(identifier_text(packets, *paths) for paths in ids))


def _right_ascension(ra: NDArray[np.float64]) -> NDArray[np.float64]:
    """Degrees from 0 to 360: the challenge also writes slightly negative ones."""
    return np.where((ra >= -360.0) & (ra < 0.0), ra + 360.0, ra)


def _first_mjd(own: Points, previous: Points) -> pa.Array:
    first = own.mjd.copy()
    np.fmin.at(first, previous.row, previous.mjd)
    return nullable(first, pa.float64())
