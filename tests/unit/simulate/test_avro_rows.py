"""Encoding columns at once gives the bytes that fastavro writes record by record."""

from __future__ import annotations

import io

import fastavro
import numpy as np
import pytest

from redpoll.errors import SchemaError
from redpoll.simulate.avro_rows import encode_rows, record_fields, varint
from redpoll.simulate.container import Encoder

FIELDS = (
    ("i", "int"),
    ("l", ["null", "long"]),
    ("f", ["null", "float"]),
    ("d", "double"),
    ("b", ["null", "boolean"]),
    ("s", ["string", "null"]),
    ("t", ["null", {"type": "long", "logicalType": "timestamp-micros"}]),
)
COLUMNS = {
    "i": np.array([0, -1, 2**31 - 1]),
    "l": np.ma.masked_array([2**63 - 1, -(2**63), 7], [False, False, True]),
    "f": np.array([1.5, np.nan, -0.0]),
    "d": np.array([1e300, np.inf, 2.0]),
    "b": np.ma.masked_array([True, False, True], [False, False, True]),
    "s": np.array(["", "ZTF25aaaaaaa", "é"], dtype=object),
}


def one_by_one(row):
    schema = {"type": "record", "name": "r", "fields": [{"name": n, "type": t} for n, t in FIELDS]}
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, fastavro.parse_schema(schema), row)
    return buffer.getvalue()


def test_rows_equal_those_of_fastavro():
    rows = encode_rows(FIELDS, COLUMNS)
    values = {name: np.ma.getdata(column).tolist() for name, column in COLUMNS.items()}
    expected = [{name: column[k] for name, column in values.items()} for k in range(3)]
    expected[2] |= {"l": None, "b": None}
    expected[1]["f"] = None
    assert [bytes(rows.row(k)) for k in range(3)] == [one_by_one(row | {"t": None}) for row in expected]


def test_array_of_no_rows_is_null():
    assert encode_rows(FIELDS, COLUMNS).array(2, 2) is None


def test_array_counts_its_rows_and_ends_with_zero():
    rows = encode_rows(FIELDS, COLUMNS)
    assert rows.array(1, 3) == varint(2) + bytes(rows.row(1)) + bytes(rows.row(2)) + b"\x00"


def test_no_rows_at_all():
    assert len(encode_rows(FIELDS, {name: column[:0] for name, column in COLUMNS.items()})) == 0


@pytest.mark.parametrize("columns", [{"l": np.array([1])}, {"i": np.array([1]), "d": np.array([np.nan])}])
def test_what_may_not_be_null_must_have_a_value(columns):
    with pytest.raises(SchemaError, match="may not be null"):
        encode_rows(FIELDS, columns)


def test_a_record_inside_a_record_is_refused():
    with pytest.raises(SchemaError, match="cannot be encoded"):
        encode_rows((("x", "bytes"),), {"x": np.array([b"1"])})


def test_fields_of_every_record_of_a_schema_are_found():
    assert set(record_fields("ztf", "4.02")) == {
        "alert",
        "alert.candidate",
        "alert.prv_candidate",
        "alert.fp_hist",
        "alert.cutout",
    }


def test_an_alert_without_its_source_is_refused():
    with pytest.raises(TypeError, match="may not be null"):
        Encoder("rubin", "10.0").datum({"diaSourceId": 1})
