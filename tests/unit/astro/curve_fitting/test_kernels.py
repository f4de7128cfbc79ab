"""Whole fits of small curves: batches, units, and the minimum that scipy finds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import curve_fit

from redpoll.astro.curve_fitting.kernels import fit_curves
from redpoll.astro.curve_fitting.shapes import (
    CONSTANT_TEMPERATURE,
    LENS,
    LINEXP,
    NO_TEMPERATURE,
    PEAK,
    SIGMOID,
    SIGMOID_TEMPERATURE,
)
from redpoll.astro.curve_fitting.workspace import CurveModel

pytestmark = pytest.mark.usefixtures("runnable")
RISE = CurveModel(SIGMOID, NO_TEMPERATURE, 0, 0, 1, 1, 2)


def _sigmoid(t, amplitude, t0, rise):
    return amplitude / (1 + np.exp(-(t - t0) / rise))


def _rise(n=12, amplitude=5.0, seed=1):
    rng, t = np.random.default_rng(seed), np.linspace(100.0, 130.0, n)
    return t, _sigmoid(t, amplitude, 114.0, 3.0) + rng.normal(0, 0.1, n), np.full(n, 0.1)


def _fit(model, t, y, err, offsets, group=None, frequency=0.5, n_groups=1):
    group = np.zeros(len(t), np.int64) if group is None else group
    nu = np.broadcast_to(frequency, len(t)).astype(float)
    with np.errstate(all="ignore"):  # where Python runs it
        return fit_curves(model, t, y, err, nu, group, np.array(offsets, np.int64), n_groups)


def _agree(found, expected, errors):
    np.testing.assert_allclose((np.array(found) - expected) / errors, 0, atol=0.03)


@pytest.mark.parametrize("amplitude", [5.0, -5.0])
@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_a_fit_is_that_of_scipy_in_the_unit_of_the_data(amplitude, unit):
    t, y, err = _rise(amplitude=amplitude)
    found = _fit(RISE, t, unit * y, unit * err, [0, 12])
    best, covariance = curve_fit(_sigmoid, t, y, (amplitude, 114, 3), err, absolute_sigma=True)
    scale = np.array([unit, 1, 1 / best[2]])  # the logarithm of the time is fitted
    errors = np.sqrt(np.diag(covariance)) * scale
    _agree([found.amplitude[0], found.q[0, 0], found.q[0, 1]], [unit * best[0], best[1], np.log(best[2])], errors)
    assert found.errors[0, :3] == pytest.approx(errors, rel=0.01)
    assert found.covariance[0, :3, :3] == pytest.approx(covariance * np.outer(scale, scale), rel=0.03)
    assert found.sums[0, [0, 2], 0] == pytest.approx([found.amplitude[0], errors[0]], rel=0.01)
    assert found.chi2[0] == pytest.approx(np.sum(((y - _sigmoid(t, *best)) / err) ** 2), rel=1e-4)
    assert found.flat_chi2[0] == pytest.approx(np.sum((y / err) ** 2)) and found.sign[0] == 1.0
    assert found.counts.tolist() == [[12, 3, 1]]


def test_curves_of_a_batch_do_not_depend_on_each_other():
    """The first has nothing, the second two points, the third three, the fourth no light; the others fit."""
    t, y, err = _rise()
    parts = [(t[:0], y[:0]), (t[:2], y[:2]), (t[5:8], y[5:8]), (t[:5], 0 * y[:5]), (t, y), (t[::-1], -y[::-1])]
    all_t, all_y = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
    offsets = np.append(0, np.cumsum([len(part[0]) for part in parts]))
    found = _fit(RISE, all_t, all_y, np.full(len(all_t), 0.1), offsets)
    assert found.counts[:, :2].tolist() == [[n, 3] for n in (0, 2, 3, 5, 12, 12)]
    assert np.isfinite(found.chi2).tolist() == [False, False, True, False, True, True]
    assert found.counts[:, 2].tolist()[3:] == [0, 1, 1] and found.chi2[2] < 1e-2
    alone = _fit(RISE, t, y, err, [0, 12])
    for i, sign in ((4, 1), (5, -1)):
        assert found.q[i, :2] == pytest.approx(alone.q[0, :2]) and found.amplitude[i] == sign * alone.amplitude[0]
        assert found.errors[i, :3] == pytest.approx(alone.errors[0, :3])


@pytest.mark.parametrize("n", [96, 97, 150])
def test_the_last_steps_are_on_all_points(n):
    t, y, err = _rise(n, seed=2)
    err = err * np.where(np.arange(n) % 2, 1.0, 0.4)
    found = _fit(RISE, t, y, err, [0, n])
    best, covariance = curve_fit(_sigmoid, t, y, (5, 114, 3), err, absolute_sigma=True)
    assert found.chi2[0] == pytest.approx(np.sum(((y - _sigmoid(t, *best)) / err) ** 2), rel=1e-6)
    assert found.q[0, 0] == pytest.approx(best[1], abs=0.03 * np.sqrt(covariance[1, 1]))


def _linear_errors(t, y, group, has_baseline, is_per_group):
    """Errors of the amplitudes of the bands 4 and 1, or of the one of both, and of the baselines, by numpy."""
    of = (group[:, None] == [4, 1]).astype(float)

    def columns(t0, rise):
        shape = _sigmoid(t, 1.0, t0, rise)[:, None]
        return np.hstack([shape * of if is_per_group else shape, *[of] * has_baseline])

    linear = np.linalg.lstsq(columns(114, 3), y)[0]
    slopes = [(columns(114 + h, 3 + k) - columns(114 - h, 3 - k)) @ linear for h, k in ((1e-4, 0), (0, 1e-4))]
    design = np.column_stack([columns(114, 3), np.array(slopes).T / 2e-4]) / 0.05
    return np.sqrt(np.diag(np.linalg.inv(design.T @ design)))[: len(linear)]


@pytest.mark.parametrize("has_baseline, is_per_group, n_linear", [(0, 0, 1), (0, 1, 2), (1, 0, 3), (1, 1, 4)])
def test_amplitudes_and_baselines_of_groups_have_the_names_of_their_bands(has_baseline, is_per_group, n_linear):
    t = np.linspace(100.0, 130.0, 24)
    group = np.array([4, 1] * 12)
    y = np.where(group == 4, 4.0, 4.0 + 3.0 * is_per_group) * _sigmoid(t, 1.0, 114.0, 3.0)
    y += has_baseline * np.where(group == 4, 0.7, -0.4)
    found = _fit(CurveModel(SIGMOID, 0, has_baseline, is_per_group, 0, 0, 2), t, y, np.full(24, 0.05), [0, 24],
                 group, n_groups=6)  # fmt: skip
    assert found.counts[0, :2].tolist() == [24, 2 + n_linear] and found.q[0, :2] == pytest.approx(
        [114, np.log(3)], rel=1e-4
    )
    assert found.amplitude[0] == pytest.approx(4.0, rel=1e-3)  # of the band of the first point
    if n_linear > 1:
        errors = _linear_errors(t, y, group, has_baseline, is_per_group)
        assert found.sums[0, 2, [4, 1]] == pytest.approx(errors[[0, is_per_group]], rel=1e-3)
        if has_baseline:
            assert found.sums[0, 3, [4, 1]] == pytest.approx(errors[-2:], rel=1e-3)
        assert found.sums[0, 0, [4, 1]] == pytest.approx([4.0, 4.0 + 3.0 * is_per_group], rel=1e-3)
        assert found.sums[0, 1, [4, 1]] == pytest.approx([0.7 * has_baseline, -0.4 * has_baseline], abs=1e-3)
        assert np.isnan(found.sums[0][:, [0, 2, 3, 5]]).all()


def test_as_many_points_as_parameters_are_enough():
    t = np.linspace(100.0, 130.0, 6)
    y, group = _sigmoid(t, 4.0, 114.0, 3.0), np.array([0, 1] * 3)
    for n, is_fitted in ((6, True), (5, False)):
        found = _fit(
            CurveModel(SIGMOID, 0, 1, 1, 0, 0, 2), t[:n], y[:n], np.full(n, 0.05), [0, n], group[:n], n_groups=2
        )
        assert np.isfinite(found.chi2[0]) == is_fitted and found.counts[0, 1] == 6


def _planck(nu, temperature):
    x = 47992.43073 / temperature
    return 15 / np.pi**4 * x * (x * nu) ** 3 / np.expm1(x * nu)


@pytest.mark.parametrize("changes", [False, True])
def test_a_temperature_is_found_in_two_bands_and_not_in_one(changes):
    t = np.linspace(100.0, 140.0, 30)
    group, nu = np.array([0, 1] * 15), np.array([0.62, 0.45] * 15)
    cool = 1 / (1 + np.exp(-(t - 114) / 5)) if changes else np.zeros(30)
    y = 10 * _sigmoid(t, 1.0, 114.0, 3.0) * _planck(nu, 14_000 - 8_000 * cool)
    kind, n_q = (SIGMOID_TEMPERATURE, 5) if changes else (CONSTANT_TEMPERATURE, 3)
    model = CurveModel(SIGMOID, kind, 0, 0, 0, 0, n_q)
    found = _fit(model, t, y, np.full(30, 0.01), [0, 30], group, nu, n_groups=2)
    truth = [3.0, 14_000.0, 6_000.0, 5.0] if changes else [3.0, 14_000.0]
    assert np.exp(found.q[0, 1:n_q]) == pytest.approx(truth, rel=0.02) and found.q[0, 0] == pytest.approx(114, abs=0.1)
    assert found.amplitude[0] == pytest.approx(10, rel=0.02) and found.chi2[0] < 0.1
    one = _fit(model, t, y, np.full(30, 0.01), [0, 30], 0 * group, nu, n_groups=2)
    assert np.isnan(one.chi2[0]) and one.counts[0].tolist() == [30, n_q + 1, 0]


def test_a_lens_has_a_flux_in_each_band():
    t = np.linspace(100.0, 140.0, 30)
    u2, group = 0.3**2 + ((t - 117) / 6) ** 2, np.array([0, 1] * 15)
    y = np.where(group, 3.0, 1.0) * ((u2 + 2) / np.sqrt(u2 * (u2 + 4)) - 1) + np.where(group, 0.5, -0.5)
    found = _fit(CurveModel(LENS, 0, 1, 1, 0, 0, 3), t, y, np.full(30, 0.01), [0, 30], group, n_groups=2)
    assert np.exp(found.q[0, 1:3]) == pytest.approx([6.0, 0.3], rel=1e-3)
    assert found.sums[0, :2] == pytest.approx(np.array([[1.0, 3.0], [-0.5, 0.5]]), rel=1e-3)
    assert found.flat_chi2[0] == pytest.approx(sum(np.var(y[group == g]) * 15e4 for g in (0, 1)))


@pytest.mark.parametrize("n", [143, 200])
def test_bright_points_are_as_many_bins_as_there_is_room_for(n):
    """At 143 equal ones each is a bin of its own, which is the most."""
    t = np.linspace(100.0, 160.0, n)
    y = _sigmoid(t, 5.0, 108.0, 9.0)
    found = _fit(RISE, t, y, np.full(n, 0.02), [0, n])
    assert found.q[0, :2] == pytest.approx([108.0, np.log(9.0)], rel=1e-3) and found.chi2[0] < 1e-2
    assert found.counts[0].tolist() == [n, 3, 1]


def test_a_curve_that_was_averaged_has_the_errors_of_all_points():
    t, y, err = _rise(300, seed=3)
    found = _fit(RISE, t, y, err, [0, 300])
    best, covariance = curve_fit(_sigmoid, t, y, (5, 114, 3), err, absolute_sigma=True)
    scale = np.array([1, 1, 1 / best[2]])
    assert found.errors[0, :3] == pytest.approx(np.sqrt(np.diag(covariance)) * scale, rel=0.01)
    assert found.chi2[0] == pytest.approx(np.sum(((y - _sigmoid(t, *best)) / err) ** 2), rel=1e-5)


def test_a_flux_that_is_never_positive_has_no_fit():
    """But the number of its points is known, and chi2 of no light."""
    t, y, err = _rise()
    for model in (CurveModel(SIGMOID, 0, 0, 0, 0, 0, 2), RISE._replace(is_signed=0)):
        found = _fit(model, t, -abs(y), err, [0, 12])
        assert np.isnan([found.chi2[0], found.amplitude[0], found.sign[0], *found.q[0], *found.errors[0]]).all()
        assert found.counts.tolist() == [[12, 3, 0]] and found.flat_chi2[0] == pytest.approx(np.sum((y / err) ** 2))


@pytest.mark.parametrize("shape, times", [(PEAK, [3.0, 9.0]), (LINEXP, [7.0])])
def test_curves_that_rise_and_fall_and_cool_are_fitted_in_any_unit(shape, times):
    t, group, nu = np.linspace(100.0, 160.0, 60), np.array([0, 1] * 30), np.array([0.62, 0.45] * 30)
    x = np.maximum((t - 114) / 7, 0)
    light = 1 / (np.exp(-(t - 114) / 3) + np.exp((t - 114) / 9)) if shape == PEAK else x * np.exp(1 - x)
    y = light * _planck(nu, 14_000 - 8_000 / (1 + np.exp(-(t - 114) / 5)))
    model, truth = CurveModel(shape, SIGMOID_TEMPERATURE, 0, 0, 1, 0, len(times) + 4), [*times, 14_000, 6_000, 5.0]
    one, other = (_fit(model, t, u * y, np.full(60, 0.001 * u), [0, 60], group, nu, n_groups=2) for u in (1.0, 1e6))
    assert np.exp(one.q[0, 1 : model.n_q]) == pytest.approx(truth, rel=0.02) and one.chi2[0] < 0.1
    assert one.counts[0].tolist() == [60, model.n_q + 1, 1]
    assert other.amplitude[0] == pytest.approx(1e6 * one.amplitude[0])
    unit = np.array([1e6] + [1.0] * 6)
    assert other.covariance[0] == pytest.approx(one.covariance[0] * np.outer(unit, unit), rel=1e-3, nan_ok=True)
    assert np.isfinite(one.errors[0, : model.n_q + 1]).all()


@pytest.mark.parametrize("sign", [1, -1])
def test_of_a_rise_and_a_fall_the_one_of_lower_chi2_is_fitted(sign):
    """A plateau that begins early and ends near the end, and its mirror image."""
    t = np.linspace(100.0, 130.0, 31)
    y = np.where(t < 129, _sigmoid(t, 5.0, 108.0, 1.5), 0.0) + np.random.default_rng(4).normal(0, 0.1, 31)
    found = _fit(RISE, t, y[::sign].copy(), np.full(31, 0.1), [0, 31])
    best, covariance = curve_fit(_sigmoid, t, y, (5, 108, 1.5), np.full(31, 0.1), absolute_sigma=True)
    errors = np.sqrt(np.diag(covariance)) * [1, 1, 1 / best[2]]
    t0 = best[1] if sign > 0 else 230 - best[1]
    assert found.sign[0] == sign
    _agree([found.amplitude[0], found.q[0, 0], found.q[0, 1]], [best[0], t0, np.log(best[2])], errors)
    assert found.errors[0, :3] == pytest.approx(errors, rel=0.02)
    assert found.chi2[0] == pytest.approx(np.sum(((y - _sigmoid(t, *best)) / 0.1) ** 2), rel=1e-4)
