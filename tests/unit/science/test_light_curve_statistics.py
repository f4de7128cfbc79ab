"""The module around the statistics: bands, kinds, quantities."""

from __future__ import annotations

import numpy as np
import pytest

from redpoll.astro.light_curve_statistics import FEATURES
from redpoll.astro.light_curve_statistics import light_curve_statistics as statistics
from redpoll.errors import UsageError
from redpoll.schema.bands import BANDS
from redpoll.science.light_curve_statistics import light_curve_statistics


def test_every_statistic_has_a_column_in_every_band():
    assert list(light_curve_statistics.outputs) == [f"{f}_{b}" for b in BANDS for f in FEATURES]
    assert not any(column.indexed for column in light_curve_statistics.outputs.values())


def test_each_band_has_the_statistics_of_its_detections(curves, seen, limit):
    g, r = [(0, 20.0), (1, 19.0), (3, 18.5), (4, 18.7)], [(0.5, 19.5), (2, 18.0)]
    points = sorted([seen("g", *p) for p in g] + [seen("r", *p) for p in r], key=lambda p: p[1])
    found = light_curve_statistics(curves([limit("g", -1, 21), *points]))
    for band, part in (("g", g), ("r", r)):
        t, m = np.array(part).T
        expected = statistics(t, m, np.full(len(t), 0.05), [0, len(t)])[0]
        actual = [found[f"{feature}_{band}"][0] for feature in FEATURES]
        np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5)
    assert np.isnan(found["mean_i"][0])


def test_magnitudes_leave_out_negative_fluxes_and_fluxes_do_not(curves):
    curve = curves([("g", 0, 1000.0, 10.0), ("g", 1, -500.0, 10.0), ("g", 2, 1000.0, 10.0)])
    assert light_curve_statistics(curve)["mean_g"][0] == pytest.approx(23.9, abs=1e-4)
    assert light_curve_statistics(curve, quantity="flux")["mean_g"][0] == pytest.approx(500)


@pytest.mark.parametrize("kind", ["forced", "low_quality", "upper_limit"])
def test_other_kinds_of_point_do_not_count(curves, seen, kind):
    found = light_curve_statistics(curves([seen("g", 0, 12, kind=kind), seen("g", 1, 19)]))
    assert found["mean_g"][0] == pytest.approx(19, abs=1e-5)


def test_another_quantity_is_refused(curves):
    with pytest.raises(UsageError, match="'mag' or 'flux'"):
        light_curve_statistics(curves([]), quantity="luminosity")


def test_no_alerts_have_no_statistics(curves):
    assert {len(column) for column in light_curve_statistics(curves()).values()} == {0}
    assert np.isnan(light_curve_statistics(curves([]))["mean_g"]).all()


def test_what_is_in_magnitudes_and_what_in_magnitudes_a_day():
    units = {"mag": "", "mag/d": ""}
    for name, column in light_curve_statistics.outputs.items():
        if name.endswith("_g") and column.unit:
            units[column.unit] += f"{name.removesuffix('_g')} "
    assert set(units["mag"].split()) == {
        "mean", "weighted_mean", "standard_deviation", "median", "amplitude", "inter_percentile_range_10",
        "linear_trend_noise", "median_absolute_deviation", "percent_amplitude",
    }  # fmt: skip
    assert set(units["mag/d"].split()) == {
        "linear_trend", "linear_trend_sigma", "linear_fit_slope", "linear_fit_slope_sigma", "maximum_slope",
    }  # fmt: skip
