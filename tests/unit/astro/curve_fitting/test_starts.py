"""Starts of a fit, against numpy and slow searches."""

from __future__ import annotations

import math

import numpy as np
import pytest

from redpoll.astro.curve_fitting import packing, projection, starts
from redpoll.astro.curve_fitting.least_squares import set_bounds
from redpoll.astro.curve_fitting.shapes import BAZIN, LENS, LINEXP, PEAK, SIGMOID
from redpoll.astro.curve_fitting.workspace import (
    FLUX,
    FREQUENCY,
    HIGH,
    LOW,
    MAX_Q,
    TIME,
    WEIGHT,
    CurveModel,
    FitPoints,
    new_room,
)

SHAPES = {SIGMOID: 2, BAZIN: 3, LINEXP: 2, LENS: 3, PEAK: 3}
FINE = [0.04, 0.07, 0.13, 0.23, 0.42, 0.75, 1.35, 2.4]


def _model(shape=SIGMOID, temperature=0, has_baseline=0, both=0):
    return CurveModel(shape, temperature, has_baseline, 0, both, 0, SHAPES[shape] + [0, 1, 3][temperature])


def _data(n=14, seed=1):
    rng, data = np.random.default_rng(seed), np.zeros((n, 5))
    data[:, TIME] = np.append(0, np.sort(rng.uniform(0.5, 30, n - 1)))
    data[:, FLUX] = 1 / (1 + np.exp(-(data[:, TIME] - 12) / 2)) + rng.normal(0, 0.1, n)
    data[:, WEIGHT], data[:, FREQUENCY] = rng.uniform(50, 200, n), 0.5
    return data


@pytest.mark.parametrize("shape, k, scale, time", [
    *((shape, 0, s, 3.0) for shape in SHAPES for s in (2.0, -2.0)),
    (SIGMOID, 1, 2.0, 4.0), (SIGMOID, 1, -2.0, 12.0), (BAZIN, 1, 2.0, 8.0), (LENS, 1, -2.0, 8.0),
    (LINEXP, 1, 2.0, 6.0), (LINEXP, 1, -2.0, 10.0), (LINEXP, 2, 2.0, -0.2), (LINEXP, 2, -2.0, 30.2),
    (LINEXP, 2, 0.5, -0.05), (LINEXP, 2, -0.5, 30.05),
    *((LINEXP, k, 2.0, 10 + (k - 4.5) * 2.8 - 2.0) for k in (3, 4, 7)),
    *((shape, k, 2.0, 10 + (k - 4.5) * 2.8) for shape in (SIGMOID, PEAK) for k in (2, 3, 7)),
])  # fmt: skip
def test_reference_times_of_the_grid(shape, k, scale, time, runnable):
    assert runnable(starts._start_time)(shape, k, scale, 3.0, 8.0, 10.0, 4.0, 30.0) == pytest.approx(time)


@pytest.mark.parametrize("temperature", [0, 1])
@pytest.mark.parametrize("shape, scales, others", [
    (SIGMOID, [0.04, 0.15, 0.5, 1.6], [()]), (LINEXP, FINE, [()]),
    (BAZIN, [0.04, 0.15, 0.5, 1.6], [(0.6,), (2.0,), (6.4,), (80.0,)]),
    (PEAK, [0.04, 0.15, 0.5, 1.6], [(0.6,), (2.0,), (6.4,), (80.0,)]),
    (LENS, [0.04, 0.15, 0.5, 1.6], [(0.05,), (0.3,), (0.9,)]),
])  # fmt: skip
def test_each_combination_of_scales_is_a_cell_of_the_grid(shape, scales, others, temperature, runnable):
    model, found = _model(shape, temperature), []
    for cell in range(runnable(starts._n_cells)(model)):
        q = np.full(MAX_Q, np.nan)
        runnable(starts._set_start)(model, cell, 4.0, q)
        assert np.isnan(q[0]) and np.isnan(q[model.n_q :]).all()
        found.append(np.exp(q[1 : model.n_q]).tolist())
    heat = [8000.0] * temperature
    assert found == [pytest.approx([4.0 * s, *other, *heat]) for other in others for s in scales]


def _slow_step(sign, has_baseline, data):
    """By the decrease of chi2 of all points on the bright side of each gap."""
    best, best_time = -1.0, 0.0
    t, y, w = data[:, TIME], data[:, FLUX], data[:, WEIGHT]
    cuts = range(len(data) - 1, 0, -1) if sign > 0 else range(1, len(data))
    for cut in cuts:
        side = np.arange(len(data)) >= cut if sign > 0 else np.arange(len(data)) < cut
        total = np.sum((w * y)[side])
        gain = total**2 / w[side].sum() + (total**2 / w[~side].sum() if has_baseline else 0.0)
        if total > 0 and gain > best:
            best, best_time = gain, (t[cut] + t[cut - 1]) / 2
    return best_time


@pytest.mark.parametrize("has_baseline", [0, 1])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_best_step_is_that_of_a_slow_search(sign, has_baseline, runnable):
    step = runnable(starts._best_step)
    for seed in range(12):
        data = _data(9, seed)
        data[:, FLUX] = np.random.default_rng(seed).normal(0, 1, 9)
        if has_baseline:
            data[:, FLUX] -= np.average(data[:, FLUX], weights=data[:, WEIGHT])
        assert step(sign, has_baseline, data) == pytest.approx(_slow_step(sign, has_baseline, data))
        data[:, WEIGHT] *= 0.002
        assert step(sign, has_baseline, data) == pytest.approx(_slow_step(sign, has_baseline, data))
    data[:, FLUX] = -1.0
    assert step(sign, has_baseline, data) == 0.0
    data[:, FLUX] = 0.0
    assert step(sign, has_baseline, data) == 0.0 and step(sign, has_baseline, data[:1]) == 0.0


def test_centre_width_and_peak_of_the_light(runnable):
    where = runnable(starts._where_bright)
    for seed in range(5):
        data = _data(9, seed)
        data[::3, FLUX] *= -1
        t, y, w = data[:, TIME], data[:, FLUX], data[:, WEIGHT]
        pull = w * y**2 * (y > 0)
        centre = np.average(t, weights=pull)
        width = np.sqrt(np.average((t - centre) ** 2, weights=pull))
        assert where(data) == pytest.approx((centre, width, t[np.argmax(y - w**-0.5)]))
        assert where(data * [1, 1, 1e-6, 1, 1])[:2] == pytest.approx((centre, width))
    assert where(data[:1] * [1, 0, 1, 1, 1] + [2.5, 1, 0, 0, 0]) == (2.5, 0.05, 2.5)
    assert where(np.array([[1.0, -2.0, 1.0, 0, 0], [4.0, -1.0, 1.0, 0, 0]])) == (4.0, 0.05, 4.0)
    assert where(np.array([[1.0, 0.0, 1.0, 0, 0], [4.0, 0.0, 1.0, 0, 0]])) == (1.0, 0.05, 1.0)
    for err, peak in ((0.29, 4.0), (0.31, 1.0)):  # one sigma below the flux, 0.9 and 0.91 or 0.89
        assert where(np.array([[1.0, 1.0, 100.0, 0, 0], [4.0, 1.2, err**-2, 0, 0]]))[2] == peak


def test_the_best_starts_are_kept_in_order(runnable):
    keep, rng = runnable(starts._keep_start), np.random.default_rng(1)
    for first in (0, 2):
        rows, n, chi2 = np.full((8, MAX_Q + 2), -5.0), first, rng.permutation(12) + 1.0
        for i, value in enumerate(chi2):
            n = keep(rows, first, n, 4, np.arange(MAX_Q) + 10 * value, value, -1.0)
            assert n == first + min(i + 1, 4)
            best = np.sort(chi2[: i + 1])[:4]
            assert rows[first:n, MAX_Q].tolist() == best.tolist()
            assert rows[first:n, :MAX_Q].tolist() == [(np.arange(MAX_Q) + 10 * b).tolist() for b in best]
        assert (rows[first:n, MAX_Q + 1] == -1.0).all() and (rows[:first] == -5.0).all()


def test_of_equal_starts_the_first_comes_first(runnable):
    rows = np.zeros((4, MAX_Q + 2))
    for i in range(2):
        runnable(starts._keep_start)(rows, 0, i, 4, np.full(MAX_Q, float(i)), 1.0, 1.0)
    assert rows[:2, 0].tolist() == [0.0, 1.0]


@pytest.mark.parametrize("change, n", [
    ({}, 1), ({"chi2": 10.19}, 1), ({"chi2": 10.21}, 2), ({"scale": 0.019}, 1), ({"scale": -0.019}, 1),
    ({"scale": 0.021}, 2), ({"scale": -0.021}, 2), ({"time": 0.0399}, 1), ({"time": -0.0399}, 1),
    ({"time": 0.0401}, 2), ({"time": -0.0401}, 2), ({"time": 0.0405, "scale": 0.015}, 1),
])  # fmt: skip
def test_starts_that_are_the_same_are_one(change, n, runnable):
    """Relative differences of 0.02; a time scale of two days."""
    rows = np.zeros((3, MAX_Q + 2))
    rows[:, 1], rows[:, 2], rows[:, MAX_Q] = math.log(2.0), 7.0, [10.0, change.get("chi2", 10.0), 99.0]
    rows[1, 0], rows[1, 1] = change.get("time", 0.0), math.log(2.0) + change.get("scale", 0.0)
    assert runnable(starts.sort_starts)(2, rows) == n
    assert rows[2, MAX_Q] == 99.0


def test_starts_are_sorted_by_chi2(runnable):
    sort, rng = runnable(starts.sort_starts), np.random.default_rng(2)
    for n in (0, 1, 2, 7):
        rows = rng.uniform(0, 50, (9, MAX_Q + 2))
        rows[:, 1] = 0.0
        before = rows.copy()
        assert sort(n, rows) == n
        assert rows[:n].tolist() == sorted(before[:n].tolist(), key=lambda row: row[MAX_Q])
        assert rows[n:].tolist() == before[n:].tolist()


def test_duplicates_leave_the_better_start(runnable):
    rows = np.zeros((4, MAX_Q + 2))
    rows[:, 0], rows[:, MAX_Q] = [0.0, 0.001, 5.0, 5.001], [1.01, 1.0, 1.015, 1.012]
    rows[:, MAX_Q - 1], rows[:, MAX_Q + 1] = [1, 2, 3, 4], [1, -1, 1, -1]
    assert runnable(starts.sort_starts)(4, rows) == 2
    assert rows[:2, [0, MAX_Q - 1, MAX_Q, MAX_Q + 1]].tolist() == [[0.001, 2, 1.0, -1], [5.001, 4, 1.012, -1]]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_changing_temperature_is_first_constant(shape, runnable):
    plain = runnable(starts.with_constant_temperature)
    for temperature in (0, 1):
        assert plain(_model(shape, temperature, 1, 1)) == _model(shape, temperature, 1, 1)
    changing = CurveModel(shape, 2, 1, 1, 0, 1, SHAPES[shape] + 3)
    assert plain(changing) == CurveModel(shape, 1, 1, 1, 0, 1, SHAPES[shape] + 1)


@pytest.mark.parametrize("shape, n_starts, n_old", [
    (SIGMOID, 5, 2), (SIGMOID, 1, 1), (PEAK, 3, 2), (LINEXP, 7, 4), (LINEXP, 3, 3),
])  # fmt: skip
def test_starts_cool_and_heat_slowly_and_quickly(shape, n_starts, n_old, runnable):
    model, room, rng = _model(shape, 2), new_room(1, starts.MAX_STARTS + 1), np.random.default_rng(3)
    n_times = SHAPES[shape]
    room.starts[:] = rng.uniform(0, 1, room.starts.shape)
    room.starts[:8, 0] = [-9.0, 4.0, 30.0, 2.0, 5.0, 6.0, 7.0, 8.0]
    room.vectors[:] = 50.0
    room.vectors[LOW, 0], room.vectors[HIGH, 0] = 1.0, 20.0
    old = room.starts.copy()
    assert runnable(starts.change_temperatures)(model, n_starts, room) == 4 * n_old
    for k in range(4 * n_old):
        expected = old[k // 4].copy()
        slack = np.exp(expected[1]) if shape == LINEXP else 0.0
        change = 0.2 if k % 2 else -0.2
        expected[0] = np.clip(expected[0], 1 - slack, 20 + slack)
        expected[n_times : n_times + 2] = old[k // 4, n_times] + change * np.array([1, -1])
        expected[n_times + 2] = expected[1] + np.log([1.5, 6.0][k % 4 // 2])
        assert room.starts[k] == pytest.approx(expected)


@pytest.mark.parametrize("model, at_most, ends_at_peak", [
    (_model(SIGMOID), 4, False), (_model(SIGMOID, has_baseline=1, both=1), 6, False),
    (_model(LINEXP, both=1), 8, False), (_model(LINEXP, both=1), 8, True), (_model(PEAK, temperature=1), 4, False),
])  # fmt: skip
def test_the_best_starts_are_those_of_a_slow_search(model, at_most, ends_at_peak, runnable):
    data, room = _data(), new_room(1, starts.MAX_STARTS + 1)
    if ends_at_peak:  # falls linearly after the last point
        x = (data[-1, TIME] + 1.0 - data[:, TIME]) / 4
        data[:, FLUX] = x * np.exp(1 - x)
    points = FitPoints(data, np.zeros(len(data), np.int64), 1)
    runnable(set_bounds)(model, data, room.vectors)
    runnable(packing.centre_flux)(model.has_baseline, points, room.sums)
    curve = runnable(packing.pack)(points, room)
    evaluate, slow = runnable(projection.evaluate), []
    centre, width, peak = runnable(starts._where_bright)(data)
    for sign in (1.0, -1.0)[: 1 + model.has_both_signs]:
        step, found = runnable(starts._best_step)(sign, model.has_baseline, data), []
        for cell in range(runnable(starts._n_cells)(model)):
            q, tried = np.zeros(MAX_Q), []
            runnable(starts._set_start)(model, cell, width, q)
            for k in range(8):
                q[0] = runnable(starts._start_time)(
                    model.shape, k, sign * np.exp(q[1]), step, peak, centre, width, data[-1, TIME]
                )
                tried.append((evaluate(model, sign, q, curve, room, -1.0), *q[: model.n_q].tolist(), sign))
            found += [min(tried)] if min(tried)[0] < math.inf else []
        slow += sorted(found)[: at_most // (1 + model.has_both_signs)]
    n = runnable(starts.search_grid)(model, points, curve, room)
    assert n == len(slow)
    chosen = [MAX_Q, *range(model.n_q), MAX_Q + 1]
    assert room.starts[:n][:, chosen].tolist() == [pytest.approx(row) for row in slow]


@pytest.mark.parametrize("shape", SHAPES)
def test_without_a_positive_amplitude_there_is_no_start(shape, runnable):
    data, room, model = _data(), new_room(1, starts.MAX_STARTS + 1), _model(shape)
    data[:, FLUX] = -1.0
    points = FitPoints(data, np.zeros(len(data), np.int64), 1)
    runnable(packing.centre_flux)(0, points, room.sums)
    with np.errstate(over="ignore"):
        assert runnable(starts.search_grid)(model, points, runnable(packing.pack)(points, room), room) == 0


def test_starts_of_equal_chi2_keep_their_order(runnable):
    rows = np.zeros((4, MAX_Q + 2))
    rows[:, 0], rows[:, MAX_Q] = [5.0, 9.0, 1.0, 7.0], [2.0, 2.0, 1.0, 2.0]
    assert runnable(starts.sort_starts)(4, rows) == 4
    assert rows[:, 0].tolist() == [1.0, 5.0, 9.0, 7.0]


@pytest.mark.parametrize("column, value", [(0, 0.02), (0, -0.02), (1, 0.02), (MAX_Q, 102.0)])
def test_starts_that_differ_by_just_a_fiftieth_are_the_same(column, value, runnable):
    rows = np.zeros((2, MAX_Q + 2))
    rows[:, MAX_Q] = 100.0
    rows[1, column] = value
    assert runnable(starts.sort_starts)(2, rows) == 1
