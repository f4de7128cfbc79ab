"""Damped random walks: against a dense Gaussian process and a general optimiser, on walks with known truth."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import minimize

from redpoll.astro.damped_random_walk import damped_random_walk_fit, damped_random_walk_log_likelihood


def dense_log_likelihood(t, y, err, tau, sigma):
    """The slow twin: the whole covariance matrix, the mean by generalised least squares."""
    covariance = sigma**2 * np.exp(-np.abs(t[:, None] - t) / tau) + np.diag(err**2)
    inverse, one = np.linalg.inv(covariance), np.ones(len(t))
    left = y - one @ inverse @ y / (one @ inverse @ one)
    return -0.5 * (left @ inverse @ left + np.linalg.slogdet(covariance)[1] + len(t) * np.log(2 * np.pi))


def walks(n_curves, n_points, days, tau, sigma, err, seed=1):
    """Simulated walks, end to end: times, magnitudes, errors, offsets."""
    rng = np.random.default_rng(seed)
    t = np.sort(rng.uniform(0, days, (n_curves, n_points)), axis=1)
    decay = np.exp(-np.diff(t, prepend=-np.inf) / tau)
    walk = np.zeros_like(t)
    for i in range(n_points):
        walk[:, i] = decay[:, i] * walk[:, i - 1] + sigma * np.sqrt(1 - decay[:, i] ** 2) * rng.normal(size=n_curves)
    errs = err * rng.uniform(0.5, 1.5, t.shape)
    mag = 19 + walk + errs * rng.normal(size=t.shape)
    return (t + 59_000).ravel(), mag.ravel(), errs.ravel(), np.arange(n_curves + 1) * n_points


@pytest.mark.parametrize("tau, sigma", [(0.01, 0.1), (30.0, 0.2), (3000.0, 5.0), (1e6, 1e-3)])
def test_the_recursion_is_the_dense_likelihood(tau, sigma):
    t, y, err, offsets = walks(3, 50, 400, 30, 0.2, 0.03)
    y[7] += 3.0  # an outlier
    t[60] = t[61]  # two points at once
    found = damped_random_walk_log_likelihood(t, y, err, offsets, (tau, sigma))
    curves = [slice(*pair) for pair in pairwise(offsets)]
    np.testing.assert_allclose(found, [dense_log_likelihood(t[c], y[c], err[c], tau, sigma) for c in curves], rtol=1e-8)


def test_long_curves_of_tiny_and_huge_values_stay_within_the_range_of_numbers():
    t, y, err, offsets = walks(1, 3000, 3000, 30, 0.2, 0.03)
    expected = damped_random_walk_log_likelihood(t, y - 19, err, offsets, (30.0, 0.2))
    for unit in (1e-12, 1e12):
        found = damped_random_walk_log_likelihood(t, unit * (y - 19), unit * err, offsets, (30.0, 0.2 * unit))
        assert found + 3000 * np.log(unit) == pytest.approx(expected, rel=1e-9)


def _best_of_a_general_optimiser(t, y, err):
    length = t[-1] - t[0]
    low = np.log(max(np.diff(t).min() / 3, 1e-4 * length)), np.log(0.02 * np.std(y))
    high = np.log(10 * length), np.log(20 * np.std(y))
    starts = [(u, np.log(np.std(y))) for u in np.linspace(low[0], high[0], 5)]
    runs = [
        minimize(
            lambda p: -dense_log_likelihood(t, y, err, *np.exp(p)), start, bounds=list(zip(low, high, strict=True))
        )
        for start in starts
    ]
    return -min(run.fun for run in runs)


@pytest.mark.parametrize("tau, err", [(3.0, 0.01), (30.0, 0.1), (300.0, 0.02)])
def test_the_fit_is_the_highest_likelihood(tau, err):
    t, y, errs, offsets = walks(8, 30, 400, tau, 0.2, err)
    found = damped_random_walk_fit(t, y, errs, offsets)
    again = damped_random_walk_log_likelihood(t, y, errs, offsets, (found.tau, found.sigma))
    np.testing.assert_allclose(again, found.log_likelihood, rtol=1e-12)
    for i in range(8):
        c = slice(offsets[i], offsets[i + 1])
        assert found.log_likelihood[i] > _best_of_a_general_optimiser(t[c], y[c], errs[c]) - 0.01


def test_truth_lies_within_the_errors():
    found = damped_random_walk_fit(*walks(400, 150, 1500, 20.0, 0.2, 0.02))
    for value, err, truth in ((found.tau, found.tau_err, 20.0), (found.sigma, found.sigma_err, 0.2)):
        pull = (np.log(value) - np.log(truth)) / (err / value)
        assert np.isfinite(pull).all() and np.median(pull) == pytest.approx(0, abs=0.3)
        assert 0.6 < np.mean(np.abs(pull) < 1) < 0.76 and np.mean(np.abs(pull) < 3) > 0.98
    assert np.mean(found.delta_bic_white > 10) > 0.99


def test_a_constant_and_white_noise_are_not_taken_for_a_walk():
    t, _, err, offsets = walks(300, 40, 400, 30, 0.2, 0.03)
    rng = np.random.default_rng(5)
    constant = damped_random_walk_fit(t, 19 + err * rng.normal(size=t.size), err, offsets)
    white = damped_random_walk_fit(t, 19 + 0.2 * rng.normal(size=t.size), err, offsets)
    assert np.mean(constant.delta_bic_constant > 0) < 0.03 and np.mean(white.delta_bic_white > 0) < 0.05
    assert np.mean(white.delta_bic_constant > 100) == 1.0


def test_the_simpler_models_are_limits_of_the_walk():
    t, y, err, offsets = walks(1, 40, 400, 30, 0.2, 0.03)
    found = damped_random_walk_fit(t, y, err, offsets)
    sizes = np.geomspace(0.004, 4, 4000)
    white = [damped_random_walk_log_likelihood(t, y, err, offsets, (0.0, s))[0] for s in sizes]
    constant = damped_random_walk_log_likelihood(t, y, err, offsets, (1.0, 0.0))
    assert found.log_likelihood_white[0] == pytest.approx(max(white), abs=1e-4)
    assert found.log_likelihood_constant == pytest.approx(constant)
    n = np.log(40)
    assert found.delta_bic_white == pytest.approx(2 * (found.log_likelihood - found.log_likelihood_white) - n)
    assert found.delta_bic_constant == pytest.approx(2 * (found.log_likelihood - found.log_likelihood_constant) - 2 * n)


def test_a_walk_longer_than_the_curve_has_no_bounded_time():
    found = damped_random_walk_fit(*walks(200, 30, 20, 2000.0, 0.5, 0.01))
    assert np.mean(~np.isfinite(found.tau_err) | (found.tau_err > 0.5 * found.tau)) > 0.9


def test_unknown_points_do_not_count_and_short_curves_have_no_answer():
    t, y, err, _ = walks(1, 12, 100, 30, 0.2, 0.03)
    more = [np.insert(x, 6, v) for x, v in ((t, t[5]), (y, np.nan), (err, 0.1))]
    full, padded = damped_random_walk_fit(t, y, err, [0, 12]), damped_random_walk_fit(*more, [0, 13])
    np.testing.assert_array_equal(full, padded)
    assert np.isnan(damped_random_walk_fit(t, y, err, [0, 3, 3, 12]).tau[:2]).all()
    assert np.isnan(damped_random_walk_fit([1.0] * 5, [1.0] * 5, [1.0] * 5, [0, 5]).tau).all()


def test_an_unsorted_curve_is_refused_by_its_number():
    with pytest.raises(ValueError, match="light curve 1 is not sorted"):
        damped_random_walk_fit([0.0, 1.0, 3.0, 2.0], [1.0] * 4, [1.0] * 4, [0, 2, 4])
    with pytest.raises(ValueError, match="offsets must ascend"):
        damped_random_walk_fit([0.0, 1.0], [1.0] * 2, [1.0] * 2, [0, 3])
    with pytest.raises(ValueError, match="equal length"):
        damped_random_walk_fit([0.0, 1.0], [1.0], [1.0] * 2, [0, 2])
