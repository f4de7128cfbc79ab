"""Canonical columns of the alert table, the same for all surveys."""

from __future__ import annotations

import pyarrow as pa

from redpoll.schema.column import Column
from redpoll.schema.light_curve import BAND_TYPE, LIGHT_CURVE_TYPE

_GZ = "gzipped FITS image"
COLUMNS: dict[str, Column] = {
    "survey": Column(
        pa.dictionary(pa.int8(), pa.string()), doc="Survey that sent the alert: ztf, rubin or elasticc. Never null."
    ),
    "alert_id": Column(
        "int64", doc="Identifier of the alert, unique within its survey. Never null.", ucd="meta.id;meta.main",
        source={"ztf": "candid", "rubin": "diaSource.diaSourceId", "elasticc": "alertId"},
    ),
    "object_id": Column(
        "string", doc="Identifier of the object the alert belongs to. Never null.", ucd="meta.id;src",
        source={"ztf": "objectId", "rubin": "diaObjectId, else ssObjectId or alert_id of an unattached source",
                "elasticc": "diaSource.diaObjectId, else the alert"},
    ),
    "night": Column(
        "int32", doc="Night as YYYYMMDD: date of the exposure in UTC (ztf) or at UTC-12 h (others). Never null.",
        ucd="time.epoch", source={"ztf": "candidate.jd", "rubin": "diaSource.midpointMjdTai",
                "elasticc": "diaSource.midPointTai"},
    ),
    "mjd": Column(
        "float64", "d", "Time of the exposure, MJD TAI: start (ztf) or middle (others). Never null.", "time.epoch",
        source={"ztf": "candidate.jd (UTC)", "rubin": "diaSource.midpointMjdTai", "elasticc": "diaSource.midPointTai"},
    ),
    "ra": Column(
        "float64", "deg", "Right ascension, ICRS. Never null.", "pos.eq.ra;meta.main",
        source={"ztf": "candidate.ra", "rubin": "diaSource.ra", "elasticc": "diaSource.ra"},
    ),
    "dec": Column(
        "float64", "deg", "Declination, ICRS. Never null.", "pos.eq.dec;meta.main",
        source={"ztf": "candidate.dec", "rubin": "diaSource.dec", "elasticc": "diaSource.decl"},
    ),
    "hpx29": Column("int64", doc="Nested HEALPix index of order 29. Never null.", ucd="pos.healpix"),
    "band": Column(
        BAND_TYPE, doc="Passband: u, g, r, i, z or y. Null if the packet names no known band.", ucd="instr.bandpass",
        source={"ztf": "candidate.fid", "rubin": "diaSource.band", "elasticc": "diaSource.filterName, Y as y"},
    ),
    "flux": Column(
        "float32", "nJy", "Flux in the difference image, negative if the source faded.", "phot.flux.density",
        source={"ztf": "candidate.magpsf, isdiffpos", "rubin": "diaSource.psfFlux", "elasticc": "diaSource.psFlux"},
    ),
    "flux_err": Column(
        "float32", "nJy", "One-sigma error of flux.", "stat.error;phot.flux.density",
        source={"ztf": "candidate.sigmapsf", "rubin": "diaSource.psfFluxErr", "elasticc": "diaSource.psFluxErr"},
    ),
    "mag": Column(
        "float32", "mag", "AB magnitude of the absolute value of flux.", "phot.mag",
        source={"ztf": "candidate.magpsf", "rubin": "diaSource.psfFlux", "elasticc": "diaSource.psFlux"},
    ),
    "mag_err": Column(
        "float32", "mag", "One-sigma error of mag.", "stat.error;phot.mag",
        source={"ztf": "candidate.sigmapsf", "rubin": "diaSource.psfFluxErr / psfFlux",
                "elasticc": "diaSource.psFluxErr / psFlux"},
    ),
    "limiting_mag": Column(
        "float32", "mag", "Five-sigma limiting AB magnitude at the exposure.", "phot.mag;stat.max",
        source={"ztf": "candidate.diffmaglim", "rubin": "from diaSource.psfFluxErr",
                "elasticc": "from diaSource.psFluxErr"},
    ),
    "is_positive": Column(
        "bool", doc="Whether the source is brighter than in the template. Never null.",
        source={"ztf": "candidate.isdiffpos", "rubin": "sign of diaSource.psfFlux",
                "elasticc": "sign of diaSource.psFlux"},
    ),
    "real_bogus": Column(
        "float32", doc="0 (artefact) to 1 (real), from the survey's own classifier.", ucd="stat.likelihood",
        source={"ztf": "candidate.rb", "rubin": "diaSource.reliability",
                "elasticc": "not sent: 1, as there are no artefacts"},
    ),
    "deep_real_bogus": Column(
        "float32", doc="0 (artefact) to 1 (real), from the survey's neural network.", ucd="stat.likelihood",
        source={"ztf": "candidate.drb", "rubin": "not sent: null", "elasticc": "not sent: null"},
    ),
    "n_detections": Column(
        "int32", doc="Detections of the object so far, as the survey counts them.", ucd="meta.number",
        source={"ztf": "candidate.ndethist", "rubin": "diaObject.nDiaSources, else prvDiaSources + 1",
                "elasticc": "prvDiaSources + 1"},
    ),
    "first_mjd": Column(
        "float64", "d", "First detection of the object, MJD TAI.", "time.epoch",
        source={"ztf": "candidate.jdstarthist", "rubin": "diaObject.firstDiaSourceMjdTai, else the history's first",
                "elasticc": "the history's first"},
    ),
    "sso_name": Column(
        "string", doc="Known solar-system object at this position, such as 8467 or 2001 SB97; null if none.",
        ucd="meta.id",
        source={"ztf": "candidate.ssnamenr", "rubin": "ssSource or mpc_orbits designation",
                "elasticc": "not sent: null"},
    ),
    "sso_distance_arcsec": Column(
        "float32", "arcsec", "Distance to the nearest known solar-system object; null if none.", "pos.angDistance",
        source={"ztf": "candidate.ssdistnr", "rubin": "ssSource.ephOffset, in arcsec", "elasticc": "not sent: null"},
    ),
    "sso_eccentricity": Column(
        "float32", doc="Eccentricity of that object's catalogued orbit; null if none.", ucd="src.orbital.eccentricity",
        indexed=False, source={"ztf": "not sent: null", "rubin": "mpc_orbits.e or MPCORB.e",
                "elasticc": "not sent: null"},
    ),
    "star_distance_arcsec": Column(
        "float32", "arcsec", "Distance to the nearest catalogued star or galaxy; null if none.", "pos.angDistance",
        source={"ztf": "candidate.distpsnr1", "rubin": "not sent: null", "elasticc": "not sent: null"},
    ),
    "star_score": Column(
        "float32", doc="0 (galaxy) to 1 (star) for that nearest source; null if not classified.",
        ucd="src.class.starGalaxy",
        source={"ztf": "candidate.sgscore1", "rubin": "not sent: null", "elasticc": "not sent: null"},
    ),
    "reference_distance_arcsec": Column(
        "float32", "arcsec", "Distance to the nearest source in the reference image.", "pos.angDistance",
        source={"ztf": "candidate.distnr (pixels) x 1.012", "rubin": "not sent: null", "elasticc": "not sent: null"},
    ),
    "reference_mag": Column(
        "float32", "mag", "AB magnitude of that reference source.", "phot.mag",
        source={"ztf": "candidate.magnr", "rubin": "diaSource.templateFlux", "elasticc": "not sent: null"},
    ),
    "reference_mag_err": Column(
        "float32", "mag", "One-sigma error of reference_mag.", "stat.error;phot.mag",
        source={"ztf": "candidate.sigmagnr", "rubin": "diaSource.templateFluxErr", "elasticc": "not sent: null"},
    ),
    "n_bad_pixels": Column(
        "int32", doc="Bad pixels in a 5 x 5 cutout; null where the survey sends flags instead.", ucd="meta.number",
        source={"ztf": "candidate.nbad", "rubin": "not sent: null", "elasticc": "not sent: 0"},
    ),
    "has_bad_pixels": Column(
        "bool", doc="Bad, saturated, interpolated or missing pixels. True if not reported. Never null.",
        source={"ztf": "candidate.nbad", "rubin": "diaSource.pixelFlags_{bad,saturated,interpolated,cr,nodata}",
                "elasticc": "not sent: false"},
    ),
    "is_edge": Column(
        "bool", doc="Too near an edge of the image. True if not reported. Never null.",
        source={"ztf": "candidate.mindtoedge < 10 pixels", "rubin": "diaSource.pixelFlags_edge, psfFlux_flag_edge",
                "elasticc": "not sent: false"},
    ),
    "trail_length_arcsec": Column(
        "float32", "arcsec", "Length of a trail fitted to the source, about the seeing for a star; null if not fitted.",
        "phys.angSize", indexed=False, source={"ztf": "not sent: null", "rubin": "diaSource.trailLength",
                "elasticc": "not sent: null"},
    ),
    "is_streak": Column(
        "bool", doc="On a streak or trail. True if not reported. Never null.",
        source={"ztf": "not sent: false", "rubin": "diaSource.pixelFlags_streak", "elasticc": "not sent: false"},
    ),
    "is_dipole": Column(
        "bool", doc="Looks like a subtraction dipole. True if not reported. Never null.",
        source={"ztf": "not sent: false", "rubin": "diaSource.isDipole", "elasticc": "not sent: false"},
    ),
    "is_photometry_bad": Column(
        "bool", doc="The flux failed the survey's own checks. True if not reported. Never null.",
        source={"ztf": "not sent: false", "rubin": "diaSource.psfFlux_flag, centroid_flag, shape_flag",
                "elasticc": "not sent: false"},
    ),
    "light_curve": Column(
        LIGHT_CURVE_TYPE,
        doc="Measurements by time, the triggering detection last: mjd (TAI d), band, flux and flux_err (nJy), kind. "
        "One per exposure and band. Modules and filters read the packet's points and the stored history of the "
        "object; the archive keeps the packet's points.",
        indexed=False,
        source={"ztf": "prv_candidates, fp_hists", "rubin": "prvDiaSources, prvDiaForcedSources, limits",
                "elasticc": "prvDiaSources, prvDiaForcedSources, limits"},
    ),
    "packet_light_curve": Column(
        LIGHT_CURVE_TYPE, doc="The measurements that the packet itself holds, as in light_curve.", indexed=False,
        source={"ztf": "prv_candidates, fp_hists", "rubin": "prvDiaSources, prvDiaForcedSources, limits",
                "elasticc": "prvDiaSources, prvDiaForcedSources, limits"},
    ),
    "history_days": Column(
        "float32", "d", "Time from the first point of light_curve to the alert.", "time.interval",
    ),
    "n_points": Column("int32", doc="Number of points in light_curve.", ucd="meta.number"),
    "cutout_science": Column(
        "bytes", doc=f"Science cutout: {_GZ} (ztf), FITS image (rubin). Null if not sent.", indexed=False,
        source={"ztf": "cutoutScience.stampData", "rubin": "cutoutScience", "elasticc": "not sent: null"},
    ),
    "cutout_template": Column(
        "bytes", doc=f"Template cutout: {_GZ} (ztf), FITS image (rubin). Null if not sent.", indexed=False,
        source={"ztf": "cutoutTemplate.stampData", "rubin": "cutoutTemplate", "elasticc": "cutoutTemplate"},
    ),
    "cutout_difference": Column(
        "bytes", doc=f"Difference cutout: {_GZ} (ztf), FITS image (rubin). Null if not sent.", indexed=False,
        source={"ztf": "cutoutDifference.stampData", "rubin": "cutoutDifference", "elasticc": "cutoutDifference"},
    ),
}  # fmt: skip
CUTOUTS = ("cutout_science", "cutout_template", "cutout_difference")
PACKET = "packet"
"""Name of the last column of a batch: a struct of the survey's own fields, without the bytes of the cutouts."""


def alert_schema() -> pa.Schema:
    """Arrow schema of the canonical columns, without `packet`, whose type follows the packets' writer schema."""
    return pa.schema([column.field(name) for name, column in COLUMNS.items()])
