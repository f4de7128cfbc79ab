"""Damped random walks at sources that do not move."""

from __future__ import annotations

import numpy as np
import pytest

from redpoll.science.agn import OUTPUTS, agn

SOURCE = {
    "star_distance_arcsec": 0.3, "host_arcsec": np.nan, "gaia_parallax": np.nan, "gaia_parallax_err": np.nan,
    "gaia_pm_ra": np.nan, "gaia_pm_dec": np.nan, "roid": "not_sso", "is_periodic": False,
}  # fmt: skip


def _walk(n=300, tau=15.0, sigma=20_000.0, seed=1):
    rng, flux = np.random.default_rng(seed), 0.0
    points = []
    for i in range(n):
        flux = flux * np.exp(-1 / tau) + sigma * np.sqrt(1 - np.exp(-2 / tau)) * rng.normal()
        points.append(("g", 60000.0 + i, flux + rng.normal(0, 500), 500.0))
    return points


def _run(curves, *batch, **changes):
    columns = {name: np.full(len(batch), value) for name, value in {**SOURCE, **changes}.items()}
    return agn(curves(*batch), **columns)


def test_a_walk_at_a_galaxy_is_a_candidate(curves):
    found = _run(curves, _walk())
    assert 7 < found["drw_tau"][0] < 30 and found["drw_sigma"][0] == pytest.approx(20_000, rel=0.5)
    assert found["drw_delta_bic"][0] > 100 and found["is_agn_candidate"][0]
    assert _run(curves, _walk(), star_distance_arcsec=np.nan, host_arcsec=0.5)["is_agn_candidate"][0]


@pytest.mark.parametrize(
    "change",
    [
        {"star_distance_arcsec": 3.0},
        {"gaia_parallax": 2.0, "gaia_parallax_err": 0.1},
        {"gaia_pm_ra": 30.0, "gaia_pm_dec": 0.0},
        {"is_periodic": True},
        {"roid": "known"},
    ],
    ids=str,
)
def test_a_star_or_a_moving_object_is_none(curves, change):
    assert not _run(curves, _walk(), **change)["is_agn_candidate"][0]


def test_a_walk_that_is_not_much_longer_than_its_damping_is_none(curves):
    found = _run(curves, _walk(60, tau=12.0))
    assert found["drw_delta_bic"][0] > 10 and not found["is_agn_candidate"][0]


def test_noise_few_points_and_nothing_are_none(curves):
    rng = np.random.default_rng(2)
    noise = [("g", 60000.0 + i, rng.normal(0, 500), 500.0) for i in range(100)]
    found = _run(curves, noise, _walk(10), [])
    assert not found["is_agn_candidate"].any() and np.isnan(found["drw_tau"][1:]).all()
    assert set(_run(curves)) == set(OUTPUTS)


def test_the_best_sampled_band_counts(curves):
    extra = [("r", 60000.5 + i, 0.0, 500.0) for i in range(25)]
    mixed = sorted([*_walk(250), *extra], key=lambda point: point[1])
    assert _run(curves, mixed)["drw_tau"][0] == pytest.approx(_run(curves, _walk(250))["drw_tau"][0])


def test_a_damping_time_at_a_limit_of_the_search_is_null(curves):
    """A straight line is damped later than the data tell; white noise has no damping."""
    rng = np.random.default_rng(3)
    line = [("g", 60000.0 + i, 1000.0 * i + rng.normal(0, 50), 50.0) for i in range(100)]
    noise = [("g", 60000.0 + i, rng.normal(0, 5000), 500.0) for i in range(100)]
    found = _run(curves, line, noise, _walk())
    assert np.isfinite(found["drw_delta_bic"]).all()
    for name in ("drw_tau", "drw_tau_err", "drw_sigma"):
        assert np.isfinite(found[name]).tolist() == [False, False, True], name
