"""Periods, and the scores of kinds of periodic variables."""

from __future__ import annotations

import numpy as np
import pytest
from simulated_curves import simulated

from redpoll.science.periodic import OUTPUTS, periodic
from redpoll.science.periodic_class import periodic_class


def _star(rng, period, n=60, days=35.0, bands="gr", amplitude=20_000.0):
    times = np.sort(rng.uniform(0, days, n))
    return [(bands[i % len(bands)], 60000 + t, amplitude * np.sin(2 * np.pi * t / period) + rng.normal(0, 300), 300.0)
            for i, t in enumerate(times)]  # fmt: skip


def _run(curves, batch, band="r", roid="not_sso", **settings):
    mjd = np.array([points[-1][1] if points else 60000.0 for points in batch])
    n = len(batch)
    return periodic(
        mjd, np.array([band] * n, object), np.full(n, roid, object), np.full(n, 18.0, np.float32), curves(*batch),
        **settings,
    )  # fmt: skip


@pytest.mark.parametrize("period", [0.31, 0.57, 3.3])
def test_a_star_s_period_is_found_in_all_bands_together(curves, period):
    found = _run(curves, [_star(np.random.default_rng(1), period)])
    assert found["period"][0] == pytest.approx(period, rel=1e-3)
    assert found["is_periodic"][0] and found["period_log10_fap"][0] < -10 and found["period_points"][0] == 60
    assert 0.08 < found["period_amplitude"][0] < 0.11  # 20,000 around 229,000 nJy


def test_a_period_of_months_is_found_in_a_year(curves):
    found = _run(curves, [_star(np.random.default_rng(2), 80.0, days=390.0)])
    assert found["period"][0] == pytest.approx(80.0, rel=0.02) and found["is_periodic"][0]
    assert found["period_cycles"][0] == pytest.approx(390 / 80, abs=0.4)


def test_two_waves_are_no_period_yet(curves):
    waves = _star(np.random.default_rng(6), 12.0, days=30.0)
    assert not _run(curves, [waves])["is_periodic"][0]
    assert _run(curves, [waves], min_cycles=2.0)["is_periodic"][0]


def test_few_nights_of_many_bands_leave_more_than_one_period(curves):
    """Five points within minutes, nine times in a year, of a star that rises fast and fades slowly."""
    rng = np.random.default_rng(7)
    times = 60000 + np.sort(rng.choice(360, 9, replace=False)) + rng.uniform(0.2, 0.4, 9)
    star = [(b, t + 0.001 * k, 3000 * ((t / 0.55) % 1.0) + rng.normal(0, 300), 300.0)
            for t in times for k, b in enumerate("ugriz")]  # fmt: skip
    found = _run(curves, [star])
    assert found["period_log10_fap"][0] < -5 and found["period_power"][0] > 0.5
    assert found["period_margin"][0] < 1 and not found["is_periodic"][0]


def test_noise_and_days_are_no_periods(curves):
    rng = np.random.default_rng(3)
    noise = [(b, t, rng.normal(0, 300), 300.0) for b, t, _, _ in _star(rng, 0.5)]
    daily = _star(rng, 1.0)
    found = _run(curves, [noise, daily])
    assert not found["is_periodic"].any() and found["period_log10_fap"][0] > -3


def _is_periodic(name, **settings):
    light, _ = simulated(name, 300, days=40.0, step=2.0, seed=1)
    n, mjd = len(light), light.mjd[light.triggering]
    unknown = np.full(n, np.nan, np.float32)
    return periodic(mjd, np.array(["r"] * n, object), np.zeros(n, np.int8), unknown, light, **settings)["is_periodic"]


def test_what_is_smooth_from_night_to_night_has_no_short_period():
    """Fewer active galaxies, disruptions and supernovae than without asking for it, and more than four of five stars.

    Of simulated RR Lyrae stars 0.86 are found (189 of 221 with seeds 1 to 4); of those before the simulator was set
    by real stars it was 0.88 (169 of 192, seeds 1 to 6).
    """
    found, without = ({name: _is_periodic(name, min_margin=0.0, min_power=0.5, min_nights=5, min_ratio=ratio).sum()
                       for name in ("agn", "tde", "sn_ii", "rr_lyrae")} for ratio in (0.75, 0.0))  # fmt: skip
    stars, others = without.pop("rr_lyrae"), sum(without.values())
    assert found.pop("rr_lyrae") >= 0.8 * stars > 9 and sum(found.values()) <= 0.75 * others and others > 10


@pytest.mark.parametrize("name", ["agn", "tde", "sn_ii", "sn_ia"])
def test_what_has_no_period_fits_more_than_one(name):
    assert _is_periodic(name).mean() < 0.01


def test_a_smooth_light_curve_is_searched_for_long_periods_alone(curves):
    """It has no margin unless a long period is significant, and then all periods were compared."""
    rng = np.random.default_rng(8)
    walk = [("r", 60000.0 + day, 20_000 * np.sin(2 * np.pi * day / 300) + rng.normal(0, 300), 300.0)
            for day in range(0, 120, 3)]  # fmt: skip
    wave = [("r", 60000.0 + day, 20_000 * np.sin(2 * np.pi * day / 30) + rng.normal(0, 300), 300.0)
            for day in range(0, 240, 3)]  # fmt: skip
    dense = [(band, t + rng.uniform(0, 0.3), flux, err) for band, t, flux, err in wave]
    found = _run(curves, [walk, dense])
    assert np.isnan(found["period_margin"][0]) and not found["is_periodic"][0] and found["period"][0] > 12
    assert found["period_margin"][1] > 2 and found["is_periodic"][1]
    assert found["period"][1] == pytest.approx(30.0, rel=0.01)


def test_exposures_of_a_visit_are_averaged(curves):
    rng = np.random.default_rng(9)
    star = [(b, t + k * 40 / 86400, f, e) for b, t, f, e in _star(rng, 0.31, n=50) for k in range(8)]
    found = _run(curves, [star])
    assert found["period_points"][0] == 50 and found["period"][0] == pytest.approx(0.31, rel=1e-3)


def test_what_was_detected_in_few_nights_has_no_period(curves):
    rng = np.random.default_rng(4)
    star = [p for p in _star(rng, 0.31, n=200) if p[1] % 9 < 1]
    nights = {int(p[1]) for p in star}
    assert len(star) >= 20 and len(nights) == 4
    assert _run(curves, [star], min_nights=4)["is_periodic"][0] and not _run(curves, [star])["is_periodic"][0]


def test_few_points_and_solar_system_objects_are_not_searched(curves):
    rng = np.random.default_rng(4)
    few = _run(curves, [_star(rng, 0.5, n=10), []])
    moving = _run(curves, [_star(rng, 0.5)], roid="known")
    for found in (few, moving, _run(curves, [])):
        assert set(found) == set(OUTPUTS)
        assert np.isnan(found["period"]).all() and not found["is_periodic"].any() and not found["period_points"].any()


def test_only_the_newest_points_are_searched(curves):
    found = _run(curves, [_star(np.random.default_rng(5), 0.4, n=120)], max_points=50)
    assert found["period_points"][0] == 50


class Kinds:
    """Five kinds and what is none of them: always the same answer."""

    version = "1"

    def predict_proba(self, X):
        return np.tile([0.1, 0.5, 0.1, 0.1, 0.1, 0.1], (len(X), 1))


def test_only_a_periodic_source_has_a_kind():
    columns = {name: np.zeros(2, np.float32) for name in periodic_class.inputs}
    found = periodic_class(**columns | {"is_periodic": np.array([True, False])}, model=Kinds())
    assert found["p_rr_lyrae"].tolist() == pytest.approx([0.5, np.nan], nan_ok=True)
    assert {column.assigns for column in periodic_class.outputs.values()} >= {"rr_lyrae", "eclipsing_binary"}
