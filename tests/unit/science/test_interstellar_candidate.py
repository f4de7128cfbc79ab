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


def test_one_that_is_elsewhere_does_not_count():
    assert not answers(interstellar_candidate, sso_name="3I", sso_distance_arcsec=20.0)[0]
    assert interstellar_candidate(np.zeros(0, object), np.zeros(0, np.float32)).shape == (0,)
