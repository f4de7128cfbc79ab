"""Damped random walks: against a dense Gaussian process and a general optimiser, on walks with known truth."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import minimize
from simulated_walks import walks

from redpoll.astro import damped_random_walk
from redpoll.astro.damped_random_walk import damped_random_walk_fit, damped_random_walk_log_likelihood


def dense_log_likelihood(t, y, err, tau, sigma):
    """The slow twin: the whole covariance matrix, the mean by generalised least squares."""
    covariance = sigma**2 * np.exp(-np.abs(t[:, None] - t) / tau) + np.diag(err**2)
    inverse, one = np.linalg.inv(covariance), np.ones(len(t))
    left = y - one @ inverse @ y / (one @ inverse @ one)
    return -0.5 * (left @ inverse @ left + np.linalg.slogdet(covariance)[1] + len(t) * np.log(2 * np.pi))


@pytest.mark.parametrize("tau, sigma", [(0.01, 0.1), (30.0, 0.2), (3000.0, 5.0), (1e6, 1e-3)])
def test_the_recursion_is_the_dense_likelihood(tau, sigma):
    t, y, err, offsets = walks(3, 50, 400, 30, 0.2, 0.03)
    y[7] += 3.0  # an outlier
    t[60] = t[61]  # two points at once
    found = damped_random_walk_log_likelihood(t, y, err, offsets, (tau, sigma))
    curves = [slice(*pair) for pair in pairwise(offsets)]
    np.testing.assert_allclose(found, [dense_log_likelihood(t[c], y[c], err[c], tau, sigma) for c in curves], rtol=1e-8)


def test_an_unsorted_curve_is_refused_by_its_number():
    with pytest.raises(ValueError, match="light curve 1 is not sorted"):
        damped_random_walk_fit([0.0, 1.0, 3.0, 2.0], [1.0] * 4, [1.0] * 4, [0, 2, 4])
    with pytest.raises(ValueError, match="offsets must ascend"):
        damped_random_walk_fit([0.0, 1.0], [1.0] * 2, [1.0] * 2, [0, 3])
    with pytest.raises(ValueError, match="equal length"):
        damped_random_walk_fit([0.0, 1.0], [1.0], [1.0] * 2, [0, 2])


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


@pytest.mark.parametrize("tau, sigma", [(0.0, 0.3), (5.0, 0.0), (0.0, 0.0), (3.0, 0.2), (1e5, 9.0)])
def test_the_recursion_is_the_dense_likelihood_of_short_curves(tau, sigma):
    t, y, err, _ = walks(1, 40, 60, 5, 0.3, 0.1)
    offsets = np.array([1, 2, 4, 4, 9, 39])
    expected = [dense_log_likelihood(t[c], y[c], err[c], tau or 1e-9, sigma) if c.stop > c.start else np.nan
                for c in (slice(*pair) for pair in pairwise(offsets))]  # fmt: skip
    found = damped_random_walk_log_likelihood(t, y, err, offsets, (tau, sigma))
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    each = damped_random_walk_log_likelihood(t, y, err, offsets, (np.full(5, tau), np.full(5, sigma)))
    np.testing.assert_array_equal(each, found)


def _slow_errors(t, y, err, tau, sigma, h=0.01):
    """Errors [ln(tau), ln(sigma)] from the inverse of the matrix of second derivatives."""
    f = {(i, j): dense_log_likelihood(t, y, err, tau * np.exp(i * h), sigma * np.exp(j * h))
         for i in (-1, 0, 1) for j in (-1, 0, 1)}  # fmt: skip
    uu, vv = (f[1, 0] + f[-1, 0] - 2 * f[0, 0]) / h**2, (f[0, 1] + f[0, -1] - 2 * f[0, 0]) / h**2
    uv = (f[1, 1] + f[-1, -1] - f[1, -1] - f[-1, 1]) / (4 * h**2)
    return np.sqrt(np.diag(np.linalg.inv(-np.array([[uu, uv], [uv, vv]]))))


def test_fits_of_short_curves_are_those_of_a_general_optimiser():
    t, y, err, offsets = walks(8, 14, 60, 4, 0.3, 0.03, seed=3)
    found, n_bounded = damped_random_walk_fit(t, y, err, offsets), 0
    for i in range(8):
        c = slice(offsets[i], offsets[i + 1])
        curve = t[c] - t[c][0], y[c] - y[c].mean(), err[c]
        tau, sigma, gap, length = found.tau[i], found.sigma[i], np.diff(t[c]).min(), t[c][-1] - t[c][0]
        unit = max(np.std(y[c]), np.median(err[c]))
        low, high = max(gap / 3, 1e-4 * length), 10 * length
        assert low * (1 - 1e-9) <= tau <= high * (1 + 1e-9) and 0.0199 * unit <= sigma <= 20.01 * unit
        best = _best_of_a_general_optimiser(*curve)
        assert found.log_likelihood[i] == pytest.approx(dense_log_likelihood(*curve, tau, sigma), abs=1e-7)
        assert best - 1e-5 < found.log_likelihood[i] < best + 1e-3
        covariance = sigma**2 * np.exp(-np.abs(curve[0][:, None] - curve[0]) / tau) + np.diag(err[c] ** 2)
        weight = np.linalg.inv(covariance).sum(axis=0)
        assert found.mean[i] == pytest.approx(weight @ y[c] / weight.sum(), abs=1e-9)
        if low * 1.01 < tau < high / 1.01 and np.isfinite(found.tau_err[i]):
            expected = _slow_errors(*curve, tau, sigma)
            errors = found.tau_err[i] / tau, found.sigma_err[i] / sigma
            assert errors == pytest.approx(tuple(expected), rel=0.01)
            n_bounded += 1
        elif not low * 1.01 < tau < high / 1.01:
            assert np.isnan(found.tau_err[i]) and np.isnan(found.sigma_err[i])
    assert n_bounded >= 4


@pytest.mark.parametrize("err, amplitude", [(0.1, 0.3), (0.5, 0.3), (0.1, 0.05)])
def test_the_simpler_models_of_short_curves_have_their_best_likelihood(err, amplitude):
    rng = np.random.default_rng(8)
    t, y, errs = np.cumsum(rng.uniform(0.5, 3, 12)), amplitude * rng.normal(size=12), np.full(12, err)
    found, n = damped_random_walk_fit(t, y, errs, [0, 12]), np.log(12)
    sizes = [0.0, *np.geomspace(0.02 * max(np.std(y), err), 5, 3000)]
    white = max(dense_log_likelihood(t, y, errs, 1e-9, s) for s in sizes)
    assert found.log_likelihood_white[0] == pytest.approx(white, abs=1e-4)
    constant = dense_log_likelihood(t, y, errs, 1.0, 0.0)
    assert found.log_likelihood_constant[0] == pytest.approx(constant, abs=1e-9)
    assert found.delta_bic_white == pytest.approx(2 * (found.log_likelihood - found.log_likelihood_white) - n)
    assert found.delta_bic_constant == pytest.approx(2 * (found.log_likelihood - found.log_likelihood_constant) - 2 * n)


def test_the_shortest_time_is_a_third_of_the_shortest_gap():
    """Or a ten-thousandth of the length where that is longer; two points at one time are no gap."""
    t, err = np.array([0.0, 1.0, 2.0, 3.0, 4.5, 6.0, 8.0, 8.0]), np.full(9, 0.01)
    zigzag = np.array([1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0])
    found = damped_random_walk_fit(t, zigzag[:8], err[:8], [0, 8])
    assert found.tau[0] == pytest.approx(1 / 3, rel=1e-9) and np.isnan(found.tau_err[0])
    found = damped_random_walk_fit(np.append(t, 8.0 + 1e-6), zigzag, err, [0, 9])
    assert found.tau[0] == pytest.approx(1e-4 * 8, rel=1e-6)


def test_a_constant_has_the_smallest_walk():
    """A fiftieth of the median error, which is larger than the deviation."""
    err = np.array([0.5, 0.1, 0.2, 0.3, 0.4])
    found = damped_random_walk_fit(np.arange(5.0), np.full(5, 19.0), err, [0, 5])
    assert found.sigma[0] == pytest.approx(0.02 * 0.3, rel=1e-9)


def test_four_points_with_a_duration_are_enough():
    t, y, err = np.array([0.0, 1.0, 2.0, 4.0]), np.array([1.0, 1.2, 0.9, 1.4]), np.full(4, 0.1)
    found = damped_random_walk_fit(np.tile(t, 2)[:7], np.tile(y, 2)[:7], np.tile(err, 2)[:7], [0, 4, 7])
    assert np.isfinite(found.tau).tolist() == [True, False]
    assert np.isnan(damped_random_walk_fit(np.ones(4), y, err, [0, 4]).tau[0])


@pytest.mark.parametrize("bad", [0.0, -0.1, np.nan, np.inf])
def test_a_point_without_a_positive_error_does_not_count(bad):
    t, y, err, _ = walks(1, 8, 30, 5, 0.2, 0.5)
    spoiled = damped_random_walk_fit(np.insert(t, 3, t[3]), np.insert(y, 3, 99.0), np.insert(err, 3, bad), [0, 9])
    np.testing.assert_array_equal(spoiled, damped_random_walk_fit(t, y, err, [0, 8]))


def test_points_outside_of_the_curves_need_no_order():
    t, one = np.array([9.0, 0.0, 1.0, 2.0, 4.0, 3.0]), np.ones(6)
    assert np.isfinite(damped_random_walk_log_likelihood(t, one, one, [1, 5], (1.0, 1.0)))
    for offsets, curve in (([0, 5], 0), ([1, 6], 0), ([1, 3, 3, 6], 2)):
        with pytest.raises(ValueError, match=f"light curve {curve} is not sorted"):
            damped_random_walk_log_likelihood(t, one, one, offsets, (1.0, 1.0))
    for offsets in ([-1, 3], [3, 2], [], [[0, 1]], [0, 7]):
        with pytest.raises(ValueError, match="offsets must ascend"):
            damped_random_walk_log_likelihood(t, one, one, offsets, (1.0, 1.0))
    with pytest.raises(ValueError, match="equal length"):
        damped_random_walk_log_likelihood(t, one, np.ones(5), [0, 5], (1.0, 1.0))


def test_long_curves_of_tiny_and_huge_values_stay_within_the_range_of_numbers():
    t, y, err, offsets = walks(1, 3000, 3000, 30, 0.2, 0.03)
    expected = damped_random_walk_log_likelihood(t, y - 19, err, offsets, (30.0, 0.2))
    for unit in (1e-12, 1e12):
        found = damped_random_walk_log_likelihood(t, unit * (y - 19), unit * err, offsets, (30.0, 0.2 * unit))
        assert found + 3000 * np.log(unit) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("tau, err", [(3.0, 0.01), (30.0, 0.1), (300.0, 0.02)])
def test_the_fit_is_the_highest_likelihood(tau, err):
    t, y, errs, offsets = walks(8, 30, 400, tau, 0.2, err)
    found = damped_random_walk_fit(t, y, errs, offsets)
    again = damped_random_walk_log_likelihood(t, y, errs, offsets, (found.tau, found.sigma))
    np.testing.assert_allclose(again, found.log_likelihood, rtol=1e-12)
    for i in range(8):
        c = slice(offsets[i], offsets[i + 1])
        assert found.log_likelihood[i] > _best_of_a_general_optimiser(t[c], y[c], errs[c]) - 0.01


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


def test_unknown_points_do_not_count_and_short_curves_have_no_answer():
    t, y, err, _ = walks(1, 12, 100, 30, 0.2, 0.03)
    more = [np.insert(x, 6, v) for x, v in ((t, t[5]), (y, np.nan), (err, 0.1))]
    full, padded = damped_random_walk_fit(t, y, err, [0, 12]), damped_random_walk_fit(*more, [0, 13])
    np.testing.assert_array_equal(full, padded)
    assert np.isnan(damped_random_walk_fit(t, y, err, [0, 3, 3, 12]).tau[:2]).all()
    assert np.isnan(damped_random_walk_fit([1.0] * 5, [1.0] * 5, [1.0] * 5, [0, 5]).tau).all()


@pytest.mark.parametrize("at, side", [(0, 0), (0, 1), (1, 0), (1, 1), (None, 0)])
def test_a_walk_that_ends_at_a_limit_has_no_errors(at, side, runnable):
    """Limits of ln(tau) and ln(sigma), one of which leaves out the best walk."""
    t, y, err, _ = walks(1, 25, 100, 8, 0.3, 0.05)
    climb, y, rho = runnable(damped_random_walk._climb), y - y.mean(), np.zeros(25)
    free, *errors = climb(t, y, err**2, rho, (-np.inf, 2.0, -1.5), (-3.0, 8.0, -5.0, 3.0))
    assert np.isfinite(errors).all()
    if at is not None:
        box = [-3.0, 8.0, -5.0, 3.0]
        box[2 * at + side] = free[1 + at] + (0.3 if side == 0 else -0.3)
        start = [-np.inf, min(max(2.0, box[0]), box[1]), min(max(-1.5, box[2]), box[3])]
        best, *errors = climb(t, y, err**2, rho, tuple(start), tuple(box))
        assert best[1 + at] == box[2 * at + side] and np.isnan(errors).all() and best[0] < free[0]
