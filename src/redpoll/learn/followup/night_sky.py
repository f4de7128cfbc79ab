"""A night at a site: when it is dark, where the moon is, and where targets stand, by astropy without downloads."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll.learn.followup.telescope import Telescope

Array = NDArray[np.float64]
_MJD_OF_DAY_ONE = np.datetime64("1858-11-17", "D")


@dataclass(frozen=True)
class NightSky:
    """Slots of a night, from the noon of the site's local date to the next, those with the sun below the limit.

    ``mjd`` is the UTC of the beginning of each slot, ``sun_altitude``, ``moon_altitude`` and ``moon_phase`` (0 at full
    moon, 180 at new) are in degrees, in its middle.
    """

    telescope: Telescope
    slot_minutes: float
    mjd: Array
    sun_altitude: Array
    moon_altitude: Array
    moon_phase: Array

    def __len__(self) -> int:
        return len(self.mjd)


@dataclass(frozen=True)
class Track:
    """Altitude of each target and its distance from the moon [deg] in the middle of each slot, shape (n, slots)."""

    altitude: Array
    moon_distance: Array


def night_sky(telescope: Telescope, night: int, slot_minutes: float) -> NightSky:
    """The dark slots of a night; none where the sun does not go down far enough.

    The night is that after the evening of the date `night`, YYYYMMDD, at the site.
    """
    from astropy.coordinates import get_body

    text = str(night)
    date = np.datetime64(f"{text[:4]}-{text[4:6]}-{text[6:]}", "D")
    east = (telescope.longitude + 180.0) % 360.0 - 180.0
    noon = float((date - _MJD_OF_DAY_ONE).astype(int)) + 0.5 - east / 360.0
    mjd = np.asarray(noon + np.arange(int(1440 / slot_minutes)) * slot_minutes / 1440.0, np.float64)
    with _offline():
        frame = _frame(telescope, mjd + slot_minutes / 2880.0)
        sun, moon = (get_body(name, frame.obstime, frame.location) for name in ("sun", "moon"))
        sun_altitude, moon_altitude = (body.transform_to(frame).alt.deg for body in (sun, moon))
        phase = 180.0 - sun.separation(moon, origin_mismatch="ignore").deg
    dark = sun_altitude < telescope.sun_altitude
    return NightSky(telescope, slot_minutes, mjd[dark], sun_altitude[dark], moon_altitude[dark], phase[dark])


def track(night: NightSky, ra: Array, dec: Array) -> Track:
    """Where targets at these positions (ICRS degrees) stand in each slot."""
    from astropy.coordinates import SkyCoord, get_body

    if not len(night) or not len(ra):
        return Track(*np.empty((2, len(ra), len(night))))
    with _offline():
        frame = _frame(night.telescope, night.mjd + night.slot_minutes / 2880.0)
        targets = SkyCoord(ra[:, None], dec[:, None], unit="deg").transform_to(frame[None, :])
        moon = get_body("moon", frame.obstime, frame.location).transform_to(frame)
        return Track(targets.alt.deg, targets.separation(moon[None, :]).deg)


def utc_text(mjd: float) -> str:
    """A time (MJD UTC) to the second, as text.

    >>> utc_text(61375.25)
    '2026-12-01T06:00:00'
    """
    return str(np.datetime64("1858-11-17T00:00:00", "s") + np.timedelta64(round(mjd * 86_400), "s"))


def _frame(telescope: Telescope, mjd: Array) -> Any:
    from astropy.coordinates import AltAz, EarthLocation
    from astropy.time import Time

    site = EarthLocation.from_geodetic(telescope.longitude, telescope.latitude, telescope.elevation)
    return AltAz(obstime=Time(mjd, format="mjd", scale="utc"), location=site)


@contextmanager
def _offline() -> Iterator[None]:
    """astropy's own tables of the Earth's rotation alone; beyond their end a target is at most 15 arcsec off."""
    from astropy.utils import iers
    from astropy.utils.exceptions import AstropyWarning
    from erfa import ErfaWarning

    quiet = iers.conf.set_temp("auto_download", False), iers.conf.set_temp("iers_degraded_accuracy", "ignore")
    with quiet[0], quiet[1], iers.conf.set_temp("auto_max_age", None), warnings.catch_warnings():
        warnings.simplefilter("ignore", ErfaWarning)  # a year whose leap seconds are not known
        warnings.simplefilter("ignore", AstropyWarning)  # a day whose polar motion is not known
        yield
