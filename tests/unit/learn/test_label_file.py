"""Labels in tables that people write: exact identifiers, all rows or an error that names the row."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from redpoll.errors import RedpollError, UsageError
from redpoll.learn.label_file import read_labels
from redpoll.store.app import Label


@pytest.fixture
def read(tmp_path):
    """Labels of a CSV text."""

    def labels(text, survey="ztf", source="expert", by="ada"):
        path = tmp_path / "labels.csv"
        path.write_text(text)
        return read_labels(path, survey=survey, source=source, by=by)

    return labels


def test_rows_say_what_they_say_and_options_the_rest(read):
    text = (
        "object_id,label,survey,alert_id,source,by,confidence,note\n0170,SN Ia,rubin,9007199254740993,TNS,bob,0.5,x\n"
    )
    (one,) = read(text)
    assert one == Label("rubin", "0170", "SN Ia", "TNS", "bob", 9007199254740993, 0.5, "x")
    assert read("object_id,label\n007,agn\n") == [Label("ztf", "007", "agn", "expert", "ada")]


def test_an_empty_cell_is_no_value(read):
    (one,) = read("object_id,label,survey,alert_id,confidence\nZTF1, agn ,,,\n", survey="rubin")
    assert one == Label("rubin", "ZTF1", "agn", "expert", "ada")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("object_id,label\nZTF1,\n", "row 1: no label"),
        ("object_id,label\n,agn\n", "row 1: no object_id"),
        ("object_id,label,alert_id\nZTF1,agn,1\nZTF1,agn,1.0\n", "row 2: alert_id '1.0' is no 64-bit integer"),
        ("object_id,label,alert_id\nZTF1,agn,9223372036854775808\n", "row 1: alert_id"),
        ("object_id,label,confidence\nZTF1,agn,high\n", "row 1: confidence 'high' is no number"),
        ("object_id,label,colour\nZTF1,agn,red\n", "column 'colour' is none of a table of labels"),
        ("object_id,class\nZTF1,agn\n", "has no column 'label'"),
        ("object_id,label\nZTF1,agn\nZTF2\n", "1 rows have more or fewer values"),
    ],
)
def test_what_cannot_be_used_is_named_and_nothing_is_taken(read, text, message):
    with pytest.raises(RedpollError, match=message):
        read(text)


def test_a_survey_has_to_come_from_somewhere(read):
    with pytest.raises(UsageError, match="no survey; give --survey"):
        read("object_id,label\nZTF1,agn\n", survey=None)


def test_many_bad_rows_are_counted(read):
    with pytest.raises(UsageError, match="row 5: no label; 4 more; nothing was imported"):
        read("object_id,label\n" + "ZTF1,\n" * 9)


def test_identifiers_of_parquet_are_exact_and_floats_refused(tmp_path):
    path = tmp_path / "labels.parquet"
    pq.write_table(pa.table({"object_id": [2**62 + 1], "label": ["agn"], "alert_id": [2**60 + 1]}), path)
    (one,) = read_labels(path, survey="rubin", source="expert", by="ada")
    assert (one.object_id, one.alert_id) == (str(2**62 + 1), 2**60 + 1)
    pq.write_table(pa.table({"object_id": [1e18], "label": ["agn"]}), path)
    with pytest.raises(UsageError, match="row 1: object_id 1e\\+18 is no text or whole number"):
        read_labels(path, survey="rubin", source="expert", by="ada")
