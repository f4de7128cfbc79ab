"""Rates without chance, held against the 10,000 draws an alert that they replace, and against a slow solution."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import norm

from redpoll.astro.magnitude_rate import rate_between, rate_from_upper_limit

N_DRAWS, DAYS = 10_000, np.array([1.5])
FRACTION_ERR = np.sqrt(0.05 * 0.95 / N_DRAWS)


def _assert_like_draws(found, flux0, flux1):
    draws = -2.5 * np.log10(flux1 / flux0) / DAYS
    mean_err, spread = draws.std() / np.sqrt(N_DRAWS), draws.std()
    assert abs(found.rate[0] - draws.mean()) < 4 * mean_err + 0.06 * spread  # the mean of a logarithm is displaced
    assert found.err[0] == pytest.approx(spread, rel=0.08)
    assert np.mean(draws < found.lower[0]) == pytest.approx(0.05, abs=4 * FRACTION_ERR)
    assert np.mean(draws < found.upper[0]) == pytest.approx(0.95, abs=4 * FRACTION_ERR)


@pytest.mark.parametrize("seed", range(6))
def test_ten_thousand_draws_between_detections_say_the_same(seed):
    rng = np.random.default_rng(seed)
    flux, err = rng.uniform(500, 5000, 2), 1.0
    err = flux / rng.uniform(8, 60, 2)
    found = rate_between(flux[:1], err[:1], flux[1:], err[1:], DAYS)
    _assert_like_draws(found, rng.normal(flux[0], err[0], N_DRAWS), rng.normal(flux[1], err[1], N_DRAWS))


@pytest.mark.parametrize("seed", range(6))
def test_ten_thousand_draws_from_an_upper_limit_agree(seed):
    rng = np.random.default_rng(seed)
    limit, flux = rng.uniform(300, 2000, (2, 1)) * [[1], [2]]
    err = flux / rng.uniform(8, 60)
    found = rate_from_upper_limit(limit, flux, err, DAYS)
    _assert_like_draws(found, rng.uniform(0, limit[0], N_DRAWS), rng.normal(flux[0], err[0], N_DRAWS))


def test_no_chance_is_involved():
    limit, flux, err = (np.full(3, x) for x in (1000.0, 3000.0, 200.0))
    before = str(np.random.get_state())
    one, other = (rate_from_upper_limit(limit, flux, err, np.full(3, 1.5)) for _ in range(2))
    np.testing.assert_array_equal(one, other)
    assert (np.ptp(one, axis=1) == 0).all() and str(np.random.get_state()) == before


def _fraction_below(change, limit, flux, err):
    """Chance that flux / U lies above 10 ** (-0.4 change), by integrating over U on a fine grid."""
    u = (np.arange(100_000) + 0.5) / 100_000 * limit
    return norm.sf(10 ** (-0.4 * change) * u, flux, err).mean()


@pytest.mark.parametrize("snr", [1.7, 4.0, 300.0])
@pytest.mark.parametrize("flux", [1.0, 1e6])
def test_bounds_solve_their_equation(snr, flux):
    found = rate_from_upper_limit(np.array([1000.0]), np.array([flux]), np.array([flux / snr]), np.ones(1))
    about = -2.5 * np.log10(flux / 1000)
    for bound, fraction in ((found.lower[0], 0.05), (found.upper[0], 0.95)):
        slow = brentq(lambda c, p=fraction: _fraction_below(c, 1000.0, flux, flux / snr) - p, about - 12, about + 12)
        assert bound == pytest.approx(slow, abs=2e-4)
