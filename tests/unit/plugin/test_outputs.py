"""What modules return, as columns."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from redpoll import Column, alert_filter, science_module
from redpoll.errors import PluginError
from redpoll.plugin.columns import Columns

BATCH = pa.record_batch({"mag": pa.array([18.0, 19.0, 20.0])})
TWO = {"first": Column("float32"), "second": Column("int32")}


def made(dtype: str, value) -> pa.Array:
    @science_module(version="1", outputs={"out": Column(dtype)})
    def module(mag):
        return value

    return module.compute(Columns(BATCH), {})["out"]


@pytest.mark.parametrize(
    ("dtype", "value", "expected"),
    [
        ("float32", np.array([1.0, np.nan, 3.0]), [1.0, None, 3.0]),
        ("float32", np.array([1, 2, 3]), [1.0, 2.0, 3.0]),
        ("float32", [1.0, None, np.nan], [1.0, None, None]),
        ("float64", np.ma.masked_array([1.0, 2.0, 3.0], [0, 1, 0]), [1.0, None, 3.0]),
        ("int32", np.array([1, 2, 3]), [1, 2, 3]),
        ("int32", np.array([1.0, np.nan, 3.0]), [1, None, 3]),
        ("int64", [2**62, None, 1], [2**62, None, 1]),
        ("bool", np.array([True, False, True]), [True, False, True]),
        ("bool", [np.True_, False, True], [True, False, True]),
        ("string", np.array(["a", "b", "c"]), ["a", "b", "c"]),
        ("string", np.array(["a", None, np.nan], object), ["a", None, None]),
        ("bytes", [b"a", None, b""], [b"a", None, b""]),
        ("float32", [np.array(1.5), np.float32(2), 3], [1.5, 2.0, 3.0]),
        ("float32", np.array([1.0, 2.0, 3.0], ">f8"), [1.0, 2.0, 3.0]),
        ("float32", [2**40 + 1, None, 1], [2.0**40, None, 1.0]),
        ("int32", [None, None, None], [None, None, None]),
        ("float32", None, [None, None, None]),
    ],
)
def test_values_take_the_declared_type(dtype, value, expected) -> None:
    column = made(dtype, value)
    assert column.type == Column(dtype).arrow_type
    assert column.to_pylist() == expected


@pytest.mark.parametrize(
    ("dtype", "value"),
    [
        ("int32", np.array([1.5, 2.0, 3.0])),
        ("int32", [1.5, 2.0, 3.0]),
        ("int8", np.array([1, 2, 300])),
        ("int8", [1, 2, 300]),
        ("int32", [True, False, True]),
        ("bool", [1, 0, 1]),
        ("float32", ["1", "2", "3"]),
        ("bool", np.array(["true", "false", "true"])),
        ("int32", np.array([1.0, np.inf, 3.0])),
        ("int32", np.array([True, False, True])),
        ("float32", np.array(["1", "2", "3"])),
        ("float32", np.array([True, False, True])),
        ("bool", np.array([0, 1, 1])),
        ("bool", np.array([0.0, np.nan, 1.0])),
        ("string", np.array([1, 2, 3])),
        ("string", [1, 2, 3]),
    ],
)
def test_values_of_another_type_are_refused(dtype, value) -> None:
    with pytest.raises(PluginError, match=r"module@1: output 'out' is declared"):
        made(dtype, value)


def test_boolean_without_an_answer_is_refused() -> None:
    with pytest.raises(PluginError, match="declared bool, got 1 None"):
        made("bool", [True, None, False])


@pytest.mark.parametrize("value", [np.zeros(2), np.zeros((3, 1)), 1.0, [1.0]])
def test_one_value_per_alert_is_required(value) -> None:
    with pytest.raises(PluginError, match=r"'out' needs one value per alert: expected \(3,\), got"):
        made("float32", value)


def test_list_columns_are_possible() -> None:
    assert made(pa.list_(pa.int8()), [[1, 2], [3, 4], None]).to_pylist() == [[1, 2], [3, 4], None]


@pytest.mark.parametrize(
    "value",
    [
        {"second": np.arange(3), "first": np.ones(3)},
        (np.ones(3), np.arange(3)),
    ],
    ids=["dict", "tuple"],
)
def test_several_outputs_come_by_name_or_in_order(value) -> None:
    @science_module(version="1", outputs=TWO)
    def module(mag):
        return value

    found = module.compute(Columns(BATCH), {})
    assert {name: array.to_pylist() for name, array in found.items()} == {"first": [1.0] * 3, "second": [0, 1, 2]}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"first": np.ones(3)}, "expected the outputs first, second, got first"),
        ((np.ones(3),), "expected 2 outputs"),
        (np.ones(3), "expected a dict or tuple"),
    ],
)
def test_missing_outputs_are_named(value, message) -> None:
    @science_module(version="1", outputs=TWO)
    def module(mag):
        return value

    with pytest.raises(PluginError, match=f"module@1: {message}"):
        module.compute(Columns(BATCH), {})


def test_filter_must_answer_with_booleans() -> None:
    @alert_filter()
    def numbers(mag):
        return mag - 18

    with pytest.raises(PluginError, match="'pass_numbers' is declared bool, got double"):
        numbers.compute(Columns(BATCH), {})
