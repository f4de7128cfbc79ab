"""Choosing rows whose cutouts are views into other memory."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from redpoll.schema.rows import take_rows, without_views

CUTOUTS = [b"", None, b"twelve bytes", b"thirteen byte", b"x" * 5000, None, b"short"]
VIEWS = pa.array(CUTOUTS, pa.binary_view())


def taken(array, rows):
    return take_rows(pa.record_batch({"c": array}), np.array(rows, np.int64))["c"]


@pytest.mark.parametrize("rows", [[], [0], [4, 3, 1, 1, 0], [*range(7)], [6, 5]])
def test_views_are_chosen_like_any_other_column(rows):
    found = taken(VIEWS, rows)
    found.validate(full=True)
    assert found.to_pylist() == [CUTOUTS[i] for i in rows]


@pytest.mark.parametrize(("start", "stop"), [(1, 7), (3, 5), (2, 2), (6, 7)])
def test_a_slice_counts_from_its_own_start(start, stop):
    n = stop - start
    found = taken(VIEWS.slice(start, n), [*range(n)][::-1])
    found.validate(full=True)
    assert found.to_pylist() == CUTOUTS[start:stop][::-1]


def test_rows_beyond_a_slice_are_refused():
    with pytest.raises((IndexError, pa.ArrowIndexError)):
        taken(VIEWS.slice(1, 2), [2])


@pytest.mark.parametrize("array", [pa.nulls(4, pa.binary_view()), pa.array([], pa.binary_view())])
def test_columns_of_nulls_and_of_nothing(array):
    assert taken(array, [*range(len(array))] * 2).to_pylist() == array.to_pylist() * 2


def test_bytes_are_not_copied():
    assert taken(VIEWS, [4]).buffers()[2].address == VIEWS.buffers()[2].address


def test_other_columns_and_the_schema_go_along():
    schema = pa.schema([pa.field("a", pa.int32(), metadata={"unit": "d"}), pa.field("c", pa.binary_view())])
    batch = take_rows(pa.record_batch([pa.array([1, 2, 3], pa.int32()), VIEWS[:3]], schema), np.array([2, 0]))
    assert batch.schema.equals(schema, check_metadata=True)
    assert batch["a"].to_pylist() == [3, 1]


@pytest.mark.parametrize(
    ("kind", "plain"),
    [
        (pa.binary_view(), pa.binary()),
        (pa.list_(pa.binary_view()), pa.list_(pa.binary())),
        (pa.struct([("a", pa.binary_view()), ("b", pa.int8())]), pa.struct([("a", pa.binary()), ("b", pa.int8())])),
        (pa.map_(pa.string(), pa.binary_view()), pa.map_(pa.string(), pa.binary())),
        (pa.string(), pa.string()),
    ],
)
def test_types_without_views(kind, plain):
    assert without_views(kind) == plain
