"""Fits of simulated damped random walks, white noise and constants: their errors and what is taken for a walk."""

from __future__ import annotations

import numpy as np
import pytest
from simulated_walks import walks

from redpoll.astro.damped_random_walk import damped_random_walk_fit


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


def test_a_walk_longer_than_the_curve_has_no_bounded_time():
    found = damped_random_walk_fit(*walks(200, 30, 20, 2000.0, 0.5, 0.01))
    assert np.mean(~np.isfinite(found.tau_err) | (found.tau_err > 0.5 * found.tau)) > 0.9
