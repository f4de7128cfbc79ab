"""Fast risers and faders among alerts of one kind each."""

from __future__ import annotations

import pytest
from rule_inputs import answers

from redpoll.science.fast_transient import fast_transient

RISING = {"mag_rate_lower": -1.2, "mag_rate_upper": -0.8, "mag_rate_days": 1.0}
FADING = {"mag_rate_lower": 0.4, "mag_rate_upper": 0.8, "mag_rate_days": 1.0}


def test_both_ways_count_and_are_named():
    for rates, rule in ((RISING, "rising"), (FADING, "fading")):
        found = answers(fast_transient, **rates)
        assert found["is_fast_transient"].tolist() == [True] and found["fast_transient_rule"].tolist() == [rule]


@pytest.mark.parametrize(
    "change",
    [
        {"is_good": False}, {"roid": "candidate"}, {"roid": "known"}, {"age": 11.0}, {"age": float("nan")},
        {"mag_rate_days": 6.0},
        {"star_score": 0.9, "star_distance_arcsec": 1.0}, {"mag_rate_upper": -0.4, "mag_rate_lower": -2.0},
        {"mag_rate_upper": float("nan"), "mag_rate_lower": float("nan")}, {"n_detections": 1},
        {"n_detections": float("nan")},
    ],
)  # fmt: skip
def test_one_thing_against_it_is_enough(change):
    found = answers(fast_transient, **(RISING | change))
    assert not found["is_fast_transient"][0] and found["fast_transient_rule"][0] is None


def test_a_distant_star_or_a_galaxy_is_nothing_against_it():
    found = answers(fast_transient, 2, **RISING, star_score=[0.9, 0.1], star_distance_arcsec=[3.0, 0.1])
    assert found["is_fast_transient"].tolist() == [True, True]


def test_limits_of_the_rates_are_settings():
    assert not answers(fast_transient, **FADING, min_fade=0.5)["is_fast_transient"][0]
    assert not answers(fast_transient, **RISING, min_rise=1.0)["is_fast_transient"][0]


ON_STAR = {"star_score": 0.8, "star_distance_arcsec": 1.0}


@pytest.mark.parametrize(
    ("rates", "inside", "outside"),
    [
        (RISING, {"mag_rate_upper": -0.501}, {"mag_rate_upper": -0.5}),
        (FADING, {"mag_rate_lower": 0.301}, {"mag_rate_lower": 0.3}),
        (RISING, {"age": 10.0}, {"age": 10.01}), (RISING, {"mag_rate_days": 5.0}, {"mag_rate_days": 5.01}),
        (RISING, {"n_detections": 2}, {"n_detections": 1}),
        (RISING | ON_STAR, {"star_score": 0.76}, {"star_score": 0.761}),
        (RISING | ON_STAR, {"star_distance_arcsec": 1.5}, {"star_distance_arcsec": 1.499}),
    ],
)  # fmt: skip
def test_both_sides_of_each_threshold(rates, inside, outside):
    found = [answers(fast_transient, **rates | change)["is_fast_transient"][0] for change in (inside, outside)]
    assert found == [True, False]
