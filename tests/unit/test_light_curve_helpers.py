"""The public helpers for light curves, against slow versions that look at one alert after another."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from redpoll import UsageError
from redpoll.conditions import is_empty_position, is_listed, is_solar_system
from redpoll.light_curves import (
    BANDS,
    DETECTION,
    LightCurves,
    at_trigger,
    averaged,
    count_of_each,
    days_before_trigger,
    fitted_columns,
    highest_of_each,
    in_alert_band,
    is_positive_detection,
    lowest_of_each,
    one_light_curve,
)
from redpoll.photometry import reference_flux
from redpoll.statistics import BandSeries

POINT = st.tuples(st.integers(-1, 5), st.floats(-9, 9, width=32) | st.just(float("nan")), st.integers(0, 3))
CURVES = st.lists(st.lists(POINT, max_size=6), max_size=5)


def light_curves(alerts: list[list[tuple[int, float, int]]]) -> LightCurves:
    """Light curves with a point a day."""
    points = [point for alert in alerts for point in alert]
    band, flux, kind = zip(*points, strict=True) if points else ((), (), ())
    offsets = np.cumsum([0, *map(len, alerts)])
    mjd = np.array([60000.0 + day for alert in alerts for day in range(len(alert))])
    err = np.ones(len(points), np.float32)
    return LightCurves(offsets, mjd, np.array(band, np.int8), np.array(flux, np.float32), err, np.array(kind, np.int8))


def known(values: np.ndarray) -> list[float]:
    return [float(value) for value in values if np.isfinite(value)]


@given(CURVES)
def test_reductions_are_those_of_each_light_curve_alone(alerts):
    curve = light_curves(alerts)
    keep = curve.kind == DETECTION
    highest, lowest = highest_of_each(curve, curve.flux, keep), lowest_of_each(curve, curve.flux, keep)
    counts = count_of_each(curve, keep)
    for i, one in enumerate(curve):
        values = known(one.flux[one.kind == DETECTION])
        expected = (max(values), min(values)) if values else (np.nan, np.nan)
        np.testing.assert_array_equal((highest[i], lowest[i]), expected)
        assert counts[i] == sum(one.kind == DETECTION)


@given(CURVES)
def test_the_last_point_of_each_light_curve_is_its_trigger(alerts):
    curve = light_curves(alerts)
    flux, ago, in_band = at_trigger(curve, curve.flux), days_before_trigger(curve), in_alert_band(curve)
    for i, one in enumerate(curve):
        points = slice(curve.offsets[i], curve.offsets[i + 1])
        np.testing.assert_array_equal(flux[i], one.flux[-1] if len(one.mjd) else np.nan)
        assert ago[points].tolist() == [len(one.mjd) - 1 - day for day in range(len(one.mjd))]
        assert in_band[points].tolist() == [b == one.band[-1] and b >= 0 for b in one.band]


@given(CURVES)
def test_band_series_hold_each_kept_point_of_a_known_band_once_and_in_order(alerts):
    curve = light_curves(alerts)
    series = BandSeries.of(curve, is_positive_detection(curve))
    assert len(series.offsets) == len(curve) * len(BANDS) + 1
    for i, one in enumerate(curve):
        for code in range(len(BANDS)):
            part = slice(*series.offsets[i * len(BANDS) + code :][:2])
            keep = (one.kind == DETECTION) & (one.flux > 0) & (one.band == code)
            assert series.mjd[part].tolist() == one.mjd[keep].tolist()
            assert series.counts[i, code] == keep.sum()


@given(CURVES, st.data())
def test_chosen_series_are_the_same_points_as_before(alerts, data):
    curve = light_curves(alerts)
    series = BandSeries.of(curve, np.ones(len(curve.mjd), bool))
    alerts_chosen = np.flatnonzero([data.draw(st.booleans()) for _ in range(len(curve))])
    chosen = series.of_alerts(alerts_chosen)
    assert chosen.counts.tolist() == series.counts[alerts_chosen].tolist()
    expected = [series.point[slice(*series.offsets[k:][:2])].tolist() for k in range(len(series.offsets) - 1)]
    wanted = [point for i in alerts_chosen for k in range(len(BANDS)) for point in expected[i * len(BANDS) + k]]
    assert chosen.point.tolist() == wanted


def test_the_best_sampled_band_of_equals_is_the_bluest():
    curve = one_light_curve([1, 2, 3, 4], ["r", "g", "r", "g"], [1, 1, 1, 1], [1, 1, 1, 1])
    series = BandSeries.of(curve, np.ones(4, bool))
    best = series.chosen(series.best_sampled())
    assert (best.mjd.tolist(), best.days().tolist()) == ([2.0, 4.0], [2.0])


def test_a_series_without_points_has_no_duration():
    curve = one_light_curve([1], ["g"], [1], [1])
    assert np.isnan(BandSeries.of(curve, np.zeros(1, bool)).days()).all()


def test_columns_of_some_alerts_are_filled_by_their_type():
    found = fitted_columns("abc", np.array([1]), 3, np.array([0.5]), np.array([7]), np.array([True]))
    np.testing.assert_array_equal(found["a"], [np.nan, 0.5, np.nan])
    assert (found["b"].tolist(), found["c"].tolist()) == ([0, 7, 0], [False, True, False])
    with pytest.raises(ValueError, match="zip"):
        fitted_columns("ab", np.array([1]), 3, np.array([0.5]))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (([1], ["G"], [1], [1]), "unknown 'G'; use u, g, r"),
        (([1], ["g"], [1], [1], ["limit"]), "unknown 'limit'; use detection"),
        (([1, 2], ["g"], [1], [1]), "one value for each point"),
        (([1], ["g"], [1], [1], []), "one value for each point"),
    ],
)
def test_a_light_curve_with_unknown_names_or_unequal_lengths_is_refused(values, message):
    with pytest.raises(UsageError, match=message):
        one_light_curve(*values)


def test_conditions_are_false_where_unknown_but_an_unknown_neighbour_leaves_a_position_empty():
    nan = np.array([np.nan])
    assert is_solar_system(np.array([None, "known"], object)).tolist() == [False, True]
    assert is_listed(np.array([None, "EA", ""], object)).tolist() == [False, True, True]
    assert is_empty_position(nan, nan, nan, 1.5).tolist() == [True]
    assert is_empty_position(np.array([1.4]), nan, nan, 1.5).tolist() == [False]
    assert is_empty_position(nan, np.array([20.0]), nan, 1.5).tolist() == [False]


def test_a_reference_source_without_distance_counts():
    assert np.isfinite(reference_flux([18.0], [np.nan], 1.5)).all()
    assert np.isnan(reference_flux([18.0, np.nan], [1.6, 0.1], 1.5)).all()


def test_points_of_a_visit_and_band_become_one():
    times = [0.0, 0.004, 0.009, 0.011, 0.3, 0.301]
    curve = one_light_curve(times, ["r", "r", "g", "r", "r", "r"], [1.0, 3.0, 7.0, 8.0, 2.0, np.nan],
                            [1.0, 1.0, 1.0, 2.0, 1.0, 1.0], ["forced", "detection", "forced", "forced", "forced",
                                                             "forced"])  # fmt: skip
    visits = averaged(curve, 0.01)
    assert [BANDS[b] for b in visits.band] == ["r", "g", "r", "r"]
    assert visits.mjd.tolist() == pytest.approx([0.002, 0.009, 0.011, 0.3])
    assert visits.flux.tolist() == [2.0, 7.0, 8.0, 2.0] and (visits.kind == DETECTION).tolist() == [True] + [False] * 3
    assert visits.flux_err.tolist() == pytest.approx([0.5**0.5, 1.0, 2.0, 1.0])


@given(CURVES)
def test_averaging_keeps_the_curves_apart_and_the_weighted_mean(alerts):
    curve = light_curves(alerts)
    visits = averaged(curve, 1.5)
    assert len(visits) == len(curve)
    for before, after in zip(curve, visits, strict=True):
        for band in range(len(BANDS)):
            old, new = before.kept(before.band == band), after.kept(after.band == band)
            known_flux = old.flux[np.isfinite(old.flux)].astype(np.float64)
            assert np.sum(new.flux / new.flux_err**2) == pytest.approx(known_flux.sum(), abs=1e-4)
            assert np.sum(new.flux_err**-2.0) == pytest.approx(len(known_flux))
        assert (np.diff(after.mjd) >= 0).all()
