"""What `benchmarks/realism.py` stands on: equal samples are not told apart, other ones are, and cuts are alike."""

from __future__ import annotations

import numpy as np
import pytest
from populations.realism_features import cadence, shape
from populations.seen import Seen, is_covered, matched, nightly, one_a_night, spaced, thinned
from populations.two_samples import separation


def rows(seed, n, mean=0.0):
    rng = np.random.default_rng(seed)
    return [{"a": a, "b": b} for a, b in zip(rng.normal(mean, 1, n), rng.normal(0, 1, n), strict=True)]


def curve(days, bands, mags, name="one"):
    return Seen(name, np.array(days, float), np.array(bands), np.array(mags, float), np.full(len(days), 0.1))


def test_equal_samples_are_not_told_apart():
    found = separation(rows(1, 300), rows(2, 300))
    assert found.low < 0.5 < found.high + 0.02 and abs(found.auc - 0.5) < 0.08


def test_the_feature_that_differs_is_named_first():
    found = separation(rows(1, 300), rows(2, 300, mean=1.5))
    # two normal distributions 1.5 apart: AUC = Phi(1.5 / sqrt 2)
    assert found.auc == pytest.approx(0.856, abs=0.05)
    assert next(iter(found.loss)) == "a"


def test_thinning_keeps_the_last_of_a_run_of_one_band():
    kept = thinned(curve([1, 2, 3, 4], [1, 1, 2, 2], [18, 18, 18, 18]))
    assert kept.mjd.tolist() == [2, 4]


def test_points_of_a_night_and_band_become_one_of_smaller_error():
    kept = nightly(curve([1.1, 1.2, 1.3, 2.1], [1, 1, 2, 1], [18, 18, 17, 19]))
    assert kept.band.tolist() == [1, 2, 1] and kept.mag == pytest.approx([18, 17, 19])
    assert kept.mag_err[0] == pytest.approx(0.1 / np.sqrt(2))


def test_the_first_point_of_a_night_and_band_is_kept():
    kept = one_a_night(curve([1.1, 1.2, 1.3, 2.1], [1, 2, 1, 1], [18, 18, 17, 19]))
    assert kept.mjd.tolist() == [1.1, 1.2, 2.1]


def test_nights_that_follow_too_soon_are_left_out():
    kept = spaced(curve([1.1, 1.2, 2.5, 4.0, 6.0, 7.9], [1, 2, 1, 1, 1, 1], [18] * 6), nights=3)
    assert kept.mjd.tolist() == [1.1, 1.2, 4.0, 7.9]


def test_coverage_needs_points_on_both_sides_of_the_brightest_and_in_both_bands():
    days, bands = np.arange(0, 40, 4), np.tile([1, 2], 5)
    assert is_covered(curve(days, bands, np.abs(days - 12) + 18), at_least=10)
    assert not is_covered(curve(days, bands, days + 18.0), at_least=10)
    assert not is_covered(curve(days, np.full(10, 1), np.abs(days - 12) + 18), at_least=10)


def test_the_nearest_in_brightness_is_taken_once():
    made = [curve([1], [1], [m], name=str(m)) for m in (17, 18, 19)]
    chosen = matched([curve([1], [1], [18.1]), curve([1], [1], [18.2])], made)
    assert [each.name for each in chosen] == ["18", "19"]


def test_features_are_those_of_the_curve():
    some = curve([0, 0.1, 3, 3.1, 6, 6.1], [1, 2, 1, 2, 1, 2], [19, 19, 18, 18.2, 19, 19])
    assert cadence(some)["fraction of steps of 3 nights"] == 1 and cadence(some)["points a night"] == 2
    assert shape(some, (0.0,))["g - r of the peaks"] == pytest.approx(-0.2)
