"""Tables of features as files, whole and broken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from redpoll.learn.errors import DatasetError
from redpoll.learn.query_table_file import read_query_table

GOOD = "object_id,label,split,mjd,mag,cost,a,b\nx,sn_ia,train,60000,19,2,1,\ny,other,,60001,20,1,2,3.5\n"


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "table.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_csv_is_read_with_its_roles_and_unknown_values(tmp_path: Path) -> None:
    table = read_query_table(written(tmp_path, GOOD))
    assert table.names == ("a", "b")
    np.testing.assert_array_equal(table.features, np.array([[1, np.nan], [2, 3.5]], np.float32))
    assert (table.split.tolist(), table.cost.tolist(), table.mag.tolist()) == (["train", ""], [2.0, 1.0], [19.0, 20.0])


def test_a_parquet_file_is_read_and_what_is_optional_left_out(tmp_path: Path) -> None:
    pq.write_table(pa.table({"object_id": [7, 8], "label": ["a", "b"], "x": [1, None]}), tmp_path / "t.parquet")
    table = read_query_table(tmp_path / "t.parquet")
    assert (table.object_id.tolist(), table.names, table.cost.tolist()) == (["7", "8"], ("x",), [1.0, 1.0])
    assert np.isnan(table.features[1, 0])


def test_features_can_be_named(tmp_path: Path) -> None:
    table = read_query_table(written(tmp_path, "object_id,label,note,a\nx,sn_ia,bright,1\ny,agn,,2\n"), ["a"])
    assert table.names == ("a",)


@pytest.mark.parametrize(
    ("text", "names", "message"),
    [
        ("object,label,a\nx,y,1\n", (), "no column 'object_id'.*near: object"),
        ("object_id,a\nx,1\n", (), "no column 'label'"),
        ("object_id,label\nx,y\n", (), "no column of features"),
        ("object_id,label,a\n", (), "no rows"),
        (GOOD, ["c"], "no column 'c'"),
        ("object_id,label,a\nx,y,bright\n", (), "'a' has values that are not numbers"),
        ("object_id,label,a\nx,,1\n", (), "needs an object_id and a label"),
        ("object_id,label,a\nx,y,1e300\n", (), "'a' has values that are infinite"),
        ("object_id,label,a,cost\nx,y,1,0\n", (), "cost above 0"),
        ("object_id,label,a,mag\nx,y,1,\n", (), "mag must be known"),
        ("object_id,label,a,split\nx,y,1,tests\n", (), "split 'tests'; near: test"),
        ("object_id,label,a\nx,y,1\nx,z,1\n", (), "object x: its rows differ in label"),
        ("object_id,label,a\nx,y,1,2,3\n", (), "too many or too few values"),
        (b"\x00\x01\x02", (), "table of features"),
        (b"PAR1 broken", (), "table of features"),
        ("", (), "table of features"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_explained(text: str | bytes, names: list[str], message: str, tmp_path: Path):
    with pytest.raises(DatasetError, match=message) as error:
        read_query_table(written(tmp_path, text), names)
    assert "table.csv" in str(error.value)


def test_a_file_that_is_missing_is_an_error_of_data(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no\.csv"):
        read_query_table(tmp_path / "no.csv")
