"""The posterior of w against a slow twin, scipy, known answers and its own forecast."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from redpoll.astro.wcdm import wcdm_distance_modulus
from redpoll.learn.cosmology.hubble_diagram import HubbleDiagram
from redpoll.learn.cosmology.posterior import CosmologyFit, Priors, WPosterior


def diagram(w: float = -1.0, omega_m: float = 0.3, seed: int = 0, noise: float = 0.0, n: int = 600) -> HubbleDiagram:
    rng = np.random.default_rng(seed)
    z, err = rng.uniform(0.02, 1.0, n), rng.uniform(0.1, 0.2, n)
    return HubbleDiagram(z, wcdm_distance_modulus(z, omega_m, w) + noise * err * rng.standard_normal(n), err)


@pytest.fixture(scope="module")
def fit() -> CosmologyFit:
    return CosmologyFit(1.0)


def test_the_posterior_is_that_of_every_supernova_at_every_point(fit: CosmologyFit) -> None:
    """The slow twin keeps each modulus, and integrates over the absolute magnitude by numbers."""
    data = diagram(w=-0.8, noise=1.0, n=120)
    posterior = fit.posterior(data)
    omega_m = 0.3 + 0.02 * np.linspace(-4, 4, 41)
    weight, shift = data.mu_err**-2, np.linspace(-0.4, 0.4, 401)[:, None]
    p = np.zeros(len(posterior.w))
    for i in range(150, 200, 10):
        for each in omega_m:
            r = data.mu - wcdm_distance_modulus(data.redshift, each, posterior.w[i])
            likelihood = np.exp(-0.5 * (weight * (r - shift) ** 2).sum(axis=1) + 0.5 * len(r))
            p[i] += likelihood.sum() * np.exp(-0.5 * ((each - 0.3) / 0.02) ** 2)
    some = p > 0
    np.testing.assert_allclose(posterior.p[some] / posterior.p[some].sum(), p[some] / p.sum(), rtol=1e-4)


def test_one_offset_of_all_distances_changes_nothing(fit: CosmologyFit) -> None:
    data = diagram(noise=1.0)
    moved = HubbleDiagram(data.redshift, data.mu - 19.3, data.mu_err)
    np.testing.assert_allclose(fit.posterior(moved).p, fit.posterior(data).p, atol=1e-9)


def test_w_lies_within_its_error_as_often_as_it_should(fit: CosmologyFit) -> None:
    """Universes drawn from the prior of matter: 68 % of the pulls are within one."""
    rng = np.random.default_rng(3)
    pulls = []
    for seed in range(150):
        found = fit.posterior(diagram(w=-0.9, omega_m=rng.normal(0.3, 0.02), seed=seed, noise=1.0))
        pulls.append((found.mean + 0.9) / found.sd)
    assert abs(np.mean(pulls)) < 0.25
    assert 0.85 < np.std(pulls) < 1.15


def test_the_forecast_is_the_posterior_of_good_data(fit: CosmologyFit) -> None:
    z = np.linspace(0.02, 1.0, 4000)
    sharp = CosmologyFit(1.0, Priors(omega_m_err=0.002))
    data = HubbleDiagram(z, wcdm_distance_modulus(z, 0.3, -0.98), np.full(4000, 0.1))
    forecast, found = sharp.fisher(data), sharp.posterior(data)
    assert forecast.w_err == pytest.approx(found.sd, rel=0.05)
    assert forecast.w_shift == pytest.approx(found.mean + 1.0, abs=0.002)
    assert fit.fisher(data).w_err > 2 * forecast.w_err  # matter less well known


def test_a_prior_of_w_draws_it_to_the_prior() -> None:
    data = diagram(w=-0.6)
    found = CosmologyFit(1.0, Priors(w_err=0.01)).posterior(data)
    assert abs(found.mean + 1.0) < 0.02 and found.sd < 0.011


def test_the_earth_mover_distance_is_that_of_scipy() -> None:
    w = np.linspace(-2, 0, 101)
    one, other = (np.exp(-0.5 * ((w - m) / s) ** 2) for m, s in ((-1.0, 0.1), (-0.7, 0.3)))
    a, b = WPosterior(w, one / one.sum()), WPosterior(w, other / other.sum())
    assert a.distance(b) == pytest.approx(wasserstein_distance(w, w, one, other))
    assert a.distance(b) == b.distance(a) and a.distance(a) == 0


def test_a_posterior_that_the_grid_cuts_off_is_noticed(fit: CosmologyFit) -> None:
    assert fit.posterior(diagram(w=1.6, omega_m=0.3)).at_edge
    assert not fit.posterior(diagram()).at_edge
