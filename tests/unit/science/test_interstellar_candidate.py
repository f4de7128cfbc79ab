"""Designations of interstellar objects, and others that look like them."""

from __future__ import annotations

import numpy as np
import pytest
from rule_inputs import answers

from redpoll.science.interstellar_candidate import interstellar_candidate


@pytest.mark.parametrize(
    "name",
    ["3I/ATLAS", "1I", "2I/Borisov", "0003I", "I/2017 U1", "C/2025 N1", "A/2017 U1", "2019 Q4", "C/2025 N1 (ATLAS)"],
)
def test_interstellar_designations_are_known(name):
    assert answers(interstellar_candidate, sso_name=name, sso_distance_arcsec=0.5)[0]
    assert answers(interstellar_candidate, sso_name=name)[0]


@pytest.mark.parametrize(
    "name",
    [None, "", "33803", "8467", "2005XM12", "C/2019 Y4", "10P/Tempel", "2025 N10", "2017 U11", "13 Iris", "I", "3200"],
)
def test_others_are_not(name):
    assert not answers(interstellar_candidate, sso_name=name, sso_distance_arcsec=0.5)[0]


@pytest.mark.parametrize(
    ("eccentricity", "found"), [(1.2, True), (6.1, True), (1.06, False), (0.2, False), (np.nan, False)]
)
def test_a_clearly_hyperbolic_orbit_is_enough(eccentricity, found):
    given = {"sso_name": "C/2031 X9", "sso_eccentricity": eccentricity}
    assert answers(interstellar_candidate, sso_distance_arcsec=0.5, **given)[0] == found
    assert not answers(interstellar_candidate, sso_distance_arcsec=20.0, **given)[0]


def test_one_that_is_elsewhere_does_not_count():
    assert not answers(interstellar_candidate, sso_name="3I", sso_distance_arcsec=20.0)[0]
    assert answers(interstellar_candidate, 0).shape == (0,)


@pytest.mark.parametrize(
    ("inside", "outside"),
    [({"sso_distance_arcsec": 5.0}, {"sso_distance_arcsec": 5.01}),
     ({"sso_eccentricity": 1.1}, {"sso_eccentricity": 1.099})],
)  # fmt: skip
def test_both_sides_of_each_threshold(inside, outside):
    usual = {"sso_name": "C/2031 X9", "sso_eccentricity": 1.2}
    assert [answers(interstellar_candidate, **usual | change)[0] for change in (inside, outside)] == [True, False]
