"""Each filter: what passes, and every single reason not to."""

from __future__ import annotations

import numpy as np
import pytest

from redpoll.conditions import FINK_ROID
from redpoll.filters.bright_new_transients import bright_new_transients
from redpoll.filters.fast_risers import fast_risers
from redpoll.filters.lost_and_found import lost_and_found
from redpoll.filters.solar_system_candidates import solar_system_candidates

TRANSIENTS = (bright_new_transients, fast_risers)
ALL = (*TRANSIENTS, lost_and_found, solar_system_candidates)
EXTRA = {solar_system_candidates.topic: {"roid": "candidate"}}


@pytest.mark.parametrize("one", ALL, ids=str)
def test_a_good_alert_passes(passes, one):
    assert passes(one, **EXTRA.get(one.topic, {}))


@pytest.mark.parametrize("one", ALL, ids=str)
def test_a_detection_that_cannot_be_believed_does_not_pass(passes, one):
    assert not passes(one, **{**EXTRA.get(one.topic, {}), "is_good": False})


@pytest.mark.parametrize("one", (*TRANSIENTS, lost_and_found), ids=str)
@pytest.mark.parametrize(
    "roid, expected", [("not_sso", True), ("first_detection", True), ("candidate", False), ("known", False)]
)
def test_a_solar_system_object_is_no_transient(passes, one, roid, expected):
    assert passes(one, roid=roid) == expected


@pytest.mark.parametrize("one", TRANSIENTS, ids=str)
@pytest.mark.parametrize("score, distance, expected", [(0.9, 1.4, False), (0.9, 1.5, True), (0.7, 0.1, True)])
def test_a_star_is_no_transient(passes, one, score, distance, expected):
    assert passes(one, star_score=score, star_distance_arcsec=distance) == expected


@pytest.mark.parametrize(
    "one, column, inside, outside",
    [
        (bright_new_transients, "mag", 19.0, 19.01),
        (bright_new_transients, "age", 10.0, 10.01),
        (bright_new_transients, "n_detections", 2, 1),
        (fast_risers, "mag_rate_upper", -0.31, -0.3),
        (fast_risers, "mag_rate_days", 5.0, 5.01),
        (lost_and_found, "peak_mag", 19.5, 19.51),
        (lost_and_found, "faded_mag", 1.0, 0.99),
        (lost_and_found, "lost_days", 3.0, 2.99),
    ],
    ids=str,
)
def test_thresholds_and_the_unknown(passes, one, column, inside, outside):
    assert passes(one, **{column: inside}) and not passes(one, **{column: outside})
    assert not passes(one, **{column: np.nan})


def test_known_solar_system_objects_pass_only_on_request(passes):
    assert [r for r in FINK_ROID if passes(solar_system_candidates, roid=r)] == ["candidate"]
    with_known = {"include_known": True}
    assert [r for r in FINK_ROID if passes(solar_system_candidates, with_known, roid=r)] == ["candidate", "known"]


def test_thresholds_are_settings(passes):
    assert passes(bright_new_transients, {"max_mag": 21.0}, mag=20.5)
    assert passes(fast_risers, {"min_rate": 0.1}, mag_rate_upper=-0.2)
    assert not passes(lost_and_found, {"min_faded_mag": 3.0})
