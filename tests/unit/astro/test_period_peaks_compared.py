"""Which peaks of a period search are compared, and what comes of them, where each peak has a given height."""

from __future__ import annotations

import numpy as np
import pytest

from redpoll.astro import period_peaks
from redpoll.astro.periods import multiband_periods

START, STEP, LENGTH = 0.01, 0.005, 29.5
"""Grid [1/d] of the powers, and length of the curve [d]: peaks less than 0.0508 apart are one."""
COLUMNS = ("period", "err", "power", "second", "second_power", "alias", "alias_power")


@pytest.fixture
def compared(runnable, monkeypatch):
    """``compared(peaks, heights)``: frequencies that are fitted, and the answer; ``peaks`` are those of the grid."""

    def run(peaks, heights=None, visits=20.0, free=10, chi2=50.0, bend=2000.0):
        power, fitted = np.zeros(800), []
        for frequency, height in peaks.items():
            power[round((frequency - START) / STEP)] = height
        by_frequency = peaks | (heights or {})

        def fine_peak(_curve, n_harmonics, f):
            assert n_harmonics == 2
            fitted.append(round(float(f), 6))
            return f, by_frequency.get(round(float(f), 6), 0.0), bend

        compare = runnable(period_peaks._compare)
        monkeypatch.setitem(compare.__globals__["_add_peak"].__globals__, "_fine_peak", fine_peak)
        out = np.full(period_peaks.N_NUMBERS, np.nan)
        out[period_peaks._VISITS], out[period_peaks._FREE] = visits, free
        top = runnable(period_peaks._highest_peaks)(power)
        compare((None, None, None, None, STEP / period_peaks.HALF, chi2), power, top, START, LENGTH, out)
        return fitted, dict(zip(COLUMNS, out[:7].tolist(), strict=True))

    return run


def test_the_highest_peaks_are_fitted_and_half_the_frequency_of_four(compared):
    """A half below the grid is not; peaks of less than 0.6 of the highest are not; a daily alias is, once."""
    peaks = {0.9: 1.0, 0.02: 0.95, 0.7: 0.9, 0.5: 0.85, 0.4: 0.8, 0.3: 0.6, 0.2: 0.59}
    fitted, found = compared(peaks)
    assert fitted[:8] == [0.9, 0.45, 0.02, 0.7, 0.35, 0.5, 0.25, 0.4]
    assert fitted[8] == 0.3 and len(fitted) == 9 + (not np.isnan(found["alias"]))
    assert found["period"] == pytest.approx(1 / 0.9) and found["power"] == 1.0


def test_half_of_the_fifth_highest_peak_is_not_fitted(compared):
    peaks = {0.9: 1.0, 0.8: 0.95, 0.7: 0.9, 0.6: 0.85, 0.5: 0.8}
    fitted, _ = compared(peaks)
    assert [round(0.5 * f, 6) in fitted for f in peaks] == [True] * 4 + [False]
    fitted, _ = compared({0.03: 1.0, 0.9: 0.9})
    assert fitted[:2] == [0.03, 0.015]


def test_the_period_of_twice_the_frequency_found_may_be_the_best(compared):
    """Two waves at half of the frequency of a peak of one."""
    _, found = compared({0.9: 1.0}, {0.9: 0.5, 0.45: 0.9})
    assert found["period"] == pytest.approx(1 / 0.45) and found["power"] == 0.9
    assert found["second_power"] != 0.5  # twice the frequency


@pytest.mark.parametrize("other, is_second", [(0.95, False), (0.955, True), (0.85, False), (0.845, True)])
def test_peaks_are_different_if_one_and_a_half_cycles_apart(other, is_second, compared):
    _, found = compared({0.9: 1.0, other: 0.9}, {0.45: 0.1, other / 2: 0.1})
    assert (found["second_power"] == 0.9) == is_second
    if is_second:
        assert found["second"] == pytest.approx(1 / other)


def test_the_alias_is_of_the_best_period(compared):
    """Of the highest peak, or of another one that two harmonics prefer; it is fitted once."""
    fitted, found = compared({0.9: 1.0, 0.1: 0.7})
    assert found["alias"] == pytest.approx(1 / 0.1) and found["alias_power"] == 0.7
    fitted, found = compared({0.9: 1.0, 0.65: 0.95, 0.1: 0.3, 0.35: 0.4}, {0.9: 0.5, 0.65: 0.99})
    assert found["period"] == pytest.approx(1 / 0.65) and found["alias"] == pytest.approx(1 / 0.35)
    assert found["alias_power"] == 0.4 and fitted[-2:] == [0.1, 0.35]
    fitted, found = compared({0.9: 1.0, 0.1: 0.3})
    assert fitted == [0.9, 0.45, 0.1] and found["alias_power"] == 0.3


def test_without_another_peak_there_is_neither_second_nor_alias(compared):
    fitted, found = compared({0.015 + 0.005: 1.0}, {0.02: 0.8})
    assert fitted[0] == 0.02 and found["power"] == 0.8
    assert np.isnan([found["second"], found["second_power"], found["alias"], found["alias_power"]]).all()


@pytest.mark.parametrize("chi2, free, variance", [(50.0, 10, 0.02), (500.0, 10, 0.01), (50.0, 4, 0.025)])
def test_the_error_is_from_the_curvature_and_the_errors_or_the_scatter(chi2, free, variance, compared):
    _, found = compared({0.8: 0.9, 0.3: 0.7}, {}, chi2=chi2, free=free)
    assert found["err"] == pytest.approx(np.sqrt(2 * variance / 2000.0) / 0.8**2)
    _, flat = compared({0.8: 0.9, 0.3: 0.7}, {}, bend=0.0)
    assert np.isnan(flat["err"]) and flat["power"] == 0.9


def test_the_top_is_the_highest_of_three(runnable, monkeypatch):
    """Of one harmonic, made finer."""
    top, asked = runnable(period_peaks._top), []

    def fine_peak(_curve, n_harmonics, f):
        asked.append((n_harmonics, round(f, 6)))
        return f, 0.1 * len(asked), 1.0

    monkeypatch.setitem(top.__globals__, "_fine_peak", fine_peak)
    one = (None, None, None, None, STEP / period_peaks.HALF, 1.0)
    assert top(one, np.array([4, 7, 2, 9]), START) == pytest.approx(0.3)
    assert asked == [(1, 0.03), (1, 0.045), (1, 0.02)]
    assert top(one, np.array([4]), START) == pytest.approx(0.4)


def test_the_alias_may_be_the_first_frequency_of_the_grid(compared):
    _, found = compared({0.99: 1.0, 0.01: 0.7})
    assert found["alias"] == pytest.approx(1 / 0.01) and found["alias_power"] == 0.7
    _, found = compared({0.7: 1.0, 0.99: 0.95, 0.01: 0.5}, {0.7: 0.4})
    assert found["period"] == pytest.approx(1 / 0.99) and found["alias"] == pytest.approx(1 / 0.01)


def test_of_equal_peaks_the_first_is_the_best(runnable):
    assert runnable(period_peaks._simplest)(np.array([(1.0, 0.9, 1.0), (3.1, 0.9, 1.0)]), 0.1, 10.0) == 0


@pytest.mark.parametrize("f, powers, top", [
    (1.0, {5: 3.0, 4: 1.0, 6: 2.0}, (0.84 + 0.051666667, 3.0416667 / 20, 0.15 / 1e-4)),
    (1.0, {5: 3.0, 4: 2.0, 6: 1.0}, (0.84 + 0.048333333, 3.0416667 / 20, 0.15 / 1e-4)),
    (1.0, {5: 3.0, 9: 3.0}, (0.89, 0.15, 0.3 / 1e-4)), (1.0, {5: 19.9, 6: 19.8}, (0.89495, 1.0, 1.0 / 1e-4)),
    (0.2, {5: 3.0}, (0.15, 0.15, 0.3 / 1e-4)), (1.0, {0: 3.0, 1: 2.0}, (0.84, 0.15, 0.0)),
    (1.0, {31: 3.0}, (1.15, 0.15, 0.0)), (1.0, {0: 22.0}, (0.84, 1.0, 0.0)),
    (1.0, {1: 3.0}, (0.85, 0.15, 0.3 / 1e-4)), (1.0, {30: 3.0}, (1.14, 0.15, 0.3 / 1e-4)),
])  # fmt: skip
def test_the_top_of_a_peak_is_that_of_a_parabola(f, powers, top, runnable, monkeypatch):
    """From 16 steps below to 15 above, but not below half of the frequency; at an end of these it has no curvature."""
    fine_peak = runnable(period_peaks._fine_peak)

    def add_gains(_points, _inner, _weights, n_harmonics, grid, _near, power):
        assert n_harmonics == 2 and grid == (pytest.approx(max(f - 0.16, f / 2)), 0.01) and len(power) == 32
        power[:] = 0.0
        for k, value in powers.items():
            power[k] = value

    monkeypatch.setitem(fine_peak.__globals__, "add_gains", add_gains)
    assert fine_peak((None, None, None, None, 0.01, 20.0), 2, f) == pytest.approx(top, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("t, y", [(np.full(12, 5.0), np.arange(12.0)), (np.arange(12.0), np.ones(12))])
def test_a_curve_without_duration_or_variation_is_not_searched(t, y):
    found = multiband_periods(t, y, np.ones(12), np.ones(12), [0, 12], shortest=1.0)
    assert np.isnan(found.period[0]) and found.n_frequencies[0] == 0


def test_the_best_peak_may_have_no_alias_where_the_highest_has_one(compared):
    """The highest of one harmonic is then the second."""
    _, found = compared({0.9: 1.0, 0.33: 0.95, 0.1: 0.7}, {0.9: 0.8, 0.1: 0.2})
    assert found["period"] == pytest.approx(1 / 0.33)
    assert found["second"] == pytest.approx(1 / 0.9) and found["second_power"] == 0.8
    assert np.isnan([found["alias"], found["alias_power"]]).all()


def test_no_curves_have_no_periods():
    assert multiband_periods([], [], [], [], [0]).period.shape == (0,)


def test_two_curves_have_all_of_their_bands():
    rng = np.random.default_rng(5)
    t, band = np.sort(rng.uniform(0, 12, 16)), np.arange(16) % 2 * 5  # u and y
    y = np.sin(2 * np.pi * t / 0.9) + 0.2 * rng.normal(size=16)
    alone = multiband_periods(t, y, np.full(16, 0.2), band, [0, 16], shortest=0.5)
    both = [np.tile(x, 2) for x in (t, y, np.full(16, 0.2), band)]
    found = multiband_periods(*both, [0, 16, 32], shortest=0.5)
    assert found.period.tolist() == alone.period.tolist() * 2 and found.power.tolist() == alone.power.tolist() * 2


def test_short_curves_and_large_errors_are_searched():
    rng = np.random.default_rng(6)
    t = np.sort(rng.uniform(0, 0.8, 16))
    assert multiband_periods(t, np.sin(30 * t), np.full(16, 0.1), np.ones(16), [0, 16]).n_frequencies[0] > 30
    t = np.sort(rng.uniform(0, 9, 16))
    found = multiband_periods(t, np.sin(7 * t), np.full(16, 1e3), np.ones(16), [0, 16], shortest=0.5)
    assert found.period[0] == pytest.approx(2 * np.pi / 7, rel=0.05)


def test_the_twelfth_highest_peak_is_found_wherever_it_is(runnable):
    find = runnable(period_peaks._highest_peaks)
    for seed in range(20):
        power = np.random.default_rng(seed).permutation(60) + 1.0
        padded = np.concatenate([[0], power, [0]])
        peaks = np.flatnonzero((power > padded[:-2]) & (power > padded[2:]))
        assert find(power).tolist() == sorted(peaks, key=lambda i: -power[i])[:12]


def test_points_exactly_a_fiftieth_of_a_day_apart_are_one_visit(runnable):
    assert runnable(period_peaks._visits)(np.array([0.0, 0.02]), np.array([0, 2])) == 1
