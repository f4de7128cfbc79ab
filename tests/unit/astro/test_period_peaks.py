"""Peaks of a period search: against numpy's least squares and slow searches."""

from __future__ import annotations

import numpy as np
import pytest

from redpoll.astro import period_peaks
from redpoll.astro.periods import log10_false_alarm, multiband_periods


def _sine(period, n=24, days=20.0, noise=0.3, seed=1, shape=0.0):
    rng = np.random.default_rng(seed)
    t, band = 60_000 + np.sort(rng.uniform(0, days, n)), np.arange(n) % 2 + 1
    phase = 2 * np.pi * t / period
    err = rng.uniform(0.2, 0.4, n)
    return t, 0.5 * band + np.sin(phase) + shape * np.sin(2 * phase) + noise * rng.normal(size=n), err, band


def _normalised(t, y, err, band):
    """In units of the standard deviation of each band, a fifth added to the errors."""
    value, total = np.empty(len(t)), np.empty(len(t))
    for b in np.unique(band):
        one = band == b
        mean = np.average(y[one], weights=err[one] ** -2)
        deviation = np.sqrt(np.sum((y[one] - mean) ** 2) / (one.sum() - 1))
        value[one], total[one] = (y[one] - mean) / deviation, np.hypot(err[one] / deviation, 0.2)
    return value, total


def _power(t, y, err, band, frequency, n_harmonics=2):
    value, error = _normalised(t, y, err, band)
    means = (band[:, None] == np.unique(band)).astype(float)
    angles = 2 * np.pi * frequency * (t - t.mean())[:, None] * np.arange(1, n_harmonics + 1)
    rest = []
    for columns in (means, np.hstack([means, np.cos(angles), np.sin(angles)])):
        a, b = columns / error[:, None], value / error
        rest.append(np.sum((b - a @ np.linalg.lstsq(a, b)[0]) ** 2))
    return 1 - rest[1] / rest[0], rest[0]


@pytest.mark.parametrize("period, shape", [(0.9, 0.0), (2.3, 0.5), (0.61, 1.5)])
def test_numbers_of_the_best_peak_are_those_of_least_squares(period, shape):
    points = _sine(period, shape=shape)
    t, band = points[0], points[3]
    found = multiband_periods(*points, [0, 24], shortest=0.3)
    f, step = 1 / found.period[0], 1e-4
    below, at, above = (_power(*points, f + k * step)[0] for k in (-1, 0, 1))
    bend = (2 * at - below - above) / step**2
    assert found.period[0] == pytest.approx(period, rel=0.02) and found.power[0] == pytest.approx(at, abs=1e-4)
    assert abs(above - below) / (2 * step * bend) < 2e-4  # the top of the peak
    error = np.sqrt(2 * max(1 / _power(*points, f)[1], (1 - at) / (24 - 2 - 4)) / bend) / f**2
    assert found.period_err[0] == pytest.approx(error, rel=0.03)
    assert found.window_power[0] == pytest.approx(np.abs(np.exp(2j * np.pi * f * (t - t.mean())).mean()) ** 2)
    for name in ("second", "alias"):
        other = _power(*points, 1 / getattr(found, f"{name}_period")[0])[0]
        assert getattr(found, f"{name}_power")[0] == pytest.approx(other, abs=2e-4)
    length = np.ptp(t)
    assert found.n_frequencies[0] == np.floor((1 / 0.3 - 0.5 / length) * 3 * length) + 1
    grid = (0.5 + np.arange(16 * found.n_frequencies[0]) / 48) / length
    value, error = _normalised(*points)
    for b in (1, 2):
        value[band == b] -= np.average(value[band == b], weights=error[band == b] ** -2)
    variance = np.average((t - np.average(t, weights=error**-2)) ** 2, weights=error**-2)
    width = np.sqrt(4 * np.pi * variance) * found.n_frequencies[0] / (3 * length)
    top = max(_power_as_one(t, value, error, f) for f in grid)
    assert found.log10_fap[0] == pytest.approx(log10_false_alarm(top, width, 2, 24 - 2 - 4 + 2), abs=0.02)


def _power_as_one(t, value, error, frequency):
    angle = 2 * np.pi * frequency * (t - t.mean())
    columns, b = np.stack([np.ones(len(t)), np.cos(angle), np.sin(angle)], axis=1) / error[:, None], value / error
    return 1 - np.sum((b - columns @ np.linalg.lstsq(columns, b)[0]) ** 2) / np.sum(b**2)


def test_a_curve_that_is_not_searched_does_not_end_the_search():
    """And the last band is searched as well as the first."""
    t, y, err, band = _sine(0.9)
    alone = multiband_periods(t, y, err, band, [0, 24], shortest=0.3)
    last = multiband_periods(t, y, err, band + 3, [0, 24], shortest=0.3)
    after = multiband_periods(t, y, err, band, [0, 0, 24], shortest=0.3)
    assert alone.period[0] == last.period[0] == after.period[1] and np.isnan(after.period[0])


@pytest.mark.parametrize("n, is_searched", [(6, False), (7, True)])
def test_one_point_more_than_coefficients_is_searched(n, is_searched):
    """A mean in each of two bands and two harmonics."""
    points = _sine(0.9, n=n)
    assert np.isfinite(multiband_periods(*points, [0, n], shortest=0.5).period[0]) == is_searched


def test_three_frequencies_are_searched_and_no_fewer_or_too_many():
    """At 0.5, 5/6, 7/6, ... of a cycle in all."""
    _, y, err, band = _sine(0.9, n=20)
    t = np.linspace(0, 16, 20)
    for cycles, n in ((1.0, 0), (1.16, 0), (1.17, 3), (1.5, 4)):
        found = multiband_periods(t, y, err, band, [0, 20], shortest=16 / cycles)
        assert found.n_frequencies[0] == n and np.isfinite(found.period[0]) == (n > 0)
    for largest, n in ((4, 4), (3, 0)):
        found = multiband_periods(t, y, err, band, [0, 20], shortest=16 / 1.5, max_frequencies=largest)
        assert found.n_frequencies[0] == n


def test_a_peak_is_higher_than_the_next_power(runnable):
    is_peak = runnable(period_peaks._is_peak)
    power = np.array([2.0, 1.0, 3.0, 3.0, 1.0, 1.0, 2.0])
    assert [is_peak(power, i) for i in range(7)] == [True, False, False, True, False, False, True]


@pytest.mark.parametrize("n", [1, 3, 10, 200])
def test_the_twelve_highest_peaks_are_found(n, runnable):
    power = np.random.default_rng(n).permutation(n) + 1.0
    padded = np.concatenate([[0], power, [0]])
    is_peak = (power > padded[:-2]) & (power > padded[2:])
    slow = sorted(np.flatnonzero(is_peak), key=lambda i: -power[i])[:12]
    find = runnable(period_peaks._highest_peaks)
    assert find(power).tolist() == slow
    assert find(np.zeros(5)).tolist() == [4]


@pytest.mark.parametrize("f", [0.3, 0.52, 0.9, 1.03, 1.4, 2.6])
def test_the_daily_alias_is_the_highest_peak_near_it(f, runnable):
    find, (start, step, apart) = runnable(period_peaks._daily_alias), (0.05, 0.011, 0.07)
    for seed in range(20):
        power = np.random.default_rng(seed).uniform(0, 1, 250)
        frequency = start + step * np.arange(250)
        padded = np.concatenate([[0], power, [0]])
        is_peak = (power >= padded[:-2]) & (power > padded[2:]) & (np.abs(frequency - f) > apart)
        aliases = [s * f + k * day for s in (-1, 1) for k in (-2, -1, 1, 2) for day in (1.0, 1.0027379093)]
        near = np.min([np.abs(frequency - alias) for alias in aliases], axis=0) <= apart
        candidates = np.flatnonzero(is_peak & near)
        assert find(power, start, step, f, apart) == candidates[power[candidates].argmax()]
    assert find(np.ones(4), 50.0, 0.01, f, 0.07) == -1


@pytest.mark.parametrize("others, visits, best", [
    ([(2.0, 0.88)], 10.0, 1), ([(2.0, 0.88)], 60.0, 0), ([(2.0, 0.88), (2.05, 0.89), (1.97, 0.87)], 10.0, 2),
    ([(2.12, 0.88)], 10.0, 1), ([(2.125, 0.88)], 10.0, 0), ([(1.875, 0.88)], 10.0, 0), ([(0.5, 0.89)], 10.0, 0),
    ([(3.0, 0.95)], 10.0, 1), ([(2.0, 0.88)], 0.0, 1), ([(2.0, 0.1)], -3.0, 1), ([(1.5, 0.9)], 10.0, 0),
    ([(2.0, 0.88)], 50.0, 1), ([(2.0, 0.88)], 51.0, 0),  # ln 1.2 / ln 10 = 0.0792 times half of the visits is 2
])  # fmt: skip
def test_the_simplest_peak_is_the_highest_or_one_of_twice_its_frequency(others, visits, best, runnable):
    peaks = np.array([(1.0, 0.9, 1.0), *((*other, 1.0) for other in others)])
    assert runnable(period_peaks._simplest)(peaks, 0.125, visits) == best


def test_limits_of_the_simplest_peak(runnable):
    simplest = runnable(period_peaks._simplest)
    for frequency, apart, best in ((1.25, 5.0, 0), (1.24, 5.0, 1), (1.24, 0.2, 0)):  # within half of 0.5
        assert simplest(np.array([(0.5, 0.9, 1.0), (frequency, 0.89, 1.0)]), apart, 1.0) == best
    for rest, best in ((0.95e-11, 1), (1.05e-11, 0)):  # a perfect fit has 1e-15 left: 10**4 in one visit
        assert simplest(np.array([(1.0, 1.0, 1.0), (2.0, 1.0 - rest, 1.0)]), 0.1, 1.0) == best
    assert simplest(np.array([(1.0, 1.0, 1.0), (2.0, 1.0, 1.0)]), 0.1, 200.0) == 1
    assert simplest(np.array([(1.0, 1.0, 1.0), (2.0, 0.5, 1.0)]), 0.1, 0.0) == 1
    assert simplest(np.array([(1.0, 0.75, 1.0), (2.0, 0.25, 1.0)]), 0.1, 4 / np.log10(3)) == 0


@pytest.mark.parametrize("other, second", [
    (1.0, -1), (1.125, -1), (0.875, -1), (1.13, 0), (0.87, 0), (2.0, -1), (2.25, -1), (1.75, -1), (2.26, 0), (1.74, 0),
    (0.5, -1), (0.5625, -1), (0.4375, -1), (0.57, 0), (0.43, 0), (3.0, 0),
])  # fmt: skip
def test_the_second_peak_is_at_another_frequency_and_not_at_its_half_or_twice(other, second, runnable):
    find = runnable(period_peaks._second)
    assert find(np.array([(other, 0.5, 1.0)]), 1.0, 0.125) == second
    assert find(np.array([(3.0, 0.4, 1.0), (other, 0.5, 1.0), (3.3, 0.45, 1.0)]), 1.0, 0.125) == (2 if second else 1)
    assert find(np.array([(3.0, 0.5, 1.0), (3.3, 0.5, 1.0)]), 1.0, 0.125) == 0


def test_bands_are_normalised_and_constant_ones_have_no_weight(runnable):
    t, y, err, _ = _sine(0.9)
    y, bounds = np.where(np.arange(24) < 5, 7.0, y), np.array([0, 5, 5, 14, 24])
    w, values, weights = err**-2, np.zeros(24), np.zeros(24)
    runnable(period_peaks._normalise)(t, y, w, bounds, values, weights)
    slow, error = _normalised(t[5:], y[5:], err[5:], np.repeat([1, 2], [9, 10]))
    assert values[5:] == pytest.approx(slow) and weights[5:] == pytest.approx(error**-2)
    assert not values[:5].any() and not weights[:5].any()


def test_points_closer_than_a_fiftieth_of_a_day_are_one_visit(runnable):
    visits = runnable(period_peaks._visits)
    t = np.array([5.0, 1.0, 1.019, 3.0, 3.021, 9.0, 9.0])
    assert visits(t, np.array([0, 2, 7])) == 5 and visits(t, np.array([1, 2])) == 1 and visits(t, np.array([1, 3])) == 1
    assert visits(t, np.array([0, 2])) == 2


def test_points_of_all_bands_as_one_have_weights_of_sum_one(runnable):
    rng = np.random.default_rng(3)
    points = np.array([rng.uniform(-5, 5, 8), rng.normal(size=8), [0.5, 0.3, 0.2, 0, 0.6, 0.4, 0, 0]])
    inner, weights = np.array([0, 4, 4, 8]), np.array([3.0, 0.0, 1.0])
    merged = runnable(period_peaks._merged)(points, inner, weights)
    assert merged[:2].tolist() == points[:2].tolist()
    assert merged[2] == pytest.approx([0.375, 0.225, 0.15, 0, 0.15, 0.1, 0, 0])
    mean = np.average(points[0], weights=merged[2])
    variance = np.average((points[0] - mean) ** 2, weights=merged[2])
    assert runnable(period_peaks._variance_of_times)(merged) == pytest.approx(variance)
    used = points[0][points[2] > 0]
    assert runnable(period_peaks._extent)(points, inner) == pytest.approx((5, 2, np.ptp(used)))
    mean_phase = np.exp(2j * np.pi * 0.3 * used).mean()
    assert runnable(period_peaks._window)(points, 0.3) == pytest.approx(np.abs(mean_phase) ** 2)
