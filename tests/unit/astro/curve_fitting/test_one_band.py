"""Sigmoid, Bazin and linexp: truth recovered, errors against scipy and against scatter, weights used."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import curve_fit

from redpoll.astro.curve_fitting import bazin_fit, linexp_fit, sigmoid_fit


def sigmoid(t, amplitude, rise_time, t0):
    return amplitude / (1 + np.exp(-(t - t0) / rise_time))


def bazin(t, amplitude, t0, fall_time, rise_time, baseline):
    return amplitude * np.exp(-(t - t0) / fall_time) / (1 + np.exp(-(t - t0) / rise_time)) + baseline


def linexp(t, amplitude, t0, rise_time, baseline):
    x = np.maximum((t - t0) / rise_time, 0)
    return amplitude * x * np.exp(1 - x) + baseline


T0 = 60010.0
CASES = [
    pytest.param(sigmoid_fit, sigmoid, {"amplitude": 1.0, "rise_time": 3.0, "t0": T0}, id="sigmoid"),
    pytest.param(
        bazin_fit,
        bazin,
        {"amplitude": 1.0, "t0": T0, "fall_time": 20.0, "rise_time": 3.0, "baseline": 0.1},
        id="bazin",
    ),
    pytest.param(linexp_fit, linexp, {"amplitude": 1.0, "t0": T0, "rise_time": 9.0, "baseline": 0.1}, id="linexp"),
]
FLUX_LIKE = ("amplitude", "baseline")


def _times(rng, n=40):
    return np.sort(rng.uniform(59990, 60060, n))


@pytest.mark.parametrize("unit", [1e-3, 1.0, 1e7])
@pytest.mark.parametrize("fit, shape, truth", CASES)
def test_the_truth_comes_back_in_any_unit_and_order(fit, shape, truth, unit):
    t = np.random.default_rng(1).permutation(_times(np.random.default_rng(2)))
    scaled = {k: v * unit if k in FLUX_LIKE else v for k, v in truth.items()}
    found = fit(t, shape(t, *scaled.values()), np.full(40, 0.01 * unit), [0, 40])
    assert {k: getattr(found, k)[0] for k in truth} == pytest.approx(scaled, rel=1e-4)
    assert found.is_converged[0] and found.chi2[0] < 1e-2 and found.n_points[0] == 40


@pytest.mark.parametrize("fit, shape, truth", CASES)
def test_parameters_errors_and_chi2_are_those_of_scipy(fit, shape, truth):
    rng = np.random.default_rng(3)
    t, err = _times(rng), rng.uniform(0.01, 0.05, 40)
    flux = shape(t, *truth.values()) + rng.normal(0, err)
    found = fit(t, flux, err, [0, 40])
    best, covariance = curve_fit(shape, t, flux, list(truth.values()), err, absolute_sigma=True)
    errors = dict(zip(truth, np.sqrt(np.diag(covariance)), strict=True))
    chi2 = np.sum(((shape(t, *best) - flux) / err) ** 2)
    assert found.chi2[0] == pytest.approx(chi2, rel=1e-4)
    assert found.reduced_chi2[0] == pytest.approx(chi2 / (40 - len(truth)), rel=1e-4)
    for i, (name, error) in enumerate(errors.items()):
        assert getattr(found, name)[0] == pytest.approx(best[i], abs=0.03 * error)
        assert getattr(found, f"{name}_err")[0] == pytest.approx(error, rel=0.03)


@pytest.mark.parametrize("fit, shape, truth", CASES)
def test_errors_are_the_scatter_of_many_fits(fit, shape, truth):
    rng, n = np.random.default_rng(4), 400
    t = np.tile(_times(rng), n)
    flux = shape(t, *truth.values()) + rng.normal(0, 0.02, 40 * n)
    found = fit(t, flux, np.full(40 * n, 0.02), np.arange(n + 1) * 40)
    for name, value in truth.items():
        pulls = (getattr(found, name) - value) / getattr(found, f"{name}_err")
        assert 0.85 < np.std(pulls) < 1.15 and abs(np.mean(pulls)) < 0.3
    assert np.mean(found.chi2) == pytest.approx(40 - len(truth), rel=0.05)


@pytest.mark.parametrize("fit, shape, truth", CASES)
def test_a_wild_point_with_a_large_error_does_not_pull(fit, shape, truth):
    rng = np.random.default_rng(5)
    t = _times(rng)
    flux, err = shape(t, *truth.values()), np.full(40, 0.02)
    flux[17], err[17] = 5.0, 50.0
    found = fit(t, flux, err, [0, 40])
    assert {k: getattr(found, k)[0] for k in truth} == pytest.approx(truth, rel=2e-3)


def test_a_fading_curve_has_a_negative_rise_time():
    t = np.arange(60000.0, 60030.0)
    found = sigmoid_fit(t, sigmoid(t, 4000.0, -3.0, 60012.0), np.full(30, 20.0), [0, 30])
    assert (found.amplitude[0], found.rise_time[0], found.t0[0]) == pytest.approx((4000, -3, 60012), rel=1e-4)


def test_a_negative_difference_flux_has_a_negative_amplitude():
    t = np.arange(60000.0, 60030.0)
    found = sigmoid_fit(t, -sigmoid(t, 4000.0, 3.0, 60012.0), np.full(30, 20.0), [0, 30])
    assert (found.amplitude[0], found.rise_time[0], found.t0[0]) == pytest.approx((-4000, 3, 60012), rel=1e-4)
    assert found.amplitude_err[0] > 0


@pytest.mark.parametrize("sign", [1, -1])
def test_a_small_offset_before_the_rise_does_not_decide_the_sign(sign):
    rng = np.random.default_rng(0)
    t, err = np.arange(60000.0, 60210.0), np.r_[np.full(200, 1000.0), np.full(10, 2e4)]
    truth = np.r_[np.full(200, -300.0), sigmoid(t[200:], 1e5, 1.5, 60204.0)]
    flux = sign * (truth + np.r_[rng.normal(0, 1000, 200), np.zeros(10)])
    assert np.sum(sign * flux / err**2) < 0  # the sign of the weighted mean
    found = sigmoid_fit(t, flux, err, [0, 210])
    assert sign * found.amplitude[0] > 5e4
    assert found.chi2[0] < np.sum(((flux - sign * np.r_[np.zeros(200), truth[200:]]) / err) ** 2) + 5


def test_the_mean_decides_the_sign_of_a_curve_without_significant_points():
    t, flux = np.arange(60000.0, 60010.0), np.full(10, 2.0)
    for sign in (1, -1):
        assert sign * sigmoid_fit(t, sign * flux, np.ones(10), [0, 10]).amplitude[0] > 0


def test_a_free_baseline_is_found_by_the_sigmoid():
    t = np.arange(60000.0, 60030.0)
    found = sigmoid_fit(t, sigmoid(t, 4000.0, 3.0, 60012.0) - 700, np.full(30, 20.0), [0, 30], baseline="free")
    assert (found.amplitude[0], found.baseline[0]) == pytest.approx((4000, -700), rel=1e-3)
    assert found.n_params[0] == 4 and found.baseline_err[0] > 0


def test_a_rise_seen_to_no_end_keeps_its_numbers_finite():
    t = np.arange(60000.0, 60010.0)
    found = sigmoid_fit(t, np.exp((t - 60000.0) / 2), np.full(10, 0.1), [0, 10])
    assert found.rise_time[0] == pytest.approx(2, rel=1e-3) and 60009 < found.t0[0] <= 60030
    assert found.amplitude[0] < 1e7 and found.chi2[0] < 10


def test_unknown_word_for_the_baseline_is_refused():
    with pytest.raises(ValueError, match="'zero' or 'free'"):
        sigmoid_fit([1.0], [1.0], [1.0], [0, 1], baseline="none")


@pytest.mark.parametrize("fit, shape, truth", CASES)
def test_fluxes_below_zero_have_a_negative_baseline_and_no_negative_amplitude(fit, shape, truth):
    """A difference flux, the template of which was taken when the source was bright."""
    t = _times(np.random.default_rng(6))
    light = 1000 * (shape(t, *truth.values()) - truth.get("baseline", 0.0))
    found = fit(t, light - 2500, np.full(40, 5.0), [0, 40], baseline="free")
    assert (found.amplitude[0], found.t0[0], found.rise_time[0]) == pytest.approx(
        (1000, truth["t0"], truth["rise_time"]), rel=1e-3
    )
    assert found.baseline[0] == pytest.approx(-2500, rel=1e-3)


@pytest.mark.parametrize("fit", [bazin_fit, linexp_fit])
def test_negative_fluxes_without_a_baseline_have_no_amplitude(fit):
    t = np.arange(60000.0, 60030.0)
    found = fit(t, -bazin(t, 1000.0, T0, 8.0, 2.0, 0.0), np.full(30, 5.0), [0, 30], baseline="zero")
    assert np.isnan(found.amplitude[0]) and not found.is_converged[0]


@pytest.mark.parametrize("fit, shape", [(sigmoid_fit, sigmoid), (linexp_fit, linexp)])
def test_time_scales_of_mirrored_curves_are_negative(fit, shape):
    """In each of fifty noisy curves."""
    t, rng, n = np.arange(60000.0, 60040.0), np.random.default_rng(7), 50
    light = sigmoid(60020 - t, 1000.0, 4.0, 0.0) if shape is sigmoid else linexp(60030 - t, 1000.0, 0.0, 4.0, 0.0)
    flux = (light + rng.normal(0, 20, (n, 40))).ravel()
    found = fit(np.tile(t, n), flux, np.full(40 * n, 20.0), np.arange(n + 1) * 40)
    assert found.rise_time == pytest.approx(np.full(n, -4.0), abs=0.5) and (found.rise_time_err < 0.5).all()
    assert found.t0 == pytest.approx(np.full(n, 60020.0 if shape is sigmoid else 60030.0), abs=1.0)


def test_errors_of_a_sigmoid_with_a_baseline_are_those_of_scipy():
    rng = np.random.default_rng(8)
    t, err = _times(rng), rng.uniform(10, 50, 40)
    flux = sigmoid(t, 1000.0, 4.0, T0 + 10) + 300 + rng.normal(0, err)
    found = sigmoid_fit(t, flux, err, [0, 40], baseline="free")
    best, covariance = curve_fit(lambda t, a, r, t0, b: sigmoid(t, a, r, t0) + b, t, flux, (1000, 4, T0 + 10, 300), err,
                                 absolute_sigma=True)  # fmt: skip
    names, errors = ("amplitude", "rise_time", "t0", "baseline"), np.sqrt(np.diag(covariance))
    assert ([getattr(found, name)[0] for name in names] - best) / errors == pytest.approx(0, abs=0.03)
    assert [getattr(found, f"{name}_err")[0] for name in names] == pytest.approx(errors, rel=0.03)
