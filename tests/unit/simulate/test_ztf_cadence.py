"""Nights of ZTF's public survey: every third or second, nightly in support of TESS, and lost to weather."""

from __future__ import annotations

import numpy as np
import pytest

from redpoll.simulate.exposures import moonlight
from redpoll.simulate.ztf_cadence import FIRST_NIGHT, draw_exposures, draw_fields
from redpoll.simulate.ztf_weather import clear_nights, haze


@pytest.fixture(scope="module")
def early():
    """Exposures of 40 fields, from March 2018 to April 2020."""
    return _exposures(58950)


@pytest.fixture(scope="module")
def late():
    """Exposures of 40 fields, from July 2021 to August 2025."""
    return _exposures(60900)


def _exposures(night):
    rng = np.random.default_rng(4)
    return draw_exposures(rng, draw_fields(rng, 40, night), night, 1)


def steps(exposures, first=0, last=10**6):
    """Nights between two visits of a field."""
    found = []
    for low, high in zip(exposures.offsets[:-1], exposures.offsets[1:], strict=True):
        nights = np.unique(np.floor(exposures.mjd[low:high]))
        found.append(np.diff(nights[(nights >= first) & (nights < last)]))
    return np.concatenate(found)


def test_fields_return_after_three_nights_and_later_after_two(early, late):
    before, after = steps(early, last=58660), steps(late)
    assert np.bincount(before.astype(int))[:10].argmax() == 3 and before.min() >= 3
    # the night of the alerts is visited in any case
    assert np.bincount(after.astype(int))[:10].argmax() == 2 and (after < 2).mean() < 0.01


def test_some_fields_are_observed_every_night_in_support_of_tess(early):
    assert 0.2 < (steps(early, first=58660) == 1).mean() < 0.8


def test_summer_nights_are_clearer_than_winter_nights():
    days = np.arange(55000, 65000)
    clear = clear_nights(np.random.default_rng(1), days)
    month = ((days - 58684) % 365.25) // 30.4
    assert clear[month == 0].mean() - clear[month == 6].mean() > 0.2
    assert 0.65 < clear.mean() < 0.8


def test_bad_weather_comes_in_spells():
    clear = clear_nights(np.random.default_rng(1), np.arange(55000, 65000))
    # independent nights would be clear after a clear one as often as after any
    assert clear[1:][clear[:-1]].mean() - clear.mean() > 0.05


def test_the_nights_that_alert_are_never_hopeless():
    lost = haze(np.random.default_rng(1), 20_000, 10_000)
    assert lost[10_000:].max() <= 0.8 < lost[:10_000].max()


def test_moonlight_costs_a_magnitude_in_g_and_less_in_r(late):
    full, new = (moonlight(late.mjd) > 0.95), (moonlight(late.mjd) < 0.05)
    loss = [np.median(late.limiting_mag[new & (late.band == b)]) - np.median(late.limiting_mag[full & (late.band == b)])
            for b in (1, 2)]  # fmt: skip
    assert 1.0 < loss[0] < 1.4 and loss[1] < loss[0]


def test_some_exposures_are_clouded(late):
    dark = (moonlight(late.mjd) < 0.1) & (late.band == 2)
    low, middle = np.percentile(late.limiting_mag[dark], [1, 50])
    assert middle - low > 1.2


def test_no_exposure_is_older_than_the_survey(early):
    assert early.mjd.min() >= FIRST_NIGHT


def test_a_night_before_the_survey_has_its_own_exposures_alone():
    exposures = _exposures(FIRST_NIGHT - 30)
    assert (np.diff(exposures.offsets) > 0).all()
    assert set(np.floor(exposures.mjd)) == {FIRST_NIGHT - 30}
