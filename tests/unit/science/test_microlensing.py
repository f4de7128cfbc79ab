"""Events of a point lens."""

from __future__ import annotations

import numpy as np
import pytest

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
    } | changes
    return microlensing(
        mjd, light_curve=curves(*batch), **{name: np.full(len(batch), value) for name, value in columns.items()}
    )


def test_an_event_is_found_with_its_time_and_impact(curves):
    found = _run(curves, _event())
    assert found["is_microlensing_candidate"][0]
    assert found["mulens_einstein_time"][0] == pytest.approx(15, rel=0.2)
    assert found["mulens_impact"][0] == pytest.approx(0.3, rel=0.3)
    assert found["mulens_phase"][0] == pytest.approx(19, abs=1) and found["mulens_chi2"][0] < 1.6
    assert _run(curves, _event(), star_score=np.nan, star_distance_arcsec=np.nan)["is_microlensing_candidate"][0]


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
