"""Rubin packets to canonical columns once more: one packet, one point at a time, with astropy's times and fluxes."""

from __future__ import annotations

import math
from typing import Any

import astropy.units as u
import numpy as np
from astropy.time import Time, TimeDelta
from healpix_geo import nested

BANDS = ("u", "g", "r", "i", "z", "y")
PIXELS = ("bad", "saturated", "interpolated", "cr", "nodata")
POOR = ("psfFlux_flag", "centroid_flag", "pixelFlags_bad", "pixelFlags_saturated", "pixelFlags_edge")
MAG_PER_FLUX = 2.5 / math.log(10)


def magnitude(flux: float | None) -> float | None:
    """AB magnitude of the size of a flux, by astropy."""
    if flux is None or math.isnan(flux) or flux == 0:
        return None
    return float((abs(flux) * u.nJy).to_value(u.ABmag))


def magnitude_error(flux: float | None, error: float | None) -> float | None:
    """To first order."""
    if error is None or math.isnan(error) or magnitude(flux) is None:
        return None
    return MAG_PER_FLUX * error / abs(flux)


def any_set(source: dict[str, Any], names: tuple[str, ...]) -> bool | None:
    """True if a flag is set; None if none is, but one is null; flags that the schema lacks do not count."""
    flags = [source[name] for name in names if name in source]
    if True in flags:
        return True
    return None if None in flags else False


def finite(value: float | None) -> float | None:
    """The number, or None for NaN, which the survey writes too."""
    return None if value is None or math.isnan(value) else value


def identifier(*values: int | None) -> str | None:
    """The first that is told; 0 is none."""
    return next((str(value) for value in values if value), None)


def point(source: dict[str, Any], kind: str) -> tuple[Any, ...]:
    """One point as the light curve has it."""
    band = source["band"] if source["band"] in BANDS else None
    return source["midpointMjdTai"], band, source["psfFlux"], source["psfFluxErr"], kind


def detection(source: dict[str, Any]) -> tuple[Any, ...]:
    """A point of a difference-image source; unsure flags make it poor."""
    return point(source, "detection" if any_set(source, POOR) is False else "low_quality")


def points(row: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Light curve by time, the triggering detection last."""
    found = [detection(one) for one in row["prvDiaSources"] or [] if one["psfFlux"] is not None]
    found += [point(one, "forced") for one in row["prvDiaForcedSources"] or [] if one["psfFlux"] is not None]
    for limit in row.get("prvDiaNondetectionLimits") or []:
        found.append((limit["midpointMjdTai"], limit["band"], None, limit["diaNoise"], "upper_limit"))
    return [*sorted(found, key=lambda one: one[0]), detection(row["diaSource"])]


def columns(row: dict[str, Any]) -> dict[str, Any]:
    """Canonical columns of a packet, without its light curve."""
    s, o, sso = row["diaSource"], row["diaObject"] or {}, row.get("ssSource") or {}
    flux, error, template = s["psfFlux"], s["psfFluxErr"], s.get("templateFlux")
    template = template if template is not None and template > 0 else None
    when = Time(s["midpointMjdTai"], format="mjd", scale="tai")
    detections = [one for one in row["prvDiaSources"] or [] if one["psfFlux"] is not None]
    orbit = row.get("mpc_orbits") or row.get("MPCORB") or {}
    names = [sso.get("designation"), (row.get("mpc_orbits") or {}).get("designation")]
    names += [(row.get("MPCORB") or {}).get("mpcDesignation"), identifier(s.get("ssObjectId"))]
    first = o.get("firstDiaSourceMjdTai")
    first = None if first is None or math.isnan(first) else first
    counted = o.get("nDiaSources")
    return {
        "survey": "rubin", "alert_id": s["diaSourceId"],
        "object_id": identifier(s["diaObjectId"], s.get("ssObjectId"), s["diaSourceId"]),
        "night": int((when - TimeDelta(0.5, format="jd")).utc.strftime("%Y%m%d")),
        "mjd": s["midpointMjdTai"], "ra": s["ra"], "dec": s["dec"],
        "hpx29": int(nested.lonlat_to_healpix(np.array([s["ra"]]), np.array([s["dec"]]), 29)[0]),
        "band": s["band"], "flux": flux, "flux_err": error, "mag": magnitude(flux),
        "mag_err": magnitude_error(flux, error), "limiting_mag": magnitude(5 * error), "is_positive": flux >= 0,
        "real_bogus": s.get("reliability"), "deep_real_bogus": None,
        "n_detections": len(detections) + 1 if counted is None else counted,
        "first_mjd": min([s["midpointMjdTai"], *[d["midpointMjdTai"] for d in detections]]) if first is None else first,
        "sso_name": next((name for name in names if name is not None), None),
        "sso_distance_arcsec": sso.get("ephOffset"), "sso_eccentricity": finite(orbit.get("e")),
        "star_distance_arcsec": None, "star_score": None, "trail_length_arcsec": finite(s.get("trailLength")),
        "reference_distance_arcsec": None, "reference_mag": magnitude(template),
        "reference_mag_err": magnitude_error(template, s.get("templateFluxErr")), "n_bad_pixels": None,
        "has_bad_pixels": any_set(s, tuple(f"pixelFlags_{name}" for name in PIXELS)),
        "is_edge": any_set(s, ("pixelFlags_edge", "psfFlux_flag_edge", "forced_PsfFlux_flag_edge")),
        "is_streak": any_set(s, ("pixelFlags_streak", "pixelFlags_streakCenter")),
        "is_dipole": any_set(s, ("isDipole",)),
        "is_photometry_bad": any_set(
            s, ("psfFlux_flag", "apFlux_flag", "forced_PsfFlux_flag", "centroid_flag", "shape_flag")
        ),
        **{f"cutout_{kind.lower()}": row[f"cutout{kind}"] for kind in ("Science", "Template", "Difference")},
    }  # fmt: skip
