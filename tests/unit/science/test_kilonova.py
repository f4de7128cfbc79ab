"""Fading by hand, and the simulator's kilonovae against its supernovae."""

from __future__ import annotations

import numpy as np
import pytest
from rule_inputs import answers
from simulated_curves import simulated

from redpoll.science.kilonova import kilonova
from redpoll.sky import galactic_latitude


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


POLE = {"ra": 192.859508, "dec": 27.128336}  # the north Galactic one: the latitude falls by a degree a degree of dec


@pytest.mark.parametrize(
    ("inside", "outside"),
    [
        ({"age": 5.0}, {"age": 5.01}), ({"n_detections": 19}, {"n_detections": 20}),
        ({"colour_g_r": -0.4}, {"colour_g_r": -0.401}), ({"sso_distance_arcsec": 10.01}, {"sso_distance_arcsec": 10.0}),
        ({"star_distance_arcsec": 0.1, "star_score": 0.76}, {"star_distance_arcsec": 0.1, "star_score": 0.761}),
        ({"star_distance_arcsec": 1.5, "star_score": 0.9}, {"star_distance_arcsec": 1.499, "star_score": 0.9}),
        (POLE | {"dec": 27.128336 - 79.99}, POLE | {"dec": 27.128336 - 80.01}),
        ({"ra": 12.859508, "dec": -27.128336 + 79.99}, {"ra": 12.859508, "dec": -27.128336 + 80.01}),
    ],
)  # fmt: skip
def test_both_sides_of_the_thresholds_of_columns(inside, outside, curves, seen):
    light = curves(fading(seen))
    found = [answers(kilonova, light_curve=light, **change)["is_kilonova_candidate"][0] for change in (inside, outside)]
    assert found == [True, False]


def test_a_latitude_of_exactly_the_limit_passes(curves, seen):
    latitude = abs(galactic_latitude(np.array([180.0]), np.array([60.0]))[0])
    assert answers(kilonova, light_curve=curves(fading(seen)), min_latitude=latitude)["is_kilonova_candidate"][0]


@pytest.mark.parametrize(
    ("inside", "outside"),
    [
        ({"rate": 0.301, "mag_err": 0.01}, {"rate": 0.299, "mag_err": 0.01}),
        ({"mag_err": 0.2819}, {"mag_err": 0.2838}),  # of the slope: 0.6 mag/d over the error by the square root of 2
        ({"days": (0, 0.5)}, {"days": (0, 0.499)}),
        ({"days": (0, 6)}, {"days": (0, 6.01)}),
    ],
)  # fmt: skip
def test_both_sides_of_the_thresholds_of_the_fading(inside, outside, curves, seen):
    usual = {"rate": 0.6, "mag_err": 0.02, "days": (0, 1, 2)}
    made = [usual | change for change in (inside, outside)]
    light = curves(*([seen("r", t, 19.0 + c["rate"] * t, c["mag_err"]) for t in c["days"]] for c in made))
    assert answers(kilonova, 2, light_curve=light)["is_kilonova_candidate"].tolist() == [True, False]


def test_a_fading_of_exactly_the_limits_does_not_pass(curves, seen):
    light = curves(fading(seen))
    found = answers(kilonova, light_curve=light)
    fade, err = found["kilonova_fade"][0], found["kilonova_fade_err"][0]
    assert fade / err * err == fade
    for settings in ({"min_fade": fade}, {"min_sigma": fade / err}):
        assert not answers(kilonova, light_curve=light, **settings)["is_kilonova_candidate"][0]


def test_each_alert_has_the_band_of_the_largest_ratio_of_slope_to_error(curves, seen):
    sure, rough = [seen("g", t, 19 + 0.5 * t, 0.05) for t in (0, 1, 2)], [seen("i", t, 19 + t, 0.5) for t in (0, 1, 2)]
    mixed = sorted([*sure, *rough], key=lambda p: p[1])
    found = answers(kilonova, 3, light_curve=curves(mixed, rough, mixed))["kilonova_fade"]
    assert found.tolist() == pytest.approx([0.5, 1.0, 0.5], abs=1e-4)


def test_a_point_without_an_error_does_not_count(curves, seen):
    found = answers(kilonova, light_curve=curves([("r", 0, 1e4, 0.0), *fading(seen)]))
    assert found["kilonova_fade"][0] == pytest.approx(0.6, abs=1e-4)
    small = [("r", 0, 1000.0, 0.5), ("r", 1, 100.0, 0.5)]
    assert answers(kilonova, light_curve=curves(small))["kilonova_fade"][0] == pytest.approx(2.5, abs=1e-4)


def test_two_points_of_one_time_have_no_slope_whatever_the_span(curves, seen):
    points = [seen("r", 0, 19), seen("r", 0, 20), *(seen("g", t, 19 + t) for t in (0, 1))]
    assert answers(kilonova, light_curve=curves(points), min_span=0.0)["kilonova_fade"][0] == pytest.approx(
        1.0, abs=1e-4
    )
