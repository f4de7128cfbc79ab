"""Steps, bounds and errors of a fit, against numpy and scipy."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.optimize import least_squares

from redpoll.astro.curve_fitting import least_squares as steps
from redpoll.astro.curve_fitting import packing, parameter_errors, projection
from redpoll.astro.curve_fitting.shapes import BAZIN, LENS, LINEXP, PEAK, SIGMOID
from redpoll.astro.curve_fitting.workspace import (
    AMPLITUDE,
    FLUX,
    FREQUENCY,
    GRADIENT,
    HIGH,
    IS_FREE,
    LOW,
    MAX_Q,
    NORMAL,
    SHAPE2,
    STEP,
    TIME,
    WEIGHT,
    CurveModel,
    FitPoints,
    new_room,
)

OPTIONS = [(0, 0), (1, 0), (1, 1), (0, 1)]
Q = [11.0, math.log(3.0)]


def _data(seed=1, n=22):
    rng, data = np.random.default_rng(seed), np.zeros((n, 5))
    data[:, TIME] = np.append(0, np.sort(rng.uniform(0, 30, n - 1)))
    group = rng.permutation(np.arange(n) % 2)
    data[:, FLUX] = (0.7 + 0.3 * group) / (1 + np.exp(-(data[:, TIME] - 12) / 3.5)) + rng.normal(0, 0.03, n)
    data[:, WEIGHT], data[:, FREQUENCY] = rng.uniform(500, 2000, n), 0.5
    return data, group


def _prepared(runnable, has_baseline, is_per_group, n_groups=2, seed=1):
    data, group = _data(seed)
    group = group * (n_groups - 1)
    room, model = new_room(n_groups, 3), CurveModel(SIGMOID, 0, has_baseline, is_per_group, 0, 0, 2)
    flux = data[:, FLUX].copy()
    points = FitPoints(data, group, n_groups)
    runnable(steps.set_bounds)(model, data, room.vectors)
    runnable(packing.centre_flux)(has_baseline, points, room.sums)
    return model, room, runnable(packing.pack)(points, room), (data[:, TIME], flux, data[:, WEIGHT], group)


def _linear(q, data, has_baseline, is_per_group):
    """Columns of the amplitudes and of the baselines, times the root of the weights."""
    t, _, weight, group = data
    of = (group[:, None] == np.unique(group)).astype(float)
    value = (1 / (1 + np.exp(-(t - q[0]) / np.exp(q[1]))))[:, None]
    amplitudes = value * of if is_per_group else value
    return np.hstack([amplitudes, of] if has_baseline else [amplitudes]) * np.sqrt(weight)[:, None]


def _slow(q, data, *options):
    """Residuals, linear parameters and derivatives with the linear ones held."""
    columns, y = _linear(q, data, *options), data[1] * np.sqrt(data[2])
    linear = np.linalg.lstsq(columns, y)[0]
    steps = np.eye(2) * 1e-6
    slopes = [(_linear(q + s, data, *options) - _linear(q - s, data, *options)) @ linear / 2e-6 for s in steps]
    return y - columns @ linear, linear, np.array(slopes).T, columns


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("n_groups", [1, 2])
def test_chi2_and_normal_equations_are_those_of_numpy(options, n_groups, runnable):
    model, room, curve, data = _prepared(runnable, *options, n_groups)
    evaluate, q = runnable(projection.evaluate), np.array(Q + [0.0] * 4)
    residual, _, slopes, columns = _slow(np.array(Q), data, *options)
    projected = slopes - columns @ np.linalg.lstsq(columns, slopes)[0]
    assert evaluate(model, 1.0, q, curve, room, math.inf) == pytest.approx(residual @ residual)
    normal = np.tril(projected.T @ projected)
    assert room.matrices[NORMAL, :2, :2] == pytest.approx(normal, rel=1e-5)
    assert room.vectors[GRADIENT, :2] == pytest.approx(projected.T @ residual, rel=1e-4, abs=1e-4)


def test_normal_equations_are_filled_at_or_below_the_given_chi2(runnable):
    model, room, curve, _ = _prepared(runnable, 0, 0)
    evaluate, q = runnable(projection.evaluate), np.array(Q + [0.0] * 4)
    chi2 = evaluate(model, 1.0, q, curve, room, -1.0)
    assert not room.vectors[GRADIENT].any()
    evaluate(model, 1.0, q, curve, room, 0.999 * chi2)
    assert not room.vectors[GRADIENT].any()
    evaluate(model, 1.0, q, curve, room, chi2)
    assert room.vectors[GRADIENT, :2].all()


def test_amplitudes_are_not_negative(runnable):
    """Of two groups one may be negative, and then has none; both may not."""
    for signs, is_finite in (((1, 1), True), ((1, -1), True), ((-1, 1), True), ((-1, -1), False)):
        data, group = _data()
        data[:, FLUX] *= np.take(signs, group)
        room, model = new_room(2, 3), CurveModel(SIGMOID, 0, 0, 1, 0, 0, 2)
        curve = runnable(packing.pack)(FitPoints(data, group, 2), room)
        chi2 = runnable(projection.evaluate)(model, 1.0, np.array(Q + [0.0] * 4), curve, room, math.inf)
        assert math.isfinite(chi2) == is_finite
        if is_finite and signs != (1, 1):
            bad = group == np.argmin(signs)
            residual, *_ = _slow(np.array(Q), [data[~bad, k] for k in (TIME, FLUX, WEIGHT)] + [group[~bad]], 0, 1)
            assert chi2 == pytest.approx(residual @ residual + np.sum(data[bad, WEIGHT] * data[bad, FLUX] ** 2))
            assert room.sums[AMPLITUDE, np.argmin(signs)] == 0.0 and np.isfinite(room.matrices).all()


@pytest.mark.parametrize("options", OPTIONS)
def test_the_minimum_and_its_errors_are_those_of_scipy(options, runnable):
    model, room, curve, data = _prepared(runnable, *options)
    q = np.array([8.0, 0.3, 0, 0, 0, 0, 0, 0])
    chi2, is_end = runnable(steps.minimise)(model, 1.0, q, curve, room, 80, 1e-9, 1e-2)
    best = least_squares(lambda p: _slow(p, data, *options)[0], Q, xtol=1e-12, ftol=1e-12).x
    residual, linear, slopes, columns = _slow(best, data, *options)
    assert is_end and chi2 == pytest.approx(residual @ residual, rel=1e-6)
    covariance = np.linalg.inv(np.hstack([columns, slopes]).T @ np.hstack([columns, slopes]))
    errors, n_linear = np.sqrt(np.diag(covariance)), len(linear)
    assert (q[:2] - best) / errors[-2:] == pytest.approx(0, abs=0.01)
    found, out = np.full((7, 7), np.nan), np.full((4, 6), np.nan)
    runnable(parameter_errors.write_errors)(model, q, np.array([3, 1]), 2, room, found, out)
    of_amplitude = [0, 1] if options[1] else [0, 0]
    assert out[0, [3, 1]] == pytest.approx(linear[of_amplitude], rel=1e-3)
    assert out[2, [3, 1]] == pytest.approx(errors[of_amplitude], rel=1e-3)
    bases, base_errors = (linear[-2:], errors[n_linear - 2 : n_linear]) if options[0] else (np.zeros(2),) * 2
    assert out[1, [3, 1]] == pytest.approx(bases, abs=1e-4)
    assert out[3, [3, 1]] == pytest.approx(base_errors, rel=1e-3)
    chosen = [0, n_linear, n_linear + 1]
    assert found[:3, :3] == pytest.approx(covariance[np.ix_(chosen, chosen)], rel=2e-3)
    assert np.isnan(out[:, [0, 2, 4, 5]]).all()


@pytest.mark.parametrize("at", [0, 1])
@pytest.mark.parametrize("bound", [LOW, HIGH])
def test_a_parameter_at_its_bound_has_no_error(at, bound, runnable):
    model, room, curve, _ = _prepared(runnable, 0, 0)
    q = np.array(Q + [0.0] * 6)
    runnable(projection.evaluate)(model, 1.0, q, curve, room, math.inf)
    slack = 30.0 if at == 0 else 0.0
    room.vectors[bound, at] = q[at] + (slack if bound == LOW else -slack)
    found, out = np.zeros((7, 7)), np.zeros((4, 6))
    runnable(parameter_errors.write_errors)(model, q, np.array([0, 1]), 2, room, found, out)
    assert np.isnan(found[at + 1, :3]).all() and np.isnan(found[:3, at + 1]).all()
    assert np.isfinite(found[2 - at, 2 - at]) and np.isfinite(found[0, 0])
    room.vectors[bound, at] += -0.01 if bound == LOW else 0.01
    runnable(parameter_errors.write_errors)(model, q, np.array([0, 1]), 2, room, found, out)
    assert np.isfinite(found[:3, :3]).all()


def _matrix(n, seed=1):
    square = np.random.default_rng(seed).normal(size=(n, n + 2))
    return np.tril(square @ square.T)


@pytest.mark.parametrize("damping", [0.0, 0.3, 100.0])
@pytest.mark.parametrize("fixed", [(), (0,), (2,), (1, 3)])
def test_steps_solve_the_damped_equations(fixed, damping, runnable):
    matrix, x, factor = _matrix(4), np.array([1.0, -2.0, 3.0, 0.5]), np.full((4, 4), np.nan)
    is_free = np.array([float(j not in fixed) for j in range(4)])
    free = np.flatnonzero(is_free)
    full = matrix + np.tril(matrix, -1).T + damping * np.diag(np.diag(matrix))
    slow = np.zeros(4)
    slow[free] = np.linalg.solve(full[np.ix_(free, free)], x[free])
    runnable(steps.factorise)(4, matrix, is_free, damping, factor)
    runnable(steps.solve)(4, factor, is_free, x)
    assert x == pytest.approx(slow)


@pytest.mark.parametrize("small, is_free", [(1e-21, 0.0), (0.95e-20, 0.0), (1.05e-20, 1.0), (np.nan, 0.0)])
def test_a_parameter_without_effect_is_fixed(small, is_free, runnable):
    free, factor = np.ones(3), np.zeros((3, 3))
    runnable(steps.factorise)(3, np.diag([0.25, small, 1.0]), free, 0.0, factor)
    assert free.tolist() == [1.0, is_free, 1.0]
    assert factor[1, 1] == pytest.approx(np.sqrt(small) if is_free else 1.0)


def test_a_singular_matrix_keeps_a_tiny_pivot(runnable):
    free, factor = np.ones(2), np.zeros((2, 2))
    runnable(steps.factorise)(2, np.array([[4.0, 0.0], [4.0, 4.0]]), free, 0.0, factor)
    assert factor[1, 1] == pytest.approx(2e-7) and factor[1, 0] == 2.0


@pytest.mark.parametrize("shape, days", [(SIGMOID, 20.0), (BAZIN, 50.0), (PEAK, 50.0), (LINEXP, 20.0), (LENS, 20.0)])
def test_the_reference_time_is_within_ten_time_scales(shape, days, runnable):
    model = SimpleNamespace(shape=shape)
    assert runnable(steps.reach)(model, np.log([9.0, 2.0, 5.0])) == pytest.approx(days)
    assert runnable(steps.reach)(model, np.log([9.0, 2.0, 0.5])) == pytest.approx(20.0)


@pytest.mark.parametrize("last, span", [(50.0, 50.0), (0.0, 1e-3)])
@pytest.mark.parametrize("shape, n_times, temperature, n_q", [
    (SIGMOID, 2, 0, 2), (SIGMOID, 2, 1, 3), (SIGMOID, 2, 2, 5), (BAZIN, 3, 0, 3), (PEAK, 3, 1, 4), (PEAK, 3, 2, 6),
    (LENS, 3, 0, 3),
])  # fmt: skip
def test_bounds_of_each_parameter(shape, n_times, temperature, n_q, last, span, runnable):
    vectors = np.full((7, MAX_Q), np.nan)
    model = CurveModel(shape, temperature, 0, 0, 0, 0, n_q)
    runnable(steps.set_bounds)(model, np.array([[0.0] * 5, [last] * 5]), vectors)
    low, high = np.exp(vectors[LOW, :n_q]), np.exp(vectors[HIGH, :n_q])
    kelvin = slice(n_times, n_times + temperature)
    times = [j for j in range(1, n_q) if not kelvin.start <= j < kelvin.stop and (shape, j) != (LENS, 2)]
    assert (vectors[LOW, 0], vectors[HIGH, 0]) == (0.0, last)
    assert low[times] == pytest.approx(1e-4 * span)
    factors = [3000.0 if (shape, j) == (BAZIN, 2) else 30.0 for j in times]
    assert high[times] == pytest.approx(np.array(factors) * span)
    assert low[kelvin] == pytest.approx(100.0) and high[kelvin] == pytest.approx(1e6)
    if shape == LENS:
        assert (low[2], high[2]) == pytest.approx((1e-3, 5.0))


@pytest.mark.parametrize("q, gradient, step, trial", [
    ([5.0, 0.0], [4.0, 1.0], None, [7.0, 0.25]), ([5.0, 0.0], [4.0, 20.0], None, [7.0, 1.5]),
    ([5.0, 0.0], [4.0, -20.0], None, [7.0, -1.5]), ([5.0, 1.0], [0.0, 6.0], None, [5.0, 2.0]),
    ([5.0, -1.0], [0.0, -6.0], None, [5.0, -2.0]), ([-10.0, 0.0], [-4.0, 4.0], None, [-10.0, 1.0]),
    ([20.0, 0.0], [4.0, 4.0], None, [20.0, 1.0]), ([5.0, 0.0], [4.0, 4.0], math.inf, [5.0, 0.0]),
    ([19.0, 0.0], [8.0, -4.0], None, [10.0 + 10 * math.exp(-1), -1.0]),
    ([-9.0, 0.0], [-8.0, -4.0], None, [-10 * math.exp(-1), -1.0]),
])  # fmt: skip
def test_the_next_trial_is_a_bounded_step(q, gradient, step, trial, runnable):
    """Equations of 2 and 4 on the diagonal; a time within 0 to 10 and ten time scales, its logarithm within 2."""
    vectors, matrices = np.zeros((7, MAX_Q)), np.zeros((3, MAX_Q, MAX_Q))
    vectors[LOW, :2], vectors[HIGH, :2] = [0.0, -2.0], [10.0, 2.0]
    vectors[steps.KEPT_GRADIENT, :2] = gradient
    matrices[steps.KEPT_NORMAL, :2, :2] = np.diag([2.0, 4.0])
    model = CurveModel(SIGMOID, 0, 0, 0, 0, 0, 2)
    runnable(steps._set_trial)(model, np.array(q), step or 0.0, vectors, matrices)
    assert vectors[steps.TRIAL, :2] == pytest.approx(trial)
    assert vectors[IS_FREE].max() <= 1 and STEP == steps.STEP


@pytest.fixture
def stepped(runnable, monkeypatch):
    """``stepped(chi2s, first, steps, gain)``: chi2, whether it converged, dampings and limits, if chi2 goes so."""

    def run(chi2s, first_damping=1e-2, max_steps=80, min_gain=0.1):
        minimise, dampings, limits = runnable(steps.minimise), [], []

        def evaluate(model, sign, q, curve, room, max_chi2):
            limits.append(max_chi2)
            return chi2s[min(len(limits), len(chi2s)) - 1]

        monkeypatch.setitem(minimise.__globals__, "evaluate", evaluate)
        monkeypatch.setitem(
            minimise.__globals__, "_set_trial", lambda _model, _q, damping, *_: dampings.append(damping)
        )
        room = new_room(1, 1)
        answer = minimise(CurveModel(SIGMOID, 0, 0, 0, 0, 0, 2), 1.0, np.zeros(6), None, room, max_steps, min_gain,
                          first_damping)  # fmt: skip
        return *answer, dampings, limits

    return run


@pytest.mark.parametrize("chi2s, first_damping, n", [
    ([10.0], 1e-2, 3), ([10.0], 1.0, 5), ([10.0], 100.0, 6), ([math.inf], 1e-2, 2),
    ([11.01, 10.0], 1e-2, 4), ([10.99, 10.0], 1e-2, 3), ([0.95e-12, 0.0], 1e-2, 3), ([1.05e-12, 0.0], 1e-2, 4),
    ([10.0], 0.95e-3 / 0.15**2, 3), ([10.0], 1.05e-3 / 0.15**2, 4), ([10.0, 11.0], 1e-2, 18),
    ([20.0, 10.0, 10.0, 5.0, 5.0], 1.9, 6),  # a decrease ends the count
])  # fmt: skip
def test_steps_end_after_small_gains_with_little_damping(chi2s, first_damping, n, stepped):
    """One gain below a tenth with damping below 1e-3, or four; or damping above 1e9; the last is at the end."""
    chi2, is_end, dampings, limits = stepped(chi2s, first_damping)
    assert (chi2, is_end, len(limits)) == (min(chi2s), True, n) and dampings[-1] == math.inf and len(dampings) == n - 1
    assert limits[0] == math.inf and limits[-1] == min(chi2s)


def test_steps_end_after_their_maximum_number(stepped):
    chi2, is_end, dampings, limits = stepped([100.0, 80.0, 60.0, 40.0, 20.0], max_steps=3)
    assert (chi2, is_end, limits) == (40.0, False, [math.inf, 100.0, 80.0, 60.0, 40.0])
    assert dampings == pytest.approx([1.5e-3, 2.25e-4, 0.15**3 * 1e-2, math.inf])


def test_damping_falls_with_success_and_rises_without(stepped):
    _, _, dampings, _ = stepped([100.0, 200.0, 200.0, 50.0, 60.0], first_damping=1e-7)
    assert dampings[:5] == pytest.approx([1.5e-8, 6e-6, 3.6e-5, 5.4e-6, 3.24e-5])
    _, _, dampings, _ = stepped([100.0, 50.0, 20.0, 10.0, 11.0], first_damping=1e-8)
    assert dampings[:5] == pytest.approx([1.5e-9, 1e-9, 1e-9, 1e-9, 6e-6])
    assert 1e9 / 6 < dampings[-2] < 1e9 and dampings[-1] == math.inf


@pytest.mark.parametrize("q, gradient, is_free", [
    ([-10.0, 0.0], [0.0, 1.0], [1, 1]), ([20.0, 0.0], [0.0, 1.0], [1, 1]), ([-10.0, 0.0], [-1.0, 1.0], [0, 1]),
    ([20.0, 0.0], [1.0, 1.0], [0, 1]), ([20.0, 0.0], [-1.0, 1.0], [1, 1]), ([-10.0, 0.0], [1.0, 1.0], [1, 1]),
    ([5.0, 2.0], [1.0, 1.0], [1, 0]), ([5.0, -2.0], [1.0, -1.0], [1, 0]), ([5.0, 2.0], [1.0, 0.0], [1, 1]),
    ([5.0, -2.0], [1.0, 0.0], [1, 1]), ([5.0, 1.9], [1.0, 1.0], [1, 1]), ([5.0, -1.9], [1.0, -1.0], [1, 1]),
])  # fmt: skip
def test_a_parameter_that_would_leave_its_bounds_is_fixed(q, gradient, is_free, runnable):
    vectors, matrices = np.zeros((7, MAX_Q)), np.zeros((3, MAX_Q, MAX_Q))
    vectors[LOW, :2], vectors[HIGH, :2] = [0.0, -2.0], [10.0, 2.0]
    vectors[steps.KEPT_GRADIENT, :2] = gradient
    matrices[steps.KEPT_NORMAL, :2, :2] = np.diag([2.0, 4.0])
    runnable(steps._set_trial)(CurveModel(SIGMOID, 0, 0, 0, 0, 0, 2), np.array(q), 0.0, vectors, matrices)
    assert (vectors[IS_FREE, :2] > 0).tolist() == [bool(x) for x in is_free]


def test_without_any_gradient_all_is_fixed(runnable):
    free, factor = np.ones(2), np.zeros((2, 2))
    runnable(steps.factorise)(2, np.zeros((2, 2)), free, 0.0, factor)
    assert not free.any() and factor.tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_a_shape_whose_square_is_too_small_for_a_number_has_no_amplitude(runnable):
    model, room, curve, _ = _prepared(runnable, 0, 0)
    for t0, is_finite in ((3 * 300.0, True), (3 * 500.0, False)):  # exp(-300), and exp(-500)
        chi2 = runnable(projection.evaluate)(model, 1.0, np.array([t0, math.log(3.0), 0, 0, 0, 0]), curve, room, -1.0)
        assert math.isfinite(chi2) == is_finite


def test_without_light_there_is_no_amplitude(runnable):
    data, group = _data()
    data[:, FLUX] = 0.0
    room, model = new_room(2, 3), CurveModel(SIGMOID, 0, 0, 1, 0, 0, 2)
    curve = runnable(packing.pack)(FitPoints(data, group, 2), room)
    assert runnable(projection.evaluate)(model, 1.0, np.array(Q + [0.0] * 4), curve, room, -1.0) == math.inf


def test_a_band_of_one_point_does_not_change_a_fit(runnable):
    """Its baseline is its flux, and nothing is left for an amplitude."""
    answers = []
    for kept in (range(22), [i for i in range(22) if i != 5]):
        data, _ = _data()
        data[5, WEIGHT] = 1024.0
        group, room = (np.arange(22) == 5).astype(int)[kept], new_room(2, 3)
        points = FitPoints(data[kept], group, 1 + group.max())
        runnable(packing.centre_flux)(1, points, room.sums)
        curve = runnable(packing.pack)(points, room)
        chi2 = runnable(projection.evaluate)(CurveModel(SIGMOID, 0, 1, 1, 0, 0, 2), 1.0, np.array(Q + [0.0] * 4),
                                             curve, room, math.inf)  # fmt: skip
        answers.append([chi2, *room.matrices[NORMAL].ravel().tolist(), *room.vectors[GRADIENT].tolist()])
        assert len(kept) < 22 or room.sums[SHAPE2, 1] == 0.0
    assert answers[0] == pytest.approx(answers[1], rel=1e-9) and np.isfinite(answers).all()


@pytest.mark.parametrize("options", OPTIONS)
def test_normal_equations_scale_with_the_weights(options, runnable):
    answers = []
    for unit in (1.0, 1e-7):
        data, group = _data()
        data[:, WEIGHT] *= unit
        room, points = new_room(2, 3), FitPoints(data, group, 2)
        runnable(packing.centre_flux)(options[0], points, room.sums)
        curve, model = runnable(packing.pack)(points, room), CurveModel(SIGMOID, 0, *options, 0, 0, 2)
        chi2 = runnable(projection.evaluate)(model, 1.0, np.array(Q + [0.0] * 4), curve, room, math.inf)
        numbers = [chi2, *room.matrices[NORMAL].ravel().tolist(), *room.vectors[GRADIENT].tolist()]
        answers.append(np.array(numbers) / unit)
    assert answers[0] == pytest.approx(answers[1], rel=1e-9)
