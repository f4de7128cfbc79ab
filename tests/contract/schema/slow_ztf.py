"""ZTF packets to canonical columns once more: one packet, one point at a time, with astropy's times and fluxes."""

from __future__ import annotations

import math
from typing import Any

import astropy.units as u
import numpy as np
from astropy.time import Time
from healpix_geo import nested

BANDS = {1: "g", 2: "r", 3: "i"}
TEXTS = ("t", "T", "1", "true")


def known(value: float | None) -> float | None:
    """The number, or None where ZTF writes nothing, NaN, or a sentinel such as -999."""
    return None if value is None or math.isnan(value) or value <= -900 else value


def mjd_tai(jd: list[float]) -> list[float]:
    """Times by astropy."""
    return Time(np.array(jd, float), format="jd", scale="utc").tai.mjd.tolist()


def njy(mag: float) -> float:
    """Flux of an AB magnitude by astropy."""
    return float((mag * u.ABmag).to_value(u.nJy))


def measured(mag: float | None, mag_err: float | None, isdiffpos: str | None) -> tuple[float | None, float | None]:
    """Flux and its error from a difference magnitude."""
    if known(mag) is None:
        return None, None
    flux = njy(mag)
    error = None if known(mag_err) is None else flux * mag_err * math.log(10) / 2.5
    return (flux if isdiffpos in TEXTS or isdiffpos is None else -flux), error


def is_poor(point: dict[str, Any]) -> bool:
    """Whether Fink would not have taken the detection."""
    rb, nbad = point.get("rb"), point.get("nbad")
    return (rb is not None and rb < 0.55) or (nbad is not None and nbad > 0)


def points(row: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Light curve: (mjd, band, flux, flux_err, kind) by time, the triggering detection last."""
    found = [one for one in map(history_point, row["prv_candidates"] or []) if one]
    found += [one for one in map(forced_point, row.get("fp_hists") or []) if one]
    own = row["candidate"]
    found.append((own["jd"], BANDS[own["fid"]], *measured(own["magpsf"], own["sigmapsf"], own["isdiffpos"]), kind(own)))
    times = mjd_tai([one[0] for one in found])
    found = [(time, *one[1:]) for time, one in zip(times, found, strict=True)]
    return sorted(found[:-1], key=lambda one: one[0]) + found[-1:]


def kind(point: dict[str, Any]) -> str:
    """A detection, of low quality or not."""
    return "low_quality" if is_poor(point) else "detection"


def history_point(point: dict[str, Any]) -> tuple[Any, ...] | None:
    """A detection or a five-sigma limit; None if it is neither."""
    band = BANDS.get(point["fid"])
    if known(point["magpsf"]) is not None:
        return point["jd"], band, *measured(point["magpsf"], point["sigmapsf"], point["isdiffpos"]), kind(point)
    if known(point["diffmaglim"]) is None:
        return None
    return point["jd"], band, None, njy(point["diffmaglim"]) / 5, "upper_limit"


def forced_point(point: dict[str, Any]) -> tuple[Any, ...] | None:
    """Counts of forced photometry with their own zero point; None if it failed."""
    counts, error, zero = point["forcediffimflux"], point["forcediffimfluxunc"], point["magzpsci"]
    if counts is None or counts == -99999.0 or known(zero) is None:
        return None
    error = None if error is None or error == -99999.0 else error * njy(zero)
    return point["jd"], BANDS.get(point["fid"]), counts * njy(zero), error, "forced"


def columns(row: dict[str, Any]) -> dict[str, Any]:
    """Canonical columns of a packet, without its light curve."""
    c = row["candidate"]
    flux, flux_err = measured(c["magpsf"], c["sigmapsf"], c["isdiffpos"])
    first = c.get("jdstarthist")
    name, distance = c.get("ssnamenr"), known(c.get("distnr"))
    if name and name[:4].isdecimal() and name[4:6].isalpha():
        name = f"{name[:4]} {name[4:]}"  # 2010CG48, which the Minor Planet Center writes 2010 CG48
    score = c.get("sgscore1") if "sgscore1" in c else c.get("sgscore")
    when = Time(c["jd"], format="jd", scale="utc")
    return {
        "survey": "ztf", "alert_id": row["candid"], "object_id": row["objectId"],
        "night": int(when.strftime("%Y%m%d")), "mjd": float(when.tai.mjd), "ra": c["ra"], "dec": c["dec"],
        "hpx29": int(nested.lonlat_to_healpix(np.array([c["ra"]]), np.array([c["dec"]]), 29)[0]),
        "band": BANDS[c["fid"]], "flux": flux, "flux_err": flux_err, "mag": known(c["magpsf"]),
        "mag_err": known(c["sigmapsf"]), "limiting_mag": known(c["diffmaglim"]),
        "is_positive": c["isdiffpos"] in TEXTS, "real_bogus": known(c.get("rb")),
        "deep_real_bogus": known(c.get("drb")), "n_detections": c["ndethist"],
        "first_mjd": None if first is None else mjd_tai([first])[0],
        "sso_name": None if name in ("null", "") else name, "sso_distance_arcsec": known(c["ssdistnr"]),
        "sso_eccentricity": None, "trail_length_arcsec": None,
        "star_distance_arcsec": known(c.get("distpsnr1")), "star_score": None if score == 0.5 else known(score),
        "reference_distance_arcsec": None if distance is None else distance * 1.012,
        "reference_mag": known(c["magnr"]), "reference_mag_err": known(c["sigmagnr"]),
        "n_bad_pixels": c["nbad"], "has_bad_pixels": None if c["nbad"] is None else c["nbad"] > 0,
        "is_edge": None if c["mindtoedge"] is None else c["mindtoedge"] < 10,
        "is_streak": False, "is_dipole": False, "is_photometry_bad": False,
        **{f"cutout_{kind.lower()}": (row[f"cutout{kind}"] or {}).get("stampData")
           for kind in ("Science", "Template", "Difference")},
    }  # fmt: skip
