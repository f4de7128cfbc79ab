"""Damped random walks at sources that do not move."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from redpoll.science.agn import OUTPUTS, agn
from redpoll.statistics import damped_random_walk_fit

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


def test_the_best_sampled_band_counts(curves, every_point):
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


FITTED = {"tau": 20.0, "tau_err": 5.0, "sigma": 9.0, "delta_bic_white": 50.0}


@pytest.fixture
def fitted(curves, monkeypatch, every_point):
    """``fitted(points, fit, **columns)``: what the rule makes of the numbers of a fit; and the points it was given."""

    def answer(points=tuple(("g", i, 1.0, 1.0) for i in range(0, 1000, 10)), fit=None, **columns):
        given = []

        def fake_fit(mjd, flux, flux_err, offsets, use_cache):
            given.append(mjd)
            return SimpleNamespace(**{name: np.full(len(offsets) - 1, x) for name, x in (FITTED | (fit or {})).items()})

        monkeypatch.setattr("redpoll.science.agn.damped_random_walk_fit", fake_fit)
        found = _run(curves, points, **columns)
        return {name: values[0] for name, values in found.items()}, given[0]

    return answer


@pytest.mark.parametrize(
    ("inside", "outside"),
    [
        ({"delta_bic_white": 10.0}, {"delta_bic_white": 9.999}),
        ({"tau": 5.0, "tau_err": 1.0}, {"tau": 4.999, "tau_err": 1.0}),
        ({"tau_err": 19.999}, {"tau_err": 20.0}), ({"tau": 99.0}, {"tau": 99.001}),
    ],
)  # fmt: skip
def test_both_sides_of_the_thresholds_of_the_fit(inside, outside, fitted):
    """The 100 points last 990 days."""
    assert [fitted(fit=fit)[0]["is_agn_candidate"] for fit in (inside, outside)] == [True, False]


@pytest.mark.parametrize(
    ("inside", "outside"),
    [
        ({"star_distance_arcsec": 1.0}, {"star_distance_arcsec": 1.001}),
        ({"star_distance_arcsec": np.nan, "host_arcsec": 1.0}, {"star_distance_arcsec": np.nan, "host_arcsec": 1.001}),
        ({"gaia_parallax": 1.0, "gaia_parallax_err": 0.2}, {"gaia_parallax": 1.001, "gaia_parallax_err": 0.2}),
        ({"gaia_pm_ra": -6.0, "gaia_pm_dec": 8.0}, {"gaia_pm_ra": -6.0, "gaia_pm_dec": 8.001}),
        ({}, {"is_periodic": True}), ({}, {"roid": "candidate"}),
    ],
)  # fmt: skip
def test_both_sides_of_the_thresholds_of_columns(inside, outside, fitted):
    assert [fitted(**columns)[0]["is_agn_candidate"] for columns in (inside, outside)] == [True, False]


@pytest.mark.parametrize(("n", "n_fitted"), [(19, 0), (20, 20), (300, 300), (301, 300)])
def test_the_newest_300_points_are_fitted_and_no_fewer_than_20(n, n_fitted, fitted):
    assert fitted([("g", i, 1.0, 1.0) for i in range(n)])[1].tolist() == list(range(n))[n - n_fitted :]


@pytest.mark.parametrize(("days", "n_fitted"), [(0.49, 20), (0.51, 40)])
def test_points_of_a_visit_of_half_a_day_are_averaged(days, n_fitted, fitted):
    points = [("g", 10.0 * i + t, 1.0, 1.0) for i in range(20) for t in (0.0, days)]
    assert len(fitted(points)[1]) == n_fitted


def test_the_numbers_are_those_of_the_fit(curves, every_point):
    """Found in 300 points of a walk of 15 d and 20,000 nJy, whose errors are a fifth and a tenth."""
    points = _walk()
    mjd, flux, flux_err = (np.array([p[i] for p in points], np.float32 if i > 1 else np.float64) for i in (1, 2, 3))
    walk = damped_random_walk_fit(mjd, flux, flux_err, np.array([0, len(points)]))
    found = _run(curves, points)
    assert found["drw_tau"][0] == walk.tau[0] and found["drw_tau_err"][0] == walk.tau_err[0]
    assert found["drw_sigma"][0] == walk.sigma[0] and found["drw_delta_bic"][0] == walk.delta_bic_white[0]
    assert abs(walk.tau[0] - 15.0) < 2 * walk.tau_err[0]


def test_walks_of_20_000_njy_and_20_damping_times_are_found_a_tenth_too_low(curves):
    found = _run(curves, *(_walk(seed=seed) for seed in range(20)))["drw_sigma"]
    assert found.mean() == pytest.approx(17_800, rel=0.05)  # scatter of one 14 %
