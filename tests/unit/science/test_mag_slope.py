"""Slopes over the last days."""

from __future__ import annotations

import numpy as np
import pytest

from redpoll.science.mag_slope import mag_slope


def test_a_straight_line_is_found_with_its_error(curves, seen):
    found = mag_slope(curves([seen("r", day, 20 - 0.1 * day, 0.05) for day in (0, 1, 2, 5)]))
    days = np.array([0, 1, 2, 5])
    assert found["mag_slope"][0] == pytest.approx(-0.1, abs=1e-5) and found["mag_slope_points"][0] == 4
    assert found["mag_slope_err"][0] == pytest.approx(0.05 / np.sqrt(((days - days.mean()) ** 2).sum()), rel=1e-4)


def test_the_slope_is_weighted_by_the_errors(curves, seen):
    points = [("r", 0, 20.0, 0.02), ("r", 1, 20.3, 0.2), ("r", 2, 19.8, 0.02), ("r", 3, 19.0, 0.4)]
    _, days, mags, errors = zip(*points, strict=True)
    expected, covariance = np.polyfit(days, mags, 1, w=1 / np.array(errors), cov="unscaled")
    found = mag_slope(curves([seen(*p) for p in points]))
    assert found["mag_slope"][0] == pytest.approx(expected[0], rel=1e-4)
    assert found["mag_slope_err"][0] == pytest.approx(np.sqrt(covariance[0, 0]), rel=1e-4)


def test_only_good_detections_of_the_last_days_in_the_band_count(curves, seen, limit):
    line = [seen("r", day, 20 - 0.1 * day) for day in (5, 6, 7)]
    others = [seen("r", 1, 15), seen("g", 5, 15), limit("r", 5.5, 15), seen("r", 5.6, 15, kind="low_quality")]
    found = mag_slope(curves([*others, ("r", 5.7, -900.0, 10.0), *line]), days=3.0)
    assert found["mag_slope"][0] == pytest.approx(-0.1, abs=1e-5) and found["mag_slope_points"][0] == 3


def test_the_oldest_day_is_included(curves, seen):
    line = [seen("r", day, 20 - 0.1 * day) for day in (0, 5, 10)]
    assert mag_slope(curves(line), days=10.0)["mag_slope_points"][0] == 3
    assert mag_slope(curves(line), days=9.99)["mag_slope_points"][0] == 2


def test_too_few_points_or_too_short_a_span_have_no_slope(curves, seen):
    two = [seen("r", 0, 20), seen("r", 1, 19)]
    short = [seen("r", t, 20) for t in (0.0, 0.04, 0.08)]
    found = mag_slope(curves(two, short, []))
    assert np.isnan(found["mag_slope"]).all() and np.isnan(found["mag_slope_err"]).all()
    assert found["mag_slope_points"].tolist() == [2, 3, 0]
    together = [*[seen("r", 0, 20)] * 3, seen("r", 2, 19, kind="low_quality")]
    assert np.isnan(mag_slope(curves(together))["mag_slope_err"]).all()
    assert mag_slope(curves(two), min_points=2)["mag_slope"][0] == pytest.approx(-1, abs=1e-5)


@pytest.mark.parametrize(("days", "is_known"), [((0, 5, 10), True), ((0, 5, 10.01), False), ((0, 0.05, 0.1), True),
                                                ((0, 0.05, 0.099), False)])  # fmt: skip
def test_three_points_of_ten_days_span_a_tenth_of_a_day(days, is_known, curves, seen):
    assert np.isfinite(mag_slope(curves([seen("r", t, 20 + t) for t in days]))["mag_slope"][0]) == is_known


def test_a_point_without_an_error_does_not_count(curves):
    points = [("r", 0, 1000.0, 0.0), ("r", 1, 1000.0, 0.5), ("r", 2, 100.0, 0.5)]
    found = mag_slope(curves(points), min_points=2)
    assert found["mag_slope_points"][0] == 2 and found["mag_slope"][0] == pytest.approx(2.5, abs=1e-4)


def test_points_of_one_time_have_no_slope_whatever_the_span(curves, seen):
    assert np.isnan(mag_slope(curves([seen("r", 0, 20)] * 3), min_span=0.0)["mag_slope_err"][0])
