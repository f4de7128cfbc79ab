"""Results of observations as labels, all of them or an error that names the row."""

from __future__ import annotations

from pathlib import Path

import pytest

from redpoll.errors import RedpollError
from redpoll.learn.followup.observation_file import Observed, read_observations
from redpoll.store.app import Label


@pytest.fixture
def read(tmp_path: Path):
    """What a CSV text tells."""

    def observations(text: str, survey: str | None = None) -> Observed:
        (tmp_path / "plan.csv").write_text(text)
        return read_observations(tmp_path / "plan.csv", survey=survey, by="ada")

    return observations


def test_a_filled_plan_becomes_labels_that_tell_where_and_when(read) -> None:
    found = read(
        "telescope,start,object_id,survey,mag,label,confidence,note\n"
        "north,2026-12-01T23:10:00,ZTF1,ztf,18.1,SN Ia,0.9,seen well\nnorth,2026-12-01T23:30:00,ZTF2,ztf,18.1,,,\n"
    )
    expected = Label(
        "ztf", "ZTF1", "SN Ia", "expert", "ada", None, 0.9, "observed: north 2026-12-01T23:10:00; seen well"
    )
    assert found.labels == [expected] and found.n_without == 1


def test_a_short_table_needs_a_survey(read) -> None:
    text = "object_id,label\n123456789012345678,agn\n"
    assert read(text, "rubin").labels == [Label("rubin", "123456789012345678", "agn", "expert", "ada")]
    with pytest.raises(RedpollError, match="has no column 'survey'; give --survey"):
        read(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("object_id,survey\na,ztf\n", "has no column 'label'"),
        ("object_id,survey,label\na,sdss,agn\n", "row 1, column 'survey': 'sdss' is no survey; use ztf or rubin"),
        ("object_id,survey,label\na,ztf,agn\na,,agn\n", "row 2, column 'survey': '' is no survey"),
        ("object_id,survey,label,confidence\na,ztf,agn,2\n", "row 1, column 'confidence': '2' is no confidence"),
        ("object_id,survey,label,start\na,ztf,agn,yesterday\n", "row 1, column 'start': 'yesterday' is no time"),
        ("object_id,survey,label\n,ztf,agn\n", "row 1, column 'object_id'"),
        (f"object_id,survey,label,note\na,ztf,agn,{'x' * 1001}\n", "row 1, column 'note': 'x+' is too long"),
        ("object_id,survey,label\na,ztf\n", "1 rows have too many or too few values"),
    ],
)
def test_what_cannot_be_used_is_named_and_nothing_is_taken(read, text: str, message: str) -> None:
    with pytest.raises(RedpollError, match=message):
        read(text)
