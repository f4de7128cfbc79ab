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
