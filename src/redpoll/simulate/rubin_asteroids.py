"""Columns of a known asteroid in a Rubin packet: predicted position and orbit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from redpoll.simulate.rubin_sources import ss_object_id
from redpoll.simulate.segment import Segment, Setting

Array = NDArray[np.float64]
Columns = dict[str, NDArray]
_OBLIQUITY = np.radians(23.4392911)
_POLE = (192.85948, 27.12825, 122.93192)  # galactic pole (ra, dec) and longitude of the celestial one [deg]


def designation(unit: int) -> tuple[str, str]:
    """Provisional designation of an asteroid, plain and packed.

    >>> designation(12345)
    ('1997 DJ26', 'J97D26J')
    """
    letters = "ABCDEFGHJKLMNOPQRSTUVWXYZ"
    rest, half = divmod(unit * 11, 24)
    rest, letter = divmod(rest, 25)
    rest, cycle = divmod(rest, 100)
    year = 1995 + rest % 28
    packed = f"{'JK'[year >= 2000]}{year % 100:02d}{letters[half]}{cycle:02d}{letters[letter]}"
    return f"{year} {letters[half]}{letters[letter]}{cycle or ''}", packed


def sighting_columns(
    setting: Setting, segment: Segment, who: NDArray[np.int64], diasource_id: NDArray[np.int64]
) -> Columns:
    """The ssSource of these objects: predicted position, brightness and geometry; in au and arcsec."""
    s = segment.sources
    p = {name: values[who] for name, values in s.parameters.items()}
    ra, dec = s.ra[who], s.dec[who]
    lam, beta = ecliptic(ra, dec)
    lon, lat = galactic(ra, dec)
    east, north = 0.02 * np.cos(s.serial[who] * 1.0), 0.02 * np.sin(s.serial[who] * 1.0)
    rate = np.hypot(p["rate_ra"], p["rate_dec"]) * 24.0 / 3600.0
    return {
        "diaSourceId": diasource_id,
        "ssObjectId": ss_object_id(setting, s.unit)[who],
        "designation": np.array([designation(int(unit))[0] for unit in s.unit[who]], dtype=object),
        **dict.fromkeys(("eclLambda", "eclipticLambda"), lam),
        **dict.fromkeys(("eclBeta", "eclipticBeta"), beta),
        **dict.fromkeys(("galLon", "galacticL"), lon),
        **dict.fromkeys(("galLat", "galacticB"), lat),
        "phaseAngle": p["phase_angle"],
        **dict.fromkeys(("topoRange", "topocentricDist"), p["earth_distance"]),
        **dict.fromkeys(("helioRange", "heliocentricDist"), p["sun_distance"]),
        "ephRa": ra - east / 3600.0 / np.cos(np.radians(dec)),
        "ephDec": dec - north / 3600.0,
        **dict.fromkeys(("ephVmag", "predictedVMagnitude"), p["v_mag"]),
        "ephRate": rate,
        "ephRateRa": p["rate_ra"] * 24.0 / 3600.0,
        "ephRateDec": p["rate_dec"] * 24.0 / 3600.0,
        "ephOffset": np.hypot(east, north),
        "ephOffsetRa": east,
        "ephOffsetDec": north,
        "residualRa": east / 3600.0,
        "residualDec": north / 3600.0,
        "diaDistanceRank": np.ones(len(who), np.int64),
    }


def orbit_columns(setting: Setting, segment: Segment, who: NDArray[np.int64]) -> Columns:
    """The catalogue entry of these objects: a main-belt orbit that fits the distance, H and G."""
    s = segment.sources
    p = {name: values[who] for name, values in s.parameters.items()}
    names = [designation(int(unit)) for unit in s.unit[who]]
    plain, packed = (np.array(column, dtype=object) for column in (list(zip(*names, strict=True)) or [(), ()]))
    turn = np.mod(s.unit[who] * 137.508, 360.0)
    eccentricity = 0.05 + 0.1 * turn / 360.0
    a = p["sun_distance"] / (1.0 - 0.3 * eccentricity)
    return {
        "id": s.unit[who],
        **dict.fromkeys(("designation", "mpcDesignation", "unpacked_primary_provisional_designation"), plain),
        "packed_primary_provisional_designation": packed,
        "ssObjectId": ss_object_id(setting, s.unit)[who],
        "a": a,
        "q": a * (1.0 - eccentricity),
        "e": eccentricity,
        **dict.fromkeys(("i", "incl"), 2.0 + turn / 30.0),
        "node": turn,
        **dict.fromkeys(("argperi", "peri"), np.mod(turn * 2.0, 360.0)),
        **dict.fromkeys(("mean_anomaly", "M"), np.mod(turn * 3.0, 360.0)),
        "period": 365.25 * a**1.5,
        "mean_motion": 360.0 / (365.25 * a**1.5),
        **dict.fromkeys(("epoch_mjd", "epoch"), np.full(len(who), 61000.0)),
        **dict.fromkeys(("h", "mpcH"), p["h"]),
        "g": p["g"],
    }


def ecliptic(ra: Array, dec: Array) -> tuple[Array, Array]:
    """Ecliptic longitude and latitude [deg] of equatorial positions [deg].

    >>> [float(x.round(4)) for x in ecliptic(np.array(90.0), np.array(0.0))]
    [90.0, -23.4393]
    """
    a, d = np.radians(ra), np.radians(dec)
    beta = np.arcsin(np.sin(d) * np.cos(_OBLIQUITY) - np.cos(d) * np.sin(_OBLIQUITY) * np.sin(a))
    lam = np.arctan2(np.sin(a) * np.cos(_OBLIQUITY) + np.tan(d) * np.sin(_OBLIQUITY), np.cos(a))
    return np.asarray(np.mod(np.degrees(lam), 360.0)), np.asarray(np.degrees(beta))


def galactic(ra: Array, dec: Array) -> tuple[Array, Array]:
    """Galactic longitude and latitude [deg] of equatorial positions [deg].

    >>> [float(x.round(2)) for x in galactic(np.array(266.405), np.array(-28.936))]
    [0.0, 0.0]
    """
    pole_ra, pole_dec, pole_lon = np.radians(_POLE)
    a, d = np.radians(ra) - pole_ra, np.radians(dec)
    lat = np.arcsin(np.sin(d) * np.sin(pole_dec) + np.cos(d) * np.cos(pole_dec) * np.cos(a))
    lon = pole_lon - np.arctan2(
        np.cos(d) * np.sin(a), np.sin(d) * np.cos(pole_dec) - np.cos(d) * np.sin(pole_dec) * np.cos(a)
    )
    return np.asarray(np.mod(np.degrees(lon), 360.0)), np.asarray(np.degrees(lat))
