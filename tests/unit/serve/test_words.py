"""Numbers and positions as people read them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.time import Time
from hypothesis import given
from hypothesis import strategies as st

from redpoll.astro.sky import galactic
from redpoll.serve.portal import words

RA, DEC = st.floats(0, 360), st.floats(-90, 90)


@given(RA, DEC)
def test_sexagesimal_is_the_same_place(ra: float, dec: float) -> None:
    hours, degrees = words.sexagesimal(ra, dec)
    assert re.fullmatch(r"[0-2]\d:[0-5]\d:[0-5]\d\.\d\d", hours)
    assert re.fullmatch(r"[+−]\d\d:[0-5]\d:[0-5]\d\.\d", degrees)
    h, m, s = map(float, hours.split(":"))
    assert abs(((h + m / 60 + s / 3600) * 15 - ra + 180) % 360 - 180) < 0.0751 / 3600
    d, m, s = map(float, degrees[1:].split(":"))
    assert abs(d + m / 60 + s / 3600 - abs(dec)) < 0.0501 / 3600


@pytest.mark.parametrize(
    ("ra", "dec"), [(0.0, 0.0), (266.405, -28.936), (192.859, 27.128), (10.0, 90.0), (83.6, -69.7)]
)
def test_galactic_coordinates_are_those_of_astropy(ra: float, dec: float) -> None:
    expected = SkyCoord(ra, dec, unit="deg").galactic
    longitude, latitude = galactic(ra, dec)
    assert latitude == pytest.approx(expected.b.deg, abs=1e-5)
    assert np.cos(np.radians(latitude)) * ((longitude - expected.l.deg + 180) % 360 - 180) == pytest.approx(0, abs=1e-5)


def test_utc_is_that_of_astropy() -> None:
    assert words.utc(61109.25) == Time(61109.25, format="mjd", scale="tai").utc.strftime("%Y-%m-%d %H:%M:%S")


@pytest.mark.parametrize("mjd", [None, float("nan"), float("inf"), 1e12, -1e12])
def test_times_outside_the_calendar_are_a_dash(mjd: float | None) -> None:
    assert words.utc(mjd) == words.UNKNOWN


@pytest.mark.parametrize(
    ("hours", "text"),
    [
        (-1, "0 min ago"),
        (0.05, "3 min ago"),
        (5, "5 h ago"),
        (60, "2.5 d ago"),
        (24 * 90, "90 d ago"),
        (24 * 900, "2.5 yr ago"),
    ],
)
def test_ages_have_the_unit_one_would_say(hours: float, text: str) -> None:
    now = datetime.fromtimestamp(1_773_000_000, UTC)
    mjd = float(Time(now).tai.mjd) - hours / 24
    assert words.ago(mjd, now) == text
