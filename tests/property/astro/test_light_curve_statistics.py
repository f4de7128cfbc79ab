"""A curve's statistics depend on that curve alone, and scale as they should."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from redpoll.astro.light_curve_statistics import FEATURES, light_curve_statistics

values = st.one_of(st.floats(-1e6, 1e6), st.just(np.nan))
points = st.tuples(st.floats(58_000, 62_000), values, st.one_of(st.floats(1e-3, 1e3), st.just(np.nan)))
curves = st.lists(st.lists(points, max_size=80), max_size=6)


def _arrays(some_curves):
    flat = np.array([p for curve in some_curves for p in sorted(curve, key=lambda p: p[0])]).reshape(-1, 3)
    return *flat.T.copy(), np.cumsum([0, *map(len, some_curves)])


@given(curves)
def test_a_batch_is_its_curves_one_by_one(some_curves):
    together = light_curve_statistics(*_arrays(some_curves))
    alone = [light_curve_statistics(*_arrays([curve])) for curve in some_curves]
    np.testing.assert_array_equal(together, np.concatenate([np.empty((0, 26)), *alone]))


@given(curves)
def test_no_statistic_is_infinite(some_curves):
    assert not np.isinf(light_curve_statistics(*_arrays(some_curves))).any()


@given(st.lists(st.floats(10, 20), min_size=2, max_size=90))
def test_order_statistics_stay_within_the_curve(m):
    found = light_curve_statistics(np.arange(len(m)), m, np.ones(len(m)), [0, len(m)])[0]
    by_name = dict(zip(FEATURES, found, strict=True))
    assert min(m) <= by_name["median"] <= max(m) and by_name["median"] == np.median(m)
    assert 0 <= by_name["median_absolute_deviation"] <= by_name["percent_amplitude"] <= 2 * by_name["amplitude"]
    assert by_name["median_absolute_deviation"] == np.median(np.abs(np.array(m) - np.median(m)))
    assert 0 <= by_name["beyond_1_std"] < 1


@settings(deadline=None)
@given(st.integers(4, 50), st.floats(0.1, 100), st.integers(0, 9))
def test_shape_does_not_depend_on_the_unit(n, unit, seed):
    rng = np.random.default_rng(seed)
    t, m, sigma = np.sort(rng.uniform(0, 50, n)), rng.normal(18, 1, n), rng.uniform(0.1, 1, n)
    one, other = (light_curve_statistics(t, m * k, sigma * k, [0, n])[0] for k in (1.0, unit))
    free = ("cusum", "kurtosis", "skew", "chi2", "stetson_k", "anderson_darling_normal", "mean_variance")
    for name in free:
        i = FEATURES.index(name)
        np.testing.assert_allclose(other[i], one[i], rtol=1e-8, atol=1e-9)
