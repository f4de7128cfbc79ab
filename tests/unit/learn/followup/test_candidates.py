"""Candidates from tables and alerts: utility, newest alert of each object, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from redpoll.errors import RedpollError
from redpoll.learn.followup.candidates import Candidates, alert_candidates, table_candidates, uncertainty, value_itself


@pytest.fixture
def read(tmp_path: Path):
    """The candidates of a CSV text."""

    def candidates(text: str) -> Candidates:
        (tmp_path / "targets.csv").write_text(text)
        return table_candidates(tmp_path / "targets.csv", "utility", value_itself)

    return candidates


def test_rows_without_utility_are_left_out(read) -> None:
    found = read("object_id,ra,dec,mag,utility\na,10,20,18,1\nb,10,20,18,0\nc,10,20,18,-1\nd,10,20,18,\n")
    assert found.object_ids == ["a"] and found.surveys == [""] and found.mag.tolist() == [18.0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("object_id,ra,dec,mag\na,1,2,3\n", "has no column 'utility'"),
        ("object_id,ra,dec,mag,utility\na,361,2,18,1\n", "row 1, column 'ra': '361' is no right ascension in degrees"),
        ("object_id,ra,dec,mag,utility\na,1,-91,18,1\n", "row 1, column 'dec': '-91' is no declination"),
        ("object_id,ra,dec,mag,utility\na,1h,2,18,1\n", "row 1, column 'ra': '1h' is no number"),
        ("object_id,ra,dec,mag,utility\na,1,2,,1\n", "row 1, column 'mag': '' is no magnitude; every row needs one"),
        ("object_id,ra,dec,mag,utility\na,1,2,99,1\n", "row 1, column 'mag': '99' is no magnitude"),
        ("object_id,ra,dec,mag,utility\na,1,2,18,inf\n", "row 1, column 'utility': 'inf' is no number"),
        (
            "object_id,ra,dec,mag,utility\na,1,2,18,1\na,1,2,18,1\n",
            "row 2, column 'object_id': 'a' is in the table twice",
        ),
        ("object_id,ra,dec,mag,utility\n,1,2,18,1\n", "row 1, column 'object_id'"),
        ("object_id,ra,dec,mag,utility\n1.5e18,1,2,18,1\n", "is a floating-point number"),
        ("object_id,ra,dec,mag,utility\n", "has no rows"),
    ],
)
def test_what_cannot_be_used_is_named(read, text: str, message: str) -> None:
    with pytest.raises(RedpollError, match=message):
        read(text)


def alerts(**columns: list) -> pa.Table:
    n = len(columns["object_id"])
    rest = {"survey": ["ztf"] * n, "ra": [1.0] * n, "dec": [2.0] * n, "mag": [18.0] * n}
    return pa.table(rest | columns)


def test_each_object_comes_by_its_newest_alert_with_a_score() -> None:
    found = alert_candidates(
        alerts(object_id=["a", "b", "a", "b"], p=[None, 0.7, 0.4, 0.5], mag=[17.0, 18.0, 19.0, 20.0]), "p", uncertainty
    )
    assert found.object_ids == ["b", "a"] and found.mag.tolist() == [18.0, 19.0]
    assert found.utility == pytest.approx([0.6, 0.8])


def test_objects_of_two_surveys_with_one_name_are_two() -> None:
    found = alert_candidates(alerts(object_id=["7", "7"], survey=["ztf", "rubin"], p=[0.5, 0.5]), "p", uncertainty)
    assert found.surveys == ["ztf", "rubin"]


def test_no_alerts_and_no_scores_are_no_candidates() -> None:
    for scores in ([None, np.nan], [0.0, 1.0]):
        table = alerts(object_id=["a", "b"], p=pa.array(scores, pa.float64()))
        assert len(alert_candidates(table, "p", uncertainty)) == 0


def test_a_utility_is_a_number() -> None:
    with pytest.raises(RedpollError, match="column 'p' is of type string"):
        alert_candidates(alerts(object_id=["a"], p=["high"]), "p", value_itself)
