"""Lists of structs and the structs of lists that catalogues hold: the same values, whatever is null or sliced."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redpoll.schema.classifications import CLASSES_TYPE
from redpoll.store.parquet import read, read_schema, write
from redpoll.store.struct_lists import join_lists, joined_schema, split_lists, split_schema

POINT = pa.struct([("mjd", pa.float64()), ("band", pa.string()), ("fluxes", pa.list_(pa.float32()))])
FIELDS = [
    pa.field("light_curve", pa.list_(POINT), metadata={"unit": "nJy"}),
    pa.field("classes", CLASSES_TYPE),
    pa.field("packet", pa.struct([("prv", pa.list_(pa.struct([("jd", pa.float64())])))])),
    pa.field("own", pa.struct([("a", pa.list_(pa.int8())), ("b", pa.list_(pa.int8()))])),
    pa.field("topics", pa.list_(pa.string())),
]
numbers = st.none() | st.floats(width=32, allow_nan=False)
points = st.fixed_dictionaries(
    {"mjd": numbers, "band": st.none() | st.sampled_from("gri"), "fluxes": st.none() | st.lists(numbers, max_size=3)}
)
classes = st.fixed_dictionaries({"name": st.none() | st.text(max_size=3), "probability": numbers, "by": st.just("m@1")})
rows = st.fixed_dictionaries(
    {
        "light_curve": st.none() | st.lists(points, max_size=5),
        "classes": st.none() | st.lists(classes, max_size=3),
        "packet": st.none() | st.fixed_dictionaries({"prv": st.none() | st.just([{"jd": 1.0}])}),
        "own": st.none() | st.just({"a": [1], "b": [1, 2]}),
        "topics": st.none() | st.just(["x"]),
    }
)


def table_of(values: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(values, pa.schema(FIELDS))


@settings(max_examples=150)
@given(st.lists(rows, max_size=12), st.integers(0, 12), st.integers(0, 12), st.integers(0, 12))
def test_a_table_comes_back_as_it_was_however_it_is_sliced(
    values: list[dict[str, Any]], start: int, length: int, again: int
) -> None:
    whole = pa.concat_tables([table_of(values), table_of(values[:3])])
    table = whole.slice(start, length)
    split = split_lists(table)
    split.validate(full=True)
    assert split.schema.equals(split_schema(table.schema), check_metadata=True)
    back = join_lists(split.slice(again))
    back.validate(full=True)
    assert back.equals(table.slice(again))
    assert back.schema.equals(table.schema, check_metadata=True)
    assert joined_schema(split.schema).equals(table.schema, check_metadata=True)


@settings(max_examples=40)
@given(st.lists(rows, min_size=1, max_size=12))
def test_parquet_files_of_both_layouts_are_read_alike(values: list[dict[str, Any]]) -> None:
    table = table_of(values)
    with TemporaryDirectory() as folder:
        write(Path(folder) / "lists.parquet", table)
        write(Path(folder) / "split.parquet", split_lists(table), row_group_size=3)
        lists, split = (read(Path(folder) / f"{name}.parquet") for name in ("lists", "split"))
        assert split.to_pylist() == lists.to_pylist() == values
        assert read(Path(folder) / "split.parquet", ["classes"]).equals(lists.select(["classes"]))
        assert read_schema(Path(folder) / "split.parquet").equals(lists.schema)


def test_the_columns_that_change_are_the_lists_of_structs_alone() -> None:
    split = split_schema(pa.schema(FIELDS))
    changed = [field.name for field in FIELDS if split.field(field.name).type != field.type]
    assert changed == ["light_curve", "classes"]
    assert split.field("light_curve").type.field("mjd").type == pa.list_(pa.float64())


def test_values_and_offsets_are_shared_not_copied() -> None:
    table = table_of([{"classes": [{"name": "sn", "probability": 0.5, "by": "m@1"}] * 3}, {"classes": []}])
    lists = table["classes"].chunk(0)
    split = split_lists(table)["classes"].chunk(0)
    back = join_lists(split_lists(table))["classes"].chunk(0)
    for other in (*(split.field(i) for i in range(3)), back):
        assert other.buffers()[1].address == lists.buffers()[1].address
    assert split.field(1).values.buffers()[1].address == lists.values.field(1).buffers()[1].address
    assert back.values.field(1).buffers()[1].address == lists.values.field(1).buffers()[1].address


def test_a_null_row_over_values_stays_null() -> None:
    lists = pa.ListArray.from_arrays(
        pa.array([0, 2, 3], pa.int32()), pa.array([{"a": 1}, {"a": 2}, {"a": 3}]), mask=pa.array([True, False])
    )
    table = pa.table({"x": lists})
    assert split_lists(table)["x"].to_pylist() == [None, {"a": [3]}]
    assert join_lists(split_lists(table))["x"].to_pylist() == [None, [{"a": 3}]]


def test_lists_that_differ_in_length_are_damage(tmp_path: Path) -> None:
    wanted = split_schema(pa.schema([FIELDS[1]]))
    rows = [{"classes": {"name": ["sn", "agn"], "probability": [0.5], "by": ["m@1"]}}]
    pq.write_table(pa.Table.from_pylist(rows, wanted), tmp_path / "x.parquet")
    with pytest.raises(OSError, match="'classes' is damaged"):
        read(tmp_path / "x.parquet")
