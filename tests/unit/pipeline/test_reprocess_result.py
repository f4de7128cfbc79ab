"""Counts of a reprocessing: what differs, which topics and classes alerts gain and lose."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from redpoll.pipeline.reprocess_report import ReprocessReport
from redpoll.pipeline.reprocess_result import count_changes, differs, merged_classes, no_result

NAN = float("nan")


def batch(**columns):
    return pa.record_batch({"survey": ["ztf"] * 3, "alert_id": [1, 2, 3], **columns})


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (pa.array([1.0, NAN, None]), pa.array([1.0, None, NAN]), [False, False, False]),
        (pa.array([1, 2, None]), pa.array([1, 3, 4]), [False, True, True]),
        (pa.array(["a", None, "b"]), pa.array(["a", "c", None]), [False, True, True]),
        (pa.array([[1.0], None, [NAN]]), pa.array([[1.0], [2.0], [NAN]]), [False, True, False]),
        (pa.array(["a", "b", None]).dictionary_encode(), pa.array(["a", "c", None]), [False, True, False]),
        (pa.nulls(3), pa.array([1.0, None, 2.0]), [True, False, True]),
    ],
)
def test_null_and_nan_are_one_value(before, after, expected):
    assert differs(before, after).tolist() == expected


def test_topics_and_classes_are_counted_by_what_alerts_gain_and_lose():
    result = no_result()
    agn, tde = ({"name": name, "by": "m@1", "probability": None} for name in ("agn", "tde"))
    values = batch(pass_bright=[True, False, True], x=[1.0, 2.0, 3.0], classes=[[agn], [tde], []])
    replaced = batch(pass_bright=[None, True, True], x=[1.0, 1.0, 1.0], classes=[None, [agn, tde], [agn]])
    count_changes(result, values, replaced)
    assert (result["topics_gained"], result["topics_lost"]) == ({"bright": 1}, {"bright": 1})
    assert (result["classes_gained"], result["classes_lost"]) == ({"agn": 1}, {"agn": 2})
    assert result["changed"] == {"x": 2}


CLASSIFICATION = st.builds(
    lambda name, maker, version: {"name": name, "by": f"{maker}@{version}"},
    st.sampled_from(["agn", "tde"]), st.sampled_from(["m", "n", "mm"]), st.integers(1, 2),
)  # fmt: skip


@given(st.lists(CLASSIFICATION), st.lists(CLASSIFICATION), st.sets(st.sampled_from(["m", "n"])))
def test_classes_of_nodes_that_did_not_run_stay(before, fresh, makers):
    (found,) = merged_classes([before], [fresh], frozenset(makers))

    def of(entries, *, ran):
        return Counter(f"{e['name']} {e['by']}" for e in entries if (e["by"].split("@")[0] in makers) is ran)

    assert of(found, ran=False) == of(before, ran=False)
    assert of(found, ran=True) == of(fresh, ran=True)


@pytest.mark.parametrize(
    ("report", "code"),
    [
        (ReprocessReport(), 0),
        (ReprocessReport(signal=15), 143),
        (ReprocessReport(lost=Counter(x=1)), 1),
        (ReprocessReport(died=["ztf 1"]), 1),
        (ReprocessReport(status="failed"), 1),
        (ReprocessReport(status="done before"), 0),
    ],
)
def test_the_exit_code_tells_a_fault_from_none(report, code):
    assert report.exit_code == code
