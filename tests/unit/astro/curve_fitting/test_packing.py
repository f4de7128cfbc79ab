"""Preparation of the points of a curve, against numpy."""

from __future__ import annotations

import numpy as np
import pytest

from redpoll.astro.curve_fitting import packing
from redpoll.astro.curve_fitting.workspace import (
    FILLED,
    FLUX,
    FREQUENCY,
    GROUP_FLUX,
    GROUP_WEIGHT,
    STRIDE,
    TIME,
    WEIGHT,
    FitPoints,
    new_room,
)


def _points(n, seed=1, n_groups=2):
    rng, data = np.random.default_rng(seed), np.zeros((n, 5))
    data[:, TIME], data[:, FLUX] = np.sort(rng.uniform(0, 30, n)), rng.normal(3, 2, n)
    group = rng.integers(0, n_groups, n)
    data[:, WEIGHT], data[:, FREQUENCY] = rng.uniform(0.1, 4, n), 0.5 + 0.1 * group
    return data, group


def test_points_count_whose_numbers_are_finite_and_whose_error_is_positive(runnable):
    columns = np.array([
        (1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 2, np.inf, 4, 5, 6, 7, 8, 9), (1, 2, 3, np.nan, 5, 6, 7, 8, 9),
        (1, 2, 3, 4, np.inf, 0, 7, 8, -9), (1, 2, 3, 4, 5, 6, 7, 8, 9),
    ], float)  # fmt: skip
    columns[0, 1] = np.nan
    group, data, kinds = np.array([5, 1, 1, 1, 1, 1, -1, 0, 1]), np.zeros((9, 5)), np.zeros(9, np.int64)
    mjd, flux, err, frequency = columns[[0, 1, 3, 4]]
    err = np.array([0.5, 1, 1, np.nan, np.inf, 0, 1, 2, -1])
    n = runnable(packing.copy_known)(mjd, flux, err, frequency, group, 0, 9, data, kinds)
    assert data[:n, :4].tolist() == [[1, 1, 0.5, 1], [8, 8, 2, 8]] and kinds[:n].tolist() == [5, 0]
    assert runnable(packing.copy_known)(mjd, flux, err, frequency, group, 1, 7, data, kinds) == 0


@pytest.mark.parametrize("n", [0, 1, 2, 5, 40, 900])
def test_points_are_sorted_by_time_from_the_first_on(n, runnable):
    data, group = _points(n)
    order = np.random.default_rng(2).permutation(n)
    mixed, mixed_group = data[order] + [60_000, 0, 0, 0, 0], group[order].copy()
    origin = runnable(packing.sort_points)(n, mixed, mixed_group)
    assert origin == pytest.approx(60_000 + data[0, TIME] if n else 0.0, abs=1e-9)
    assert mixed[:, TIME] == pytest.approx(data[:, TIME] - data[:1, TIME], abs=1e-9)
    np.testing.assert_array_equal(mixed[:, 1:], data[:, 1:])
    np.testing.assert_array_equal(mixed_group, group)


def test_the_largest_flux_is_the_unit_of_fluxes_and_errors(runnable):
    data = np.array([[0.0, -8.0, 2.0, 1.0, 0.0], [1.0, 4.0, 16.0, 1.0, 0.0]])
    assert runnable(packing.scale_flux)(0, 2, data) == 8.0
    assert data[:, FLUX].tolist() == [-1.0, 0.5] and data[:, WEIGHT].tolist() == [16.0, 0.25]
    data = np.array([[0.0, -8.0, 2.0, 1.0, 0.0], [1.0, 4.0, 16.0, 1.0, 0.0]])
    assert runnable(packing.scale_flux)(1, 2, data) == -8.0 and data[:, FLUX].tolist() == [1.0, -0.5]


@pytest.mark.parametrize("flux, weight, is_negative", [
    ([1.0, -1.0], [9.1, 9.0], False), ([-1.0, 1.0], [9.1, 9.0], True),  # only the first is significant
    ([1.0, -1.0], [9.1, 10.0], True), ([-0.5, 1.0], [40.0, 9.1], True),  # chi2 of 10 and 9.1
    ([1.0, -1.0], [8.0, 9.0], True), ([-1.0, 1.0], [8.0, 9.0], False),  # the mean
    ([1.0, -1.0, -0.9], [9.0, 4.0, 6.0], True), ([0.0], [1.0], False), ([1.0, -1.0], [20.0, 20.0], False),
    ([0.5, -1.0], [40.0, 20.0], True), ([0.5, -0.5, 0.1, -0.1], [40.0, 40.0, 9.0, 10.0], True),
])  # fmt: skip
def test_significant_points_decide_the_sign(flux, weight, is_negative, runnable):
    data = np.zeros((len(flux), 5))
    data[:, FLUX], data[:, WEIGHT] = flux, weight
    assert runnable(packing._is_negative)(len(flux), data) == is_negative


@pytest.mark.parametrize("has_groups, named, labels, numbers", [
    (1, [0, 1, 0, 2, 1], [4, 2, 0], (3, 3)), (0, [0] * 5, [0, 2, 0], (3, 1)),
])  # fmt: skip
def test_bands_are_numbered_as_they_come(has_groups, named, labels, numbers, runnable):
    group, found = np.array([4, 2, 4, 0, 2, 9]), np.full(6, -1)
    assert runnable(packing.name_groups)(has_groups, 5, group, found) == numbers
    assert group.tolist() == [*named, 9] and found[:3].tolist() == labels


@pytest.mark.parametrize("has_baseline", [0, 1])
def test_baselines_are_the_mean_of_each_group(has_baseline, runnable):
    data, group = _points(20)
    flux, weight, sums = data[:, FLUX].copy(), data[:, WEIGHT], np.full((12, 3), 7.0)
    chi2 = runnable(packing.centre_flux)(has_baseline, FitPoints(data, group, 3), sums)
    means = [np.average(flux[group == g], weights=weight[group == g]) for g in (0, 1)] + [0.0]
    assert sums[GROUP_FLUX] == pytest.approx(means)
    assert sums[GROUP_WEIGHT] == pytest.approx(np.bincount(group, weight, 3))
    assert data[:, FLUX] == pytest.approx(flux - has_baseline * np.take(means, group))
    assert chi2 == pytest.approx(np.sum(weight * data[:, FLUX] ** 2))


def _slow_bins(data, group, n_few):
    """Lists of points: the last bin of its band takes a point unless half of it exceeds one."""
    n, signal = len(data), np.minimum(data[:, WEIGHT] * data[:, FLUX] ** 2, 25.0)
    fraction = 0.5 * n_few / n * (1 + (signal * n / signal.sum() if signal.any() else np.ones(n)))
    bins, last, filled = [], {}, {}
    for i in range(n):
        key = (group[i], data[i, FREQUENCY])
        if key not in last or filled[key] + 0.5 * fraction[i] > 1.0:
            bins.append([])
            last[key], filled[key] = bins[-1], 0.0
        last[key].append(i)
        filled[key] += fraction[i]
    return bins, fraction


@pytest.mark.parametrize("is_dark", [False, True])
@pytest.mark.parametrize("n_few", [1, 10, 25])
def test_bins_are_weighted_means_of_points_of_a_band(n_few, is_dark, runnable):
    data, group = _points(60)
    data[3:20, WEIGHT] = 400.0
    data[25:35, FREQUENCY] = 0.9
    data[:, FLUX] *= not is_dark
    space = FitPoints(np.concatenate([data, np.full((60, 5), np.nan)]), np.append(group, np.full(60, -1)), 2)
    n_bins = runnable(packing.bin_points)(60, n_few, space)
    bins, fraction = _slow_bins(data, group, n_few)
    assert n_bins == len(bins)
    for k, one in enumerate(bins):
        weight = data[one, WEIGHT]
        expected = [np.average(data[one, TIME], weights=weight), np.average(data[one, FLUX], weights=weight),
                    weight.sum(), data[one[0], FREQUENCY], fraction[one].sum()]  # fmt: skip
        found = space.data[60 + k, [TIME, FLUX, WEIGHT, FREQUENCY, FILLED]]
        assert found == pytest.approx(expected, abs=1e-12) and space.group[60 + k] == group[one[0]]


def test_a_bin_that_is_exactly_full_takes_the_point(runnable):
    """Of two equal points each is a half of the first bin of one, and a third has room for a half of itself only."""
    data = np.array([[float(i), 1.0, 1.0, 0.5, 0.0] for i in range(4)] + [[np.nan] * 5] * 4)
    space = FitPoints(data, np.zeros(8, np.int64), 1)
    assert runnable(packing.bin_points)(4, 2, space) == 2
    assert data[4:6, TIME].tolist() == [0.5, 2.5] and data[4:6, FILLED].tolist() == [1.0, 1.0]
    assert runnable(packing.bin_points)(2, 2, FitPoints(data[2:].copy(), np.zeros(8, np.int64), 1)) == 2
    wide = np.array([[float(i), 1.0, 1.0, 0.5, 0.0] for i in range(3)] + [[np.nan] * 5] * 3)
    assert runnable(packing.bin_points)(3, 2, FitPoints(wide, np.zeros(6, np.int64), 1)) == 2
    assert wide[3:5, TIME].tolist() == [0.5, 2.0]


def test_packed_points_are_by_group_and_filled_up_to_eight(runnable):
    data, group = _points(21, n_groups=2)
    room = new_room(3, 1)
    curve = runnable(packing.pack)(FitPoints(data, group, 3), room)
    rows = curve.rows.reshape(-1, STRIDE)
    bounds = [0]
    for g in (0, 1):
        one = data[group == g]
        start, n = bounds[-1], len(one)
        bounds.append(start + -(-n // 8) * 8)
        np.testing.assert_array_equal(rows[:4, start : start + n].T, one[:, :4])
        padding = rows[:4, start + n : bounds[-1]].T
        assert (padding == one[-1, :4] * [1, 1, 0, 1]).all() and WEIGHT == 2
    assert curve.bounds.tolist() == [*bounds, bounds[-1]] and (curve.n, curve.n_groups) == (bounds[-1], 3)
