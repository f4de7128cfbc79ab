"""Times against astropy, and the dates that name nights."""

from __future__ import annotations

import erfa
import numpy as np
import pytest
from astropy.time import Time

from redpoll.astro.time import (
    NIGHT_OFFSET,
    is_date,
    is_night,
    leap_seconds,
    night_of,
    night_start,
    tai_mjd_from_utc_jd,
    utc_jd_from_tai_mjd,
)


def test_leap_seconds_are_those_of_the_iers():
    table = [row for row in erfa.leap_seconds.get() if row["year"] >= 1972]
    starts = np.array([Time(f"{r['year']}-{r['month']:02}-01").mjd for r in table])
    np.testing.assert_array_equal(leap_seconds(starts), [r["tai_utc"] for r in table])
    np.testing.assert_array_equal(leap_seconds(starts[1:] - 0.1), [r["tai_utc"] for r in table[:-1]])


@pytest.mark.parametrize("jd", [2456108.4999, 2456109.5, 2457202.7, 2457754.5001, 2458855.914, 2461109.64])
def test_tai_is_that_of_astropy_within_a_tenth_of_a_millisecond(jd):
    assert abs(tai_mjd_from_utc_jd(jd) - Time(jd, format="jd", scale="utc").tai.mjd) < 1e-4 / 86400
    assert abs(utc_jd_from_tai_mjd(tai_mjd_from_utc_jd(jd)) - jd) < 1e-4 / 86400


@pytest.mark.parametrize("jd", [2456108.6, 2456109.49999])
def test_a_day_that_ends_in_a_leap_second_is_right_to_a_second(jd):
    assert abs(tai_mjd_from_utc_jd(jd) - Time(jd, format="jd", scale="utc").tai.mjd) <= 1.0001 / 86400


def test_unknown_time_stays_unknown():
    assert np.isnan(tai_mjd_from_utc_jd([np.nan])).all() and np.isnan(utc_jd_from_tai_mjd([np.nan])).all()


@pytest.mark.parametrize("iso", ["2016-12-31T12:00", "2017-01-01T00:00", "2020-02-29T23:59:59", "2024-12-31T23:59:30"])
def test_a_ztf_night_is_the_utc_date(iso):
    assert night_of(Time(iso, scale="utc").tai.mjd, NIGHT_OFFSET["ztf"]) == int(iso[:10].replace("-", ""))


def test_a_night_starts_at_utc_midnight_not_at_tai_midnight():
    midnight_tai = Time("2020-06-01T00:00", scale="utc").tai.mjd
    assert night_of([midnight_tai - 1 / 86400, midnight_tai + 1e-3 / 86400]).tolist() == [20200531, 20200601]


@pytest.mark.parametrize(
    "iso, night",
    [
        ("2026-03-10T11:59:59", 20260309),
        ("2026-03-10T12:00:01", 20260310),
        ("2026-03-11T05:00:00", 20260310),
        ("2026-03-01T03:00:00", 20260228),
    ],
)
def test_a_rubin_night_is_the_date_twelve_hours_ago(iso, night):
    nights = night_of([Time(iso, scale="utc").tai.mjd], NIGHT_OFFSET["rubin"])
    assert nights.dtype == np.int32 and nights.tolist() == [night]


@pytest.mark.parametrize("mjd", [np.nan, np.inf, 1e9, -1e9])
def test_a_time_without_a_date_is_refused(mjd):
    with pytest.raises(ValueError, match="finite time"):
        night_of([60000.0, mjd])


@pytest.mark.parametrize(
    ("mjd", "is_supported"),
    [(1.0, True), (0.999, False), (2_973_481.999, True), (2_973_482.0, False), (np.inf, False), (np.nan, False)],
)
def test_which_times_have_a_night(mjd, is_supported):
    assert is_night(mjd) == is_supported


def test_the_first_and_the_last_date():
    assert night_of([-678_574.5, 2_973_483.5]).tolist() == [10101, 99991231]
    for beyond in (-678_575.5, 2_973_484.5):
        with pytest.raises(ValueError, match="finite time"):
            night_of(beyond)


@pytest.mark.parametrize("month", range(1, 13))
def test_every_month_has_its_number_and_begins_with_day_one(month):
    start = Time(f"2023-{month:02}-01T00:00:01", scale="utc").tai.mjd
    assert night_of([start, start + 14]).tolist() == [20230001 + 100 * month, 20230015 + 100 * month]
    assert night_start(20230001 + 100 * month) == pytest.approx(start - 1 / 86400, abs=1e-8)


def test_before_the_first_leap_second_ten_seconds_are_used():
    assert leap_seconds([0.0, 41316.9, 41317.0, 41498.9, 41499.0]).tolist() == [10, 10, 10, 10, 11]
    assert tai_mjd_from_utc_jd(2_440_000.5) == pytest.approx(40_000 + 10 / 86400, abs=1e-9)


@pytest.mark.parametrize(
    ("night", "is_one"),
    [(20240229, True), (20230229, False), (20261301, False), (20260001, False), (20260100, False), (20261231, True),
     (10101, True), (9999, False), (99991231, True), (100000101, False), (10**30, False), (-20240101, False)],
)  # fmt: skip
def test_which_numbers_are_dates(night, is_one):
    assert is_date(night) == is_one


@pytest.mark.parametrize(
    ("mjd_tai", "seconds"),
    [(57754.0 - 30 / 86400, 36), (57754.0 + 36.9 / 86400, 36), (57754.0 + 37.1 / 86400, 37),
     (41499.0 + 10.9 / 86400, 10), (41499.0 + 11.1 / 86400, 11), (43144.0 + 15.9 / 86400, 15)],
)  # fmt: skip
def test_a_leap_second_takes_effect_at_its_time_in_tai(mjd_tai, seconds):
    assert utc_jd_from_tai_mjd(mjd_tai) == pytest.approx(mjd_tai + 2_400_000.5 - seconds / 86400, abs=1e-9)


def test_the_last_night_has_a_start():
    assert night_start(99991231) == pytest.approx(2_973_483 + 37 / 86400, abs=1e-9)
