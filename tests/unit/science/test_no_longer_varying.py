"""Sources that went quiet, and came back."""

from __future__ import annotations

import numpy as np
import pytest
from rule_inputs import answers

from redpoll.science.no_longer_varying import no_longer_varying


def forced(t, snr):
    return "g", t, 100.0 * snr, 100.0, "forced"


def active(seen):
    return [seen("g", t, 19.0) for t in (0, 1, 2)]


def test_a_light_curve_that_ends_in_quiet_forced_photometry(curves, seen):
    light = curves([*active(seen), *(forced(t, 0.5) for t in (5, 8, 12))])
    found = answers(no_longer_varying, light_curve=light)
    assert (found["quiet_points"][0], found["quiet_days"][0], found["is_no_longer_varying"][0]) == (3, 10.0, True)


def test_a_new_detection_ends_the_quiet_but_tells_its_length(curves, seen, limit):
    light = curves([*active(seen), *(limit("r", t, 20.0) for t in (5, 8, 12)), seen("g", 20, 19.5)])
    found = answers(no_longer_varying, light_curve=light)
    assert (found["quiet_points"][0], found["quiet_days"][0], found["is_no_longer_varying"][0]) == (3, 18.0, False)


def test_a_poor_alert_does_not(curves, seen, limit):
    light = curves([*active(seen), *(limit("r", t, 20.0) for t in (5, 8, 12)), seen("g", 20, 19.5, kind="low_quality")])
    assert answers(no_longer_varying, light_curve=light)["is_no_longer_varying"][0]


def test_limits_that_would_not_have_shown_it_say_nothing(curves, seen, limit):
    light = curves([*active(seen), *(limit("g", t, 18.0) for t in (5, 8, 12)), seen("g", 20, 19.5)])
    found = answers(no_longer_varying, light_curve=light)
    assert found["quiet_points"][0] == 0 and np.isnan(found["quiet_days"][0])


def test_a_forced_signal_in_between_is_no_quiet(curves, seen):
    light = curves([*active(seen), forced(5, 0), forced(6, 9.0), forced(8, 0), forced(12, 0)])
    assert not answers(no_longer_varying, light_curve=light)["is_no_longer_varying"][0]


@pytest.mark.parametrize("n", [0, 1])
def test_what_never_varied_cannot_have_stopped(n, curves, seen):
    light = curves([*active(seen)[:n], *(forced(t, 0.5) for t in (5, 8, 12))])
    found = answers(no_longer_varying, light_curve=light)
    assert not found["is_no_longer_varying"][0] and np.isnan(found["quiet_days"][0])


def test_an_empty_curve_has_no_answer(curves):
    assert answers(no_longer_varying, light_curve=curves([]))["quiet_points"].tolist() == [0]


DETECTED = [("g", t, 1e4, 100.0) for t in (0, 1)]
QUIET = [forced(t, 0.5) for t in (5, 8, 12)]


def limits(flux):
    """Three upper limits."""
    return [("r", t, np.nan, flux / 5.0, "upper_limit") for t in (5, 8, 12)]


@pytest.mark.parametrize(
    ("inside", "outside"),
    [
        ([*DETECTED, *QUIET], [*DETECTED, *QUIET[1:]]), ([*DETECTED, *QUIET], [*DETECTED[1:], *QUIET]),
        ([DETECTED[0], ("g", 1, 500.0, 100.0), *QUIET], [DETECTED[0], ("g", 1, 499.0, 100.0), *QUIET]),
        ([DETECTED[0], ("g", 1, -1e4, 100.0), *QUIET], [DETECTED[0], ("g", 1, 1e4, 100.0, "low_quality"), *QUIET]),
        ([*DETECTED, forced(5, 3.0), *QUIET[1:]], [*DETECTED, forced(5, 3.01), *QUIET[1:]]),
        ([*DETECTED, forced(5, -3.0), *QUIET[1:]], [*DETECTED, forced(5, -3.01), *QUIET[1:]]),
        ([*DETECTED, *QUIET, forced(13, 5.0), forced(14, 0)], [*DETECTED, *QUIET, forced(13, 5.01), forced(14, 0)]),
        ([*DETECTED, *QUIET, forced(13, 4.99)], [*DETECTED, *QUIET, forced(13, 5.0)]),
        ([forced(-1, 9.0), *DETECTED, *QUIET], [*DETECTED, forced(2, 9.0), *QUIET]),
        ([*DETECTED, *limits(9999.0)], [*DETECTED, *limits(1e4)]),
        ([("g", -1, 10.0, 1.0), ("g", 0, 400.0, 1.0), ("g", 1, 900.0, 1.0), *limits(399.0)],
         [("g", -1, 10.0, 1.0), ("g", 0, 400.0, 1.0), ("g", 1, 900.0, 1.0), *limits(401.0)]),
        ([("g", 0, 900.0, 1.0), ("g", 1, 400.0, 1.0), *limits(399.0)],
         [("g", 0, 900.0, 1.0), ("g", 1, 400.0, 1.0), *limits(401.0)]),
        ([*DETECTED, *QUIET, ("g", 14, 499.0, 100.0)], [*DETECTED, *QUIET, ("g", 14, 500.0, 100.0)]),
        ([*DETECTED, *QUIET, ("g", 14, 1e4, 100.0, "low_quality")], [*DETECTED, *QUIET, ("g", 14, 1e4, 100.0)]),
    ],
)  # fmt: skip
def test_both_sides_of_each_threshold(inside, outside, curves):
    light = curves([("g", 0, 10.0, 1.0)], inside, outside)
    assert answers(no_longer_varying, 3, light_curve=light)["is_no_longer_varying"].tolist() == [False, True, False]


def test_the_quiet_begins_after_the_first_point_already_and_never_without_a_detection(curves):
    found = answers(no_longer_varying, 2, light_curve=curves([DETECTED[0], *QUIET], QUIET), min_detections=1)
    assert found["quiet_points"].tolist() == [3, 0]
    assert found["quiet_days"].tolist() == pytest.approx([12.0, np.nan], nan_ok=True)


def test_a_detection_of_the_alert_itself_is_no_earlier_one(curves):
    found = answers(no_longer_varying, light_curve=curves([DETECTED[0], *QUIET, ("g", 20, 1e4, 100.0)]))
    assert np.isnan(found["quiet_days"][0]) and found["quiet_points"][0] == 3


def test_one_earlier_detection_is_its_own_median(curves):
    found = answers(no_longer_varying, light_curve=curves([DETECTED[0], *limits(9999.0)]), min_detections=1)
    assert found["quiet_points"][0] == 3
