"""Exposure times: the ratio they promise, and how they grow with magnitude, aperture, sky and airmass."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from redpoll.learn.followup.exposure import electrons, exposures, signal_to_noise
from redpoll.learn.followup.telescope import Telescope

AT = Telescope(latitude=0.0, longitude=0.0, aperture=2.0, hours=8.0, max_minutes=600.0)


def seconds(mag: float = 20.0, airmass: float = 1.0, sky: float = 20.9, at: Telescope = AT) -> float:
    found = exposures(np.array([mag]), np.array([airmass]), np.array([sky]), at)
    return float((found.number * found.seconds)[0])


def test_the_ratio_is_reached_and_not_by_much() -> None:
    mag, airmass, sky = np.linspace(15, 23, 30), np.linspace(1, 2, 30), np.linspace(18, 21, 30)
    found = exposures(mag, airmass, sky, AT)
    reached = signal_to_noise(mag, airmass, sky, found.seconds, found.number, AT)
    long = found.seconds > 20  # seconds are whole
    assert (reached >= AT.signal_to_noise - 1e-9).all()
    assert long.any() and (reached[long] < 1.03 * AT.signal_to_noise).all()
    assert (found.seconds <= AT.max_exposure).all() and found.number.max() > 1


def test_photons_alone_follow_poisson() -> None:
    """Without sky, dark current and read noise, S/N squared is the number of electrons."""
    at = replace(AT, read_noise=0.0, sky=25.0, extinction=0.0, max_exposure=36_000.0)
    rate = float(electrons(np.array(21.0), at))
    assert seconds(21.0, sky=60.0, at=at) == pytest.approx(at.signal_to_noise**2 / rate, abs=1)


def test_against_the_sky_the_time_goes_as_its_light_over_the_square_of_the_source() -> None:
    at = replace(AT, read_noise=0.0, max_exposure=36_000.0, extinction=0.0)
    assert seconds(27.0, at=at) / seconds(26.0, at=at) == pytest.approx(10**0.8, rel=0.02)
    assert seconds(27.0, sky=19.9, at=at) / seconds(27.0, at=at) == pytest.approx(10**0.4, rel=0.02)
    assert seconds(27.0, at=at) / seconds(27.0, at=replace(at, aperture=4.0)) == pytest.approx(4.0, rel=0.02)
    assert seconds(27.0, airmass=2.0, at=at) / seconds(27.0, at=at) == pytest.approx(2**1.2, rel=0.02)


def test_extinction_dims_the_source_alone() -> None:
    at = replace(AT, max_exposure=36_000.0, read_noise=0.0)
    more = replace(at, extinction=1.1)
    assert seconds(23.0, at=more) / seconds(23.0, at=at) == pytest.approx(10**0.8, rel=0.03)


def test_split_exposures_pay_for_each_readout() -> None:
    at = replace(AT, read_noise=50.0, max_exposure=60.0)
    split, whole = (
        exposures(*np.array([[21.0], [1.0], [20.9]]), each) for each in (at, replace(at, max_exposure=3600))
    )
    assert split.number[0] > 1 == whole.number[0]
    assert split.number[0] * split.seconds[0] > whole.seconds[0]
    assert split.total[0] == split.number[0] * (split.seconds[0] + at.readout)


def test_what_takes_too_long_has_no_exposure() -> None:
    at = replace(AT, max_minutes=10.0)
    found = exposures(np.array([16.0, 26.0, 35.0]), np.ones(3), np.full(3, 20.9), at)
    assert np.isfinite(found.total).tolist() == [True, False, False]


def test_a_two_metre_telescope_reaches_what_such_telescopes_reach() -> None:
    """S/N 20 at r = 20 takes one on the order of half a minute: no factor of ten is lost in the units."""
    assert 10 < seconds(20.0) < 120
