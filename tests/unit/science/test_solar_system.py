"""The flag as two statements."""

from __future__ import annotations

from rule_inputs import answers

from redpoll.science.solar_system import solar_system


def test_each_value_of_the_flag_says_its_own():
    found = answers(solar_system, 4, roid=[0, 1, 2, 3])
    assert found["is_solar_system_known"].tolist() == [False, False, False, True]
    assert found["is_solar_system_candidate"].tolist() == [False, False, True, False]
