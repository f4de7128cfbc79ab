"""Classes from the Solar System category."""

from __future__ import annotations

from rule_inputs import answers

from redpoll.conditions import FINK_ROID
from redpoll.science.solar_system import solar_system


def test_known_objects_and_candidates_get_their_class():
    found = answers(solar_system, 4, roid=list(FINK_ROID))
    assert found["is_solar_system_known"].tolist() == [False, False, False, True]
    assert found["is_solar_system_candidate"].tolist() == [False, False, True, False]
