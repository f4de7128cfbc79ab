"""Events of a point lens."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from redpoll.curve_fitting import paczynski_fit
from redpoll.science.microlensing import OUTPUTS, microlensing


def _event(seed=1, einstein_time=15.0, impact=0.3, peak=20.0, n=40, blue=1.0):
    """Difference fluxes in g and r, a point a day; g brightens `blue` times as much at the peak."""
    rng, points = np.random.default_rng(seed), []
    for i in range(n):
        u2 = impact**2 + ((i - peak) / einstein_time) ** 2
        gain = (u2 + 2) / np.sqrt(u2 * (u2 + 4)) - 1
        flux = 20_000 * gain * (1 + (blue - 1) * (i % 2) * np.exp(-((i - peak) ** 2) / 50))
        points.append(("rg"[i % 2], 60000.0 + i, flux + rng.normal(0, 400), 400.0))
    return points


def _run(curves, *batch, **changes):
    mjd = np.array([points[-1][1] if points else 60000.0 for points in batch])
    columns = {
        "is_good": True,
        "star_score": 0.9,
        "star_distance_arcsec": 0.2,
        "roid": "not_sso",
        "is_periodic": False,
        "host_d_dlr": np.nan,
        "n_detections": 40,
        "reference_mag": np.nan,
        "reference_distance_arcsec": np.nan,
    } | changes
    return microlensing(
        mjd, light_curve=curves(*batch), **{name: np.full(len(batch), value) for name, value in columns.items()}
    )


def test_an_event_is_found_with_its_time_and_impact(curves):
    found = _run(curves, _event())
    assert found["is_microlensing_candidate"][0]
    template = {"reference_mag": 20.0, "reference_distance_arcsec": 0.3}
    assert _run(curves, _event(), star_distance_arcsec=2.0, **template)["is_microlensing_candidate"][0]
    assert found["mulens_chi2"][0] < 1.6


@pytest.mark.parametrize(
    ("template", "is_it"),
    [
        ({"reference_mag": 20.0}, True), ({}, False),
        ({"reference_mag": 20.0, "reference_distance_arcsec": 1.999}, True),
        ({"reference_mag": 20.0, "reference_distance_arcsec": 2.0}, False),
    ],
)  # fmt: skip
def test_without_a_catalogue_the_star_must_be_in_the_template(template, is_it, curves):
    found = _run(curves, _event(), star_score=np.nan, star_distance_arcsec=np.nan, **template)
    assert found["is_microlensing_candidate"][0] == is_it and np.isfinite(found["mulens_chi2"][0]) == is_it


@pytest.mark.parametrize(
    "change",
    [
        {"star_score": 0.1},
        {"star_distance_arcsec": 9.0},
        {"host_d_dlr": 1.0},
        {"roid": "known"},
        {"is_periodic": True},
        {"is_good": False},
        {"n_detections": 121},
    ],
    ids=str,
)
def test_what_is_no_star_moves_repeats_or_is_bad_is_none(curves, change):
    assert not _run(curves, _event(), **change)["is_microlensing_candidate"][0]


@pytest.mark.parametrize("minutes, n_fitted", [(28.0, 40), (29.0, 80)])
def test_points_of_a_visit_are_averaged(curves, monkeypatch, every_point, minutes, n_fitted):
    fitted = []
    monkeypatch.setattr(
        "redpoll.science.microlensing.paczynski_fit", lambda *a, **k: fitted.append(a) or paczynski_fit(*a)
    )
    again = [(b, t + minutes / 1440, f, e) for b, t, f, e in _event()]
    _run(curves, sorted([*_event(), *again], key=lambda point: point[1]))
    assert len(fitted[0][0]) == n_fitted


def test_what_was_seen_for_hours_only_is_no_event(curves):
    hours = [(b, 60000.0 + (t - 60000.0) / 24, f, e) for b, t, f, e in _event(einstein_time=60.0)]
    assert not _run(curves, hours)["is_microlensing_candidate"][0]


def test_an_unknown_number_of_detections_speaks_against_nothing(curves):
    assert _run(curves, _event(), n_detections=np.nan)["is_microlensing_candidate"][0]


def test_a_change_of_colour_speaks_against_a_lens(curves):
    assert not _run(curves, _event(blue=2.0))["is_microlensing_candidate"][0]


def test_a_sine_noise_and_few_points_are_no_events(curves):
    rng = np.random.default_rng(3)
    sine = [("g", 60000.0 + i, 20_000 * np.sin(i / 3) + rng.normal(0, 400), 400.0) for i in range(40)]
    noise = [("g", 60000.0 + i, rng.normal(0, 400), 400.0) for i in range(40)]
    found = _run(curves, sine, noise, _event()[:8], [])
    assert not found["is_microlensing_candidate"].any() and np.isnan(found["mulens_chi2"][2:]).all()
    assert set(_run(curves)) == set(OUTPUTS)


FITTED = {
    "t0": 60030.0, "einstein_time": 15.0, "einstein_time_err": 1.0, "impact": 0.3, "impact_err": 0.1,
    "delta_chi2": 900.0, "reduced_chi2": 1.0,
}  # fmt: skip


@pytest.fixture
def fitted(curves, monkeypatch, every_point):
    """``fitted(points, fit, **columns)``: what the rule makes of the numbers of a fit; and the points it was given."""

    def answer(points=tuple(("g", 60000.0 + i, 1.0, 1.0) for i in range(40)), fit=None, **columns):
        given = []

        def fake_fit(mjd, band, flux, flux_err, offsets, use_cache):
            given.append(mjd)
            return SimpleNamespace(**{name: np.full(len(offsets) - 1, x) for name, x in (FITTED | (fit or {})).items()})

        monkeypatch.setattr("redpoll.science.microlensing.paczynski_fit", fake_fit)
        found = _run(curves, points, **columns)
        return {name: values[0] for name, values in found.items()}, given[0] - 60000.0

    return answer


@pytest.mark.parametrize(
    ("inside", "outside"),
    [
        ({"delta_chi2": 200.0}, {"delta_chi2": 199.9}), ({"reduced_chi2": 2.5}, {"reduced_chi2": 2.501}),
        ({"impact": 1.0}, {"impact": 1.001}), ({"einstein_time": 500.0}, {"einstein_time": 500.1}),
        ({"einstein_time": 1.0, "t0": 60039.0, "einstein_time_err": 0.1},
         {"einstein_time": 0.999, "t0": 60039.0, "einstein_time_err": 0.1}),
        ({"t0": 60009.0}, {"t0": 60008.99}), ({"t0": 60069.0}, {"t0": 60069.01}),
    ],
)  # fmt: skip
def test_both_sides_of_the_thresholds_of_the_fit(inside, outside, fitted):
    """The alert is at 60039; two Einstein times are 30 d."""
    assert [fitted(fit=fit)[0]["is_microlensing_candidate"] for fit in (inside, outside)] == [True, False]


@pytest.mark.parametrize(
    ("inside", "outside"),
    [
        ({"star_score": 0.3}, {"star_score": 0.299}), ({"star_distance_arcsec": 1.999}, {"star_distance_arcsec": 2.0}),
        ({"host_d_dlr": 3.0}, {"host_d_dlr": 2.999}), ({}, {"roid": "candidate"}), ({}, {"is_good": False}),
        ({}, {"is_periodic": True}), ({"n_detections": 120}, {"n_detections": 121}),
    ],
)  # fmt: skip
def test_both_sides_of_the_thresholds_of_columns(inside, outside, fitted):
    assert [fitted(**columns)[0]["is_microlensing_candidate"] for columns in (inside, outside)] == [True, False]


@pytest.mark.parametrize(
    ("held", "n_detections", "is_it"), [(9, 29, True), (9, 30, False), (12, 36, True), (12, 37, False)]
)
def test_twenty_earlier_detections_or_twice_those_held_are_not_too_many(held, n_detections, is_it, fitted):
    kinds = ["forced"] * (12 - held) + ["detection"] * held
    points = [("g", 60028.0 + i, 1.0, 1.0, kind) for i, kind in enumerate(kinds)]
    assert fitted(points, n_detections=n_detections)[0]["is_microlensing_candidate"] == is_it


@pytest.mark.parametrize(("span", "is_it"), [(3.0, True), (2.99, False)])
def test_the_detections_last_three_days(span, is_it, fitted):
    early = [("g", 60000.0, 0.0, 1.0, "forced")]
    points = [("g", 60039.0 - span * (1 - i / 11), 1.0, 1.0) for i in range(12)]
    assert fitted([*early, *points], n_detections=12)[0]["is_microlensing_candidate"] == is_it


@pytest.mark.parametrize(("n", "n_fitted"), [(11, 0), (12, 12), (150, 150), (151, 150)])
def test_the_newest_150_points_are_fitted_and_no_fewer_than_12(n, n_fitted, fitted):
    points = [("g", 60000.0 + i, 1.0, 1.0) for i in range(n)]
    assert fitted(points, n_detections=n)[1].tolist() == list(range(n))[n - n_fitted :]


@pytest.mark.parametrize(
    ("n", "n_above", "sigma", "is_it"),
    [(6, 14, 9.0, True), (7, 16, 9.0, False), (7, 16, 5.01, False), (7, 16, 4.99, True)],
)  # fmt: skip
def test_a_star_was_below_its_template_in_three_tenths_of_its_five_sigma_points_at_most(
    n, n_above, sigma, is_it, fitted
):
    dips = [("g", 60000.0 + i, -sigma, 1.0, "forced") for i in range(n)]
    points = [*dips, *(("g", 60040.0 - n_above + i, 9.0, 1.0) for i in range(n_above))]
    assert fitted(points, n_detections=n_above)[0]["is_microlensing_candidate"] == is_it


def test_the_numbers_are_those_of_the_fit(curves, every_point):
    points = _event()
    band, mjd, flux, flux_err = zip(*points, strict=True)
    arrays = np.array(mjd), np.array(["gr".index(b) for b in band]), np.float32(flux), np.float32(flux_err)
    fit = paczynski_fit(*arrays, np.array([0, len(points)]))
    found = _run(curves, points)
    assert found["mulens_einstein_time"][0] == pytest.approx(fit.einstein_time[0], rel=1e-6)
    assert found["mulens_impact"][0] == pytest.approx(fit.impact[0], rel=1e-6)
    assert found["mulens_phase"][0] == pytest.approx(mjd[-1] - fit.t0[0], rel=1e-6)
    assert abs(fit.einstein_time[0] - 15.0) < 2 * fit.einstein_time_err[0]
    assert found["mulens_mjd"][0] == mjd[-1] and np.isnan(_run(curves, points[:8])["mulens_mjd"][0])
    assert abs(fit.impact[0] - 0.3) < 2 * fit.impact_err[0] and abs(fit.t0[0] - 60020.0) < 0.2
