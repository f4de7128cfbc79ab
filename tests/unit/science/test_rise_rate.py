"""Rates from the last two epochs in the alert's band."""

from __future__ import annotations

import numpy as np
import pytest

from redpoll.science.rise_rate import rise_rate


def test_brightening_is_negative_and_has_its_error(curves, seen):
    found = rise_rate(curves([seen("g", 0, 20.0, 0.03), seen("g", 2, 19.4, 0.04)]))
    assert (found["mag_rate"][0], found["mag_rate_err"][0]) == pytest.approx((-0.3, 0.025), abs=1e-5)
    assert found["mag_rate_lower"][0] < -0.3 < found["mag_rate_upper"][0] < 0
    assert found["mag_rate_days"][0] == 2 and not found["mag_rate_from_limit"][0]


def test_fading_is_positive(curves, seen):
    assert rise_rate(curves([seen("g", 0, 19.0), seen("g", 2, 20.0)]))["mag_rate"][0] == pytest.approx(0.5, abs=1e-5)


def test_another_band_does_not_count(curves, seen):
    found = rise_rate(
        curves([seen("g", 0, 20), seen("r", 1, 17), seen("g", 2, 19)], [seen("r", 1, 17), seen("g", 2, 19)])
    )
    assert found["mag_rate"][0] == pytest.approx(-0.5, abs=1e-5) and np.isnan(found["mag_rate"][1])


def test_of_several_epochs_the_latest_counts_limit_or_not(curves, seen, limit):
    early, late = seen("g", 0, 20), seen("g", 2, 19)
    found = rise_rate(curves([early, limit("g", 1, 19.5), late], [limit("g", -1, 20.5), early, late]))
    assert found["mag_rate_from_limit"].tolist() == [True, False]
    assert found["mag_rate"].tolist() == pytest.approx([19 - 19.5 - 1.0857, -0.5], abs=1e-4)
    assert found["mag_rate_days"].tolist() == [1, 2]


def test_a_limit_that_denies_a_recent_brighter_detection_is_not_believed(curves, seen, limit):
    bright, denial, own = seen("g", 0, 15.0), limit("g", 9, 19.0), seen("g", 10, 15.5)
    found = rise_rate(curves([bright, denial, own], [seen("g", -2, 15.0), denial, own], [limit("g", -1, 19), own]))
    assert found["mag_rate_from_limit"].tolist() == [False, True, True]
    assert found["mag_rate"][0] == pytest.approx(0.05, abs=1e-5)
    assert rise_rate(curves([bright, denial, own]), doubt_days=5.0)["mag_rate_from_limit"][0]


@pytest.mark.parametrize("kind", ["forced", "low_quality"])
def test_poor_and_forced_points_do_not_count(curves, seen, kind):
    found = rise_rate(curves([seen("g", 0, 20), seen("g", 1, 15, kind=kind), seen("g", 2, 19)]))
    assert found["mag_rate"][0] == pytest.approx(-0.5, abs=1e-5)


def test_an_epoch_of_minutes_ago_is_passed_over(curves, seen):
    curve = [seen("g", 0, 20), seen("g", 1.995, 19.1), seen("g", 2, 19)]
    assert rise_rate(curves(curve))["mag_rate"][0] == pytest.approx(-0.5, abs=1e-5)
    assert rise_rate(curves(curve), min_days=0.0)["mag_rate"][0] == pytest.approx(-20, rel=1e-3)


@pytest.mark.parametrize("flux, own", [(-1000.0, 1000.0), (1000.0, -1000.0), (0.0, 1000.0), (np.nan, 1000.0)])
def test_a_negative_or_unknown_flux_has_no_rate(curves, flux, own):
    found = rise_rate(curves([("g", 0, flux, 10.0), ("g", 1, own, 10.0)]))
    assert all(np.isnan(found[name][0]) for name in ("mag_rate", "mag_rate_err", "mag_rate_lower", "mag_rate_upper"))
    assert not found["mag_rate_from_limit"][0]


def test_first_detections_unknown_bands_and_empty_curves_have_no_rate(curves, seen):
    found = rise_rate(curves([seen("g", 0, 20)], [seen("?", 0, 20), seen("?", 1, 19)], []))
    assert np.isnan(found["mag_rate"]).all() and np.isnan(found["mag_rate_days"]).all()
    assert len(rise_rate(curves())["mag_rate"]) == 0 and np.isnan(rise_rate(curves([]))["mag_rate"]).all()


def test_a_forced_point_below_the_limit_stands_for_an_upper_limit_of_its_own_error(curves, seen, limit):
    err = limit("g", 1, 19.5)[3]
    early, own = seen("g", 0, 20), seen("g", 2, 19)
    forced = [("g", 1, factor * err, err, "forced") for factor in (-2.0, 4.9, 5.1)]
    found = rise_rate(curves([early, limit("g", 1, 19.5), own], *([early, point, own] for point in forced)))
    assert found["mag_rate_from_limit"].tolist() == [True, True, True, False]
    assert found["mag_rate"][:3].tolist() == [found["mag_rate"][0]] * 3
    assert found["mag_rate"][3] == pytest.approx(-0.5, abs=1e-5)


@pytest.mark.parametrize(("mjd", "days"), [(0.99, 0.01), (0.9905, 1.0)])
def test_an_epoch_of_a_hundredth_of_a_day_ago_counts(mjd, days, curves, seen):
    found = rise_rate(curves([seen("g", 0, 20), seen("g", mjd, 19.5), seen("g", 1.0, 19)]))
    assert found["mag_rate_days"][0] == pytest.approx(days, abs=1e-9)


@pytest.mark.parametrize(
    ("limit_mjd", "limit_err", "is_believed"),
    [(10.0, 199.9, False), (10.01, 199.9, True), (9.0, 200.0, True), (9.0, 200.1, True)],
)
def test_a_limit_is_denied_by_a_detection_above_it_of_the_last_ten_days(limit_mjd, limit_err, is_believed, curves):
    points = [("g", 0, 1000.0, 1.0), ("g", limit_mjd, np.nan, limit_err, "upper_limit"), ("g", 11.0, 1500.0, 1.0)]
    assert rise_rate(curves(points))["mag_rate_from_limit"][0] == is_believed
