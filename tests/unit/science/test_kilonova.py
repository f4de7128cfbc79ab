"""Fading by hand, and the simulator's kilonovae against its supernovae."""

from __future__ import annotations

import numpy as np
import pytest
from rule_inputs import answers
from simulated_curves import simulated

from redpoll.science.kilonova import kilonova


def fading(seen, rate=0.6, days=(0, 1, 2), band="r"):
    return [seen(band, t, 19.0 + rate * t) for t in days]


def test_the_slope_is_that_of_a_straight_line(curves, seen):
    found = answers(kilonova, light_curve=curves(fading(seen)))
    assert found["kilonova_fade"][0] == pytest.approx(0.6, abs=1e-4)
    assert found["kilonova_fade_err"][0] == pytest.approx(0.05 / np.sqrt(2), rel=1e-3)
    assert found["is_kilonova_candidate"].tolist() == [True]


def test_the_most_surely_fading_band_counts(curves, seen):
    mixed = sorted([*fading(seen, 0.1, band="g"), *fading(seen, 0.7, band="i")], key=lambda p: p[1])
    assert answers(kilonova, light_curve=curves(mixed))["kilonova_fade"][0] == pytest.approx(0.7, abs=1e-4)


def test_points_of_before_the_last_days_do_not_count(curves, seen):
    found = answers(kilonova, light_curve=curves([seen("r", -20, 25.0), *fading(seen)]))
    assert found["kilonova_fade"][0] == pytest.approx(0.6, abs=1e-4)


@pytest.mark.parametrize(
    "change",
    [
        {"is_good": False}, {"age": 6.0}, {"n_detections": 20}, {"roid": "known"}, {"ra": 266.4, "dec": -28.9},
        {"star_score": 0.9, "star_distance_arcsec": 0.5}, {"sso_distance_arcsec": 5.0}, {"colour_g_r": -0.5},
        {"n_detections": float("nan")}, {"min_fade": 0.7}, {"min_span": 3.0},
    ],
)  # fmt: skip
def test_one_thing_against_it_is_enough(change, curves, seen):
    assert not answers(kilonova, light_curve=curves(fading(seen)), **change)["is_kilonova_candidate"][0]


def test_a_short_or_uncertain_fading_does_not_count(curves, seen):
    short, rough = fading(seen, days=(0, 0.1, 0.3)), [seen("r", t, 19 + 0.6 * t, 0.5) for t in (0, 1)]
    found = answers(kilonova, 2, light_curve=curves(short, rough))
    assert np.isnan(found["kilonova_fade"][0]) and not found["is_kilonova_candidate"].any()


def test_one_point_and_no_point_have_no_slope(curves, seen):
    found = answers(kilonova, 2, light_curve=curves([seen("r", 0, 19)], []))
    assert np.isnan(found["kilonova_fade"]).all() and not found["is_kilonova_candidate"].any()
    assert len(answers(kilonova, 0, light_curve=curves())["kilonova_fade"]) == 0


def test_it_finds_simulated_kilonovae_and_hardly_a_supernova():
    """At the last detection, seen twice a night to magnitude 21 for eight days: one in six, and none of 1,660."""
    fraction = {}
    for name in ("kilonova", "sn_ia", "sn_ii", "tde"):
        light, about = simulated(name, 1000, days=8.0, step=0.5, depth=21.0, seed=3)
        found = answers(kilonova, len(light), light_curve=light, age=about["age"].tolist())
        is_known = np.isfinite(found["kilonova_fade"])
        fraction[name] = found["is_kilonova_candidate"][is_known].mean()
    assert fraction["kilonova"] > 0.12 and max(fraction["sn_ia"], fraction["sn_ii"], fraction["tde"]) < 0.005
