"""How long an object is known."""

from __future__ import annotations

import numpy as np

from redpoll.science.age import age


def test_age_counts_from_the_surveys_first_detection_and_history_from_the_packets(curves, seen, limit):
    curve = curves([limit("g", 90, 20), seen("g", 95, 19, kind="low_quality"), seen("r", 97, 19), seen("g", 100, 19)])
    found = age(np.array([100.0]), np.array([40.0]), curve)
    assert found["age"].tolist() == [60] and found["history_days"].tolist() == [3]


def test_an_unknown_first_detection_gives_no_age(curves, seen):
    found = age(np.array([100.0]), np.array([np.nan]), curves([seen("g", 100, 19)]))
    assert np.isnan(found["age"][0]) and found["history_days"].tolist() == [0]


def test_inputs_stay_as_they_are(curves, seen):
    mjd = np.array([100.0])
    age(mjd, mjd, curves([seen("r", 97, 19), seen("g", 100, 19)]))
    assert mjd.tolist() == [100]
