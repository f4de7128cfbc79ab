"""Why an alert passed a filter or not."""

from __future__ import annotations

import pyarrow as pa
import pytest

from redpoll import alert_filter
from redpoll.pipeline.filter_answers import columns_of, filter_answers
from redpoll.plugin.expression_filter import expression_filter


@alert_filter()
def very_bright(mag):
    """Brighter than 15."""
    return mag < 15


def answer(text, **values):
    columns = {"mag": 17.5, "n": 3, "band": "g"} | values
    batch = pa.record_batch({name: pa.array([value]) for name, value in columns.items()})
    return next(filter_answers([expression_filter("t", text)], batch))


@pytest.mark.parametrize(
    ("text", "passed", "outcome", "n_failed"),
    [
        ("mag < 18 and n == 3", True, "passed", 0),
        ("mag < 17 and n == 3", False, "nearly passed", 1),
        ("mag < 17 and n == 4", False, "not passed", 2),
        ("mag < 17", False, "nearly passed", 1),
        ("mag < 17 or n == 4", False, "nearly passed", 1),
        ("mag < 18 and n == 3", None, "would pass", 0),
        ("mag < 17 and n == 4", None, "not run", 2),
    ],
)
def test_conditions_that_fail_are_counted(text, passed, outcome, n_failed):
    found = answer(text, **({} if passed is None else {"pass_t": passed}))
    assert (found.outcome, found.n_failed) == (outcome, n_failed)


def test_the_failing_condition_has_the_threshold_and_the_value():
    (failed,) = answer("mag < 17 and band == 'g'", pass_t=False).failed
    assert (failed.text, failed.values) == ("mag < 17", {"mag": 17.5})


def test_an_unknown_value_fails_and_a_column_that_is_not_stored_is_no_answer():
    assert [c.holds for c in answer("mag < 18 and gone > 2 and n > 1", n=None).conditions] == [True, None, None]


def test_a_column_stored_with_another_type_is_no_answer():
    assert [c.holds for c in answer("band < 18 and n == 3").conditions] == [None, True]


def test_a_filter_in_python_shows_what_it_reads():
    batch = pa.record_batch({"mag": pa.array([16.1], pa.float32()), "pass_very_bright": pa.array([False])})
    (found,) = filter_answers([very_bright], batch)
    assert (found.outcome, found.conditions, found.values) == ("not passed", None, {"mag": 16.1})
    assert columns_of([very_bright]) == ("mag", "pass_very_bright")
