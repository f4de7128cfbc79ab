"""A curve's periods depend on that curve alone, not on the order of its points nor the units of its values."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from redpoll.astro.damped_random_walk import damped_random_walk_fit
from redpoll.astro.periods import multiband_periods

points = st.tuples(
    st.floats(58_000, 58_100), st.floats(-1e5, 1e5) | st.just(np.nan), st.floats(1e-2, 1e2), st.integers(-1, 6)
)
curves = st.lists(st.lists(points, max_size=40), max_size=5)


def _arrays(some_curves):
    flat = np.array([p for curve in some_curves for p in sorted(curve)]).reshape(-1, 4)
    return *flat.T.copy(), np.cumsum([0, *map(len, some_curves)])


def _rows(found, n):
    return np.concatenate([np.asarray(x, float).reshape(n, -1) for x in found], axis=1) if n else np.empty((0, 0))


@settings(max_examples=40)
@given(curves)
def test_a_batch_of_periods_is_its_curves_one_by_one(some_curves):
    def rows(these):
        return _rows(multiband_periods(*_arrays(these), shortest=0.5), len(these))

    alone = [rows([curve]) for curve in some_curves]
    np.testing.assert_array_equal(rows(some_curves), np.concatenate(alone) if alone else np.empty((0, 0)))


@settings(max_examples=40)
@given(curves)
def test_powers_are_fractions_and_nothing_is_infinite(some_curves):
    found = multiband_periods(*_arrays(some_curves), shortest=0.5)
    assert not any(np.isinf(x).any() for x in found)
    for power in (found.power, found.second_power, found.alias_power, found.window_power):
        assert not ((power < -1e-9) | (power > 1 + 1e-9)).any()
    assert not (found.log10_fap > 1e-9).any()


@settings(max_examples=40)
@given(st.integers(0, 99), st.floats(1e-3, 1e3))
def test_order_and_unit_do_not_matter(seed, unit):
    rng = np.random.default_rng(seed)
    t, band, err = rng.uniform(0, 60, 40), rng.integers(1, 3, 40), rng.uniform(0.1, 0.3, 40)
    y = 3 * np.sin(7 * t) + err * rng.normal(size=40)
    one = multiband_periods(t, y, err, band, [0, 40], shortest=0.3)
    p = rng.permutation(40)
    other = multiband_periods(t[p], y[p] * unit, err[p] * unit, band[p], [0, 40], shortest=0.3)
    assert np.abs(other.period - one.period) < 1e-3 * one.period_err  # peaks are compared in single precision
    np.testing.assert_allclose(other.amplitude, one.amplitude * unit, rtol=1e-5)
    np.testing.assert_allclose(other.log10_fap, one.log10_fap, atol=1e-3)


@settings(max_examples=40)
@given(curves)
def test_a_batch_of_walks_is_its_curves_one_by_one(some_curves):
    def rows(these):
        t, y, err, _, offsets = _arrays(these)
        return _rows(damped_random_walk_fit(t, y, err, offsets), len(these))

    alone = [rows([curve]) for curve in some_curves]
    np.testing.assert_array_equal(rows(some_curves), np.concatenate(alone) if alone else np.empty((0, 0)))
    assert not np.isinf(rows(some_curves)).any()
