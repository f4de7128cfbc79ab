"""How long an object is known."""

from __future__ import annotations

import numpy as np

from redpoll.science.age import age


def test_age_counts_from_the_surveys_first_detection():
    assert age(np.array([100.0]), np.array([40.0]))["age"].tolist() == [60]


def test_an_unknown_first_detection_gives_no_age():
    assert np.isnan(age(np.array([100.0]), np.array([np.nan]))["age"][0])


def test_inputs_stay_as_they_are():
    mjd = np.array([100.0])
    age(mjd, mjd)
    assert mjd.tolist() == [100]
