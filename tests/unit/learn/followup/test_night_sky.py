"""The night at a site: times of dark, the moon, tracks of targets, and the sky's brightness; no network."""

from __future__ import annotations

import numpy as np
import pytest

from redpoll.learn.followup.night_sky import night_sky, track, utc_text
from redpoll.learn.followup.sky_brightness import airmass_of, sky_brightness
from redpoll.learn.followup.telescope import Telescope

NORTH = Telescope(latitude=28.3, longitude=-16.51, elevation=2390, aperture=1.0, hours=5.0, sun_altitude=-18.0)
POLAR = Telescope(latitude=78.0, longitude=15.0, aperture=1.0, hours=5.0, sun_altitude=-12.0)


def test_a_winter_night_is_longer_than_one_in_summer_and_midnight_is_local() -> None:
    winter, summer = night_sky(NORTH, 20261221, 10.0), night_sky(NORTH, 20260621, 10.0)
    assert len(summer) < len(winter)
    for night in (winter, summer):  # the sun is lowest at 0 h local, 1.1 h UTC, to the equation of time
        assert night.mjd[night.sun_altitude.argmin()] % 1 * 24 == pytest.approx(1.1, abs=0.4)
        assert (night.sun_altitude < -18).all()
    assert utc_text(winter.mjd[0]).startswith("2026-12-21T19")


def test_the_same_night_east_and_west_of_greenwich_begins_on_its_date() -> None:
    for longitude in (-155.5, 149.1, 204.5):
        night = night_sky(Telescope(latitude=-30.0, longitude=longitude, aperture=1, hours=1), 20260901, 10.0)
        local = night.mjd + ((longitude + 180) % 360 - 180) / 360
        assert utc_text(local[0]).startswith("2026-09-01T") and utc_text(local[-1]).startswith("2026-09-02T")


def test_no_night_without_darkness() -> None:
    night = night_sky(POLAR, 20260621, 10.0)
    assert len(night) == 0
    assert track(night, np.array([10.0]), np.array([20.0])).altitude.shape == (1, 0)


def test_the_moon_is_full_on_the_date_of_the_almanac() -> None:
    """Full moon on 2026-12-24 at 01:28 UTC, new moon on 2026-12-09 at 00:52 UTC."""
    assert night_sky(NORTH, 20261223, 30.0).moon_phase.mean() < 8
    assert night_sky(NORTH, 20261208, 30.0).moon_phase.mean() > 172


def test_a_target_culminates_as_high_as_geometry_says() -> None:
    night = night_sky(NORTH, 20261221, 5.0)
    found = track(night, np.array([90.0, 90.0]), np.array([28.3, -80.0]))
    assert found.altitude[0].max() == pytest.approx(90.0, abs=1.5)
    assert found.altitude[1].max() < 0
    assert ((found.moon_distance > 0) & (found.moon_distance < 180)).all()


def test_the_distance_from_the_moon_is_that_on_the_sky() -> None:
    """Full moon of 2026-12-24 stands opposite the sun, near (91.6, +27)."""
    night = night_sky(NORTH, 20261223, 30.0)
    found = track(night, np.array([91.6, 271.6]), np.array([27.0, -27.0]))
    assert found.moon_distance[0].min() < 5 and found.moon_distance[1].max() > 170
    assert found.moon_distance[0] + found.moon_distance[1] == pytest.approx(np.full(len(night), 180.0), abs=0.03)


def test_years_without_tables_of_the_earths_rotation_work() -> None:
    assert len(night_sky(NORTH, 20991221, 30.0)) > 10 and len(night_sky(NORTH, 19900101, 30.0)) > 10


def sky(altitude: float = 60.0, moon: float = 50.0, distance: float = 60.0, phase: float = 0.0) -> float:
    return float(sky_brightness(21.0, 0.17, *(np.array([x]) for x in (altitude, moon, distance, phase)))[0])


def test_the_moon_brightens_the_sky_by_phase_distance_and_altitude() -> None:
    dark = sky(moon=-5.0)
    assert sky(90.0, moon=-5.0) == pytest.approx(21.0)
    assert dark < 21.0  # more air glows
    assert sky() < sky(phase=60.0) < sky(phase=150.0) < dark
    assert sky(distance=20.0) < sky() and sky(moon=80.0) < sky(moon=10.0)
    assert 2.0 < dark - sky() < 4.0  # full moon takes two to four magnitudes


def test_airmass_is_the_secant_high_up_and_finite_at_the_horizon() -> None:
    assert airmass_of(np.array([60.0])) == pytest.approx(2 / np.sqrt(3), abs=2e-3)
    assert 30 < airmass_of(np.array([0.01]))[0] < 40
