"""The shape of the best-sampled band."""

from __future__ import annotations

import numpy as np
import pytest

from redpoll.astro.light_curve_statistics import FEATURES, light_curve_statistics
from redpoll.science.anomaly_features import OUTPUTS, anomaly_features

MAGS = [20.0, 19.0, 18.5, 19.5, 19.7]


def _band(seen, band, mags=MAGS, start=0.0):
    return [seen(band, start + 2.0 * i, mag) for i, mag in enumerate(mags)]


def test_the_band_with_most_detections_counts_whatever_its_name(curves, seen):
    in_g = [*_band(seen, "g"), seen("r", 11, 19)]
    in_z = [*_band(seen, "z"), seen("r", 11, 19)]
    found = anomaly_features(curves(in_g, in_z))
    assert all(x[0] == x[1] for x in found.values())
    assert found["anomaly_n_points"][0] == 5 and found["anomaly_days"][0] == 8
    assert found["anomaly_band_fraction"][0] == pytest.approx(5 / 6)


def test_statistics_are_those_of_the_magnitudes(curves, seen):
    found = anomaly_features(curves(_band(seen, "r")))
    expected = light_curve_statistics(np.arange(5) * 2.0, MAGS, np.full(5, 0.05), [0, 5])[0]
    for name in ("amplitude", "skew", "stetson_k", "maximum_slope"):
        assert found[f"anomaly_{name}"][0] == pytest.approx(expected[FEATURES.index(name)], rel=1e-3)


def test_how_bright_it_is_changes_nothing(curves, seen):
    found = anomaly_features(curves(_band(seen, "g"), _band(seen, "g", [m + 1 for m in MAGS])))
    for name, values in found.items():
        assert values[0] == pytest.approx(values[1], rel=1e-3, abs=1e-4), name


def test_few_detections_limits_and_fading_ones_give_no_answer(curves, seen, limit):
    few = [*_band(seen, "g", MAGS[:3]), limit("g", 8, 20)]
    dim = [("g", float(i), -1000.0, 10.0) for i in range(6)]
    found = anomaly_features(curves(few, dim, []))
    assert set(found) == set(OUTPUTS) and all(np.isnan(x).all() for x in found.values())
    assert all(len(x) == 0 for x in anomaly_features(curves()).values())


def test_four_detections_are_enough_and_fewer_if_set_so(curves, seen):
    light = curves(_band(seen, "g", MAGS[:4]), _band(seen, "g", MAGS[:3]), _band(seen, "g", MAGS[:1]))
    assert np.isfinite(anomaly_features(light)["anomaly_n_points"]).tolist() == [True, False, False]
    assert anomaly_features(light, min_points=1)["anomaly_band_fraction"].tolist() == [1.0, 1.0, 1.0]


def test_statistics_of_the_mean_brightness_are_left_out():
    left_out = {"mean", "weighted_mean", "median", "mean_variance", "percent_amplitude", "linear_fit_slope_sigma"}
    assert {f"anomaly_{name}" for name in set(FEATURES) - left_out} < set(OUTPUTS)
    assert not {f"anomaly_{name}" for name in left_out} & set(OUTPUTS)
