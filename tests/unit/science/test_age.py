"""How long an object is known."""

from __future__ import annotations

import numpy as np

from redpoll.light_curves import one_light_curve
from redpoll.science.age import age


def _age(first_mjd, mjd=(100.0,), kind=("detection",)):
    curve = one_light_curve(mjd, ["r"] * len(mjd), [900.0] * len(mjd), [90.0] * len(mjd), kind)
    return float(age(np.array([100.0]), np.array([first_mjd]), curve)["age"][0])


def test_age_counts_from_the_surveys_first_detection():
    assert _age(40.0) == 60


def test_an_earlier_detection_in_the_light_curve_counts():
    """The survey counts in each field apart, so that its age falls by days where two fields overlap."""
    assert _age(95.0, (85.0, 95.0, 100.0), ["detection"] * 3) == 15
    assert _age(95.0, (85.0, 95.0, 100.0), ["forced", "detection", "detection"]) == 5


def test_an_unknown_first_detection_gives_no_age():
    assert np.isnan(_age(np.nan))
