"""What became of a source since it was brightest."""

from __future__ import annotations

import numpy as np
import pytest

from redpoll.science.brightness_history import brightness_history


def test_the_fading_counts_from_the_brightest_earlier_detection_in_the_band(curves, seen):
    found = brightness_history(curves([seen("r", 0, 18), seen("r", 1, 17), seen("g", 2, 12), seen("r", 9, 19.5)]))
    assert found["peak_mag"][0] == pytest.approx(17, abs=1e-5) and found["peak_days"][0] == 8
    assert found["faded_mag"][0] == pytest.approx(2.5, abs=1e-5) and np.isnan(found["lost_days"][0])


def test_a_brighter_alert_has_faded_by_less_than_nothing(curves, seen):
    found = brightness_history(curves([seen("r", 0, 18), seen("r", 1, 17)]))
    assert found["faded_mag"][0] == pytest.approx(-1, abs=1e-5)


@pytest.mark.parametrize("depth, is_lost", [(18.9, True), (17.5, False)])
def test_a_source_is_lost_if_an_image_deep_enough_did_not_show_it(curves, seen, limit, depth, is_lost):
    found = brightness_history(curves([seen("r", 0, 18), limit("r", 5, depth), seen("r", 9, 19.5)]))
    assert found["lost_days"].tolist() == ([9.0] if is_lost else pytest.approx([np.nan], nan_ok=True))


def test_forced_photometry_below_its_noise_counts_as_lost(curves, seen):
    faint, bright = ("r", 5, 2000.0, 1000.0, "forced"), ("r", 5, 2e5, 1000.0, "forced")
    found = brightness_history(curves(*[[seen("r", 0, 18), p, seen("r", 9, 19.5)] for p in (faint, bright)]))
    assert found["lost_days"][0] == 9 and np.isnan(found["lost_days"][1])


def test_a_limit_before_the_last_detection_or_in_another_band_does_not_count(curves, seen, limit):
    before = [seen("r", 0, 18), limit("r", 3, 20), seen("r", 5, 18.2), seen("r", 9, 19.5)]
    other = [seen("r", 0, 18), limit("g", 3, 20), seen("r", 9, 19.5)]
    assert np.isnan(brightness_history(curves(before, other))["lost_days"]).all()


def test_nothing_earlier_or_nothing_positive_gives_no_answer(curves, seen):
    found = brightness_history(curves([seen("r", 0, 18)], [("r", 0, -900.0, 9.0), seen("r", 1, 18)], []))
    assert all(np.isnan(column).all() for column in found.values())
    faded = brightness_history(curves([seen("r", 0, 18), ("r", 1, -900.0, 9.0)]))
    assert faded["peak_mag"][0] == pytest.approx(18, abs=1e-5) and np.isnan(faded["faded_mag"][0])


BRIGHT = ("r", 100, 1000.0, 10.0)


@pytest.mark.parametrize(
    ("point", "lost_days"),
    [
        (("r", 105, 490.0, 100.0, "forced"), 9.0), (("r", 105, 510.0, 100.0, "forced"), np.nan),
        (("r", 105, np.nan, 199.9, "upper_limit"), 9.0), (("r", 105, np.nan, 200.0, "upper_limit"), np.nan),
        (("r", 100, np.nan, 100.0, "upper_limit"), np.nan),
    ],
)  # fmt: skip
def test_an_image_without_the_source_is_later_and_deeper_than_five_sigma(point, lost_days, curves):
    found = brightness_history(curves([BRIGHT, point, ("r", 109, 900.0, 10.0)]))
    assert found["lost_days"][0] == pytest.approx(lost_days, nan_ok=True)


def test_the_brightest_need_not_be_the_latest_and_of_two_as_bright_the_later_counts(curves):
    found = brightness_history(
        curves([BRIGHT, ("r", 103, 1000.0, 10.0), ("r", 105, 900.0, 10.0), ("r", 109, 9.0, 9.0)])
    )
    assert found["peak_days"][0] == 6.0


@pytest.mark.parametrize(("flux", "faded"), [(0.5, 2.5 * np.log10(2000.0)), (0.0, np.nan), (-0.5, np.nan)])
def test_only_a_positive_flux_has_faded_by_a_magnitude(flux, faded, curves):
    found = brightness_history(curves([BRIGHT, ("r", 109, flux, 1.0)]))
    assert found["faded_mag"][0] == pytest.approx(faded, nan_ok=True)
