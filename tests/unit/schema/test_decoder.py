"""The decoder, value by value: what each Avro type becomes, and what a datum that does not fit is told."""

from __future__ import annotations

import json
import math
import struct

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from fastavro_oracle import arrow_type, decode_all, encode, is_same, read, record

from redpoll.errors import PacketError, SchemaError
from redpoll.schema.avro.arena import Arena
from redpoll.schema.avro.container import write_long
from redpoll.schema.avro.decoder import decode, record_ends
from redpoll.schema.avro.program import compile_schema

POINT = record(("t", "double"), ("mag", ["null", "float"]), name="point")
ALERT = record(
    ("id", "long"), ("name", ["null", "string"]), ("points", ["null", {"type": "array", "items": POINT}]), name="alert"
)
ROW = {"id": 7, "name": "Größe", "points": [{"t": 1.5, "mag": None}, {"t": float("nan"), "mag": 20.25}]}


def first(schema, *datums):
    """The first row's only field."""
    found = decode_all(schema, *datums)
    assert not found.errors
    return found.rows[0].as_py()["x"]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("int", 2**31 - 1), ("int", -(2**31)), ("long", 2**63 - 1), ("long", -(2**63)), ("long", 0), ("boolean", True),
        ("float", math.inf), ("float", -0.0), ("double", 5e-324), ("string", ""), ("string", "\0 é 星 🌟"),
        ("bytes", b""), ("bytes", b"123456789012"), ("bytes", bytes(range(256))), ("null", None),
        ({"type": "fixed", "name": "f", "size": 3}, b"\0\xff1"),
        ({"type": "fixed", "name": "f", "size": 13}, b"1234567890123"),
        ({"type": "enum", "name": "e", "symbols": ["g", "r"]}, "r"),
        ({"type": "map", "values": "int"}, {"a": 1, "": -1}),
        ({"type": "array", "items": {"type": "array", "items": "long"}}, [[1, 2], [], [3]]),
        ({"type": "array", "items": "null"}, [None, None]),
        ({"type": "array", "items": ["string", "null"]}, ["a", None]),
    ],
)  # fmt: skip
def test_every_type_becomes_what_fastavro_reads(kind, value):
    schema = record(("x", kind))
    (datum,) = encode(schema, {"x": value})
    assert is_same(first(schema, datum), read(schema, datum)["x"])
    assert decode_all(schema, datum).rows.type == arrow_type(schema)


@pytest.mark.parametrize("order", [["null", "double"], ["double", "null"]])
def test_nan_and_null_stay_apart_in_either_order(order):
    schema = record(("x", order))
    found = decode_all(schema, *encode(schema, {"x": None}, {"x": math.nan})).rows.field("x")
    assert found.is_null().to_pylist() == [True, False]


def test_a_record_within_has_its_rows():
    assert is_same(decode_all(ALERT, *encode(ALERT, ROW, ROW)).rows.to_pylist(), [ROW, ROW])


def test_null_record_leaves_no_value_behind():
    schema = record(("x", ["null", record(("a", "long"), ("b", {"type": "array", "items": "int"}), name="s")]))
    rows = decode_all(schema, *encode(schema, {"x": {"a": 5, "b": [1]}}, {"x": None}, {"x": {"a": 6, "b": [2]}})).rows
    rows.validate(full=True)
    assert rows.field("x").to_pylist() == [{"a": 5, "b": [1]}, None, {"a": 6, "b": [2]}]
    assert pc.struct_field(rows, ["x", "a"]).to_pylist() == [5, None, 6]


def test_cutouts_stay_in_the_memory_of_the_packets():
    schema = record(("x", "bytes"))
    (datum,) = encode(schema, {"x": b"s" * 5000})
    buffer = pa.py_buffer(datum)
    cutout = decode(json.dumps(schema), buffer, np.array([0]), np.array([len(datum)])).rows.field("x")
    assert cutout.buffers()[2].address == buffer.address


def test_a_long_array_in_blocks_with_byte_counts_is_whole():
    schema = record(("x", {"type": "array", "items": "long"}))
    block = b"".join(map(write_long, (-2, 2, 3, 4)))
    assert first(schema, block + write_long(1) + write_long(5) + b"\0") == [3, 4, 5]


def test_room_grows_with_the_batch():
    schema = record(("x", {"type": "array", "items": "string"}), ("y", ["null", "boolean"]))
    rows = [{"x": ["w" * (n % 20)] * n, "y": None if n % 3 else True} for n in [*range(50), 5000, 3, 0, 20_000, 1]]
    found = decode_all(schema, *encode(schema, *rows))
    assert found.rows.to_pylist() == rows


def test_a_large_batch_teaches_how_much_room_the_next_needs():
    schema = record(("x", {"type": "array", "items": "long"}), name="taught")
    datums = encode(schema, *[{"x": [1] * 100}] * 100)
    decode_all(schema, *datums)
    density = compile_schema(json.dumps(schema)).density
    assert density[1] == pytest.approx(100 / len(datums[0]))
    assert decode_all(schema, datums[0]).rows.to_pylist() == [{"x": [1] * 100}]


TEXT = record(("x", "string"))
TWO = record(("x", ["null", "int"]))
BAD = {
    "truncated": (ALERT, encode(ALERT, ROW)[0][:-3]),
    "bytes left over": (ALERT, encode(ALERT, ROW)[0] + b"\0"),
    "union branch": (TWO, write_long(2) + b"\0"),
    "a union branch the": (TWO, write_long(-1) + b"\0"),
    "an int outside": (record(("x", "int")), write_long(2**31)),
    "longer than 64": (record(("x", "long")), b"\xff" * 10 + b"\1"),
    "longer than 64 bits": (record(("x", "long")), b"\xff" * 9 + b"\2"),
    "neither 0 nor 1": (record(("x", "boolean")), b"\2"),
    "enum symbol": (record(("x", {"type": "enum", "name": "e", "symbols": ["g"]})), write_long(1)),
    "negative length": (TEXT, write_long(-1)),
    "more items": (record(("x", {"type": "array", "items": "double"})), write_long(10**15) + b"\0" * 50),
    "more items than": (record(("x", {"type": "array", "items": "null"})), write_long(10**15) + b"\0"),
    "an array with": (record(("x", {"type": "array", "items": "int"})), write_long(-(2**63)) + write_long(1) + b"\0"),
    "not UTF-8": (TEXT, write_long(2) + b"\xc3("),
}


@pytest.mark.parametrize("reason", BAD)
def test_a_bad_datum_says_why_and_where(reason):
    schema, datum = BAD[reason]
    found = decode_all(schema, datum)
    assert len(found.rows) == len(found.index) == 0
    assert reason in str(found.errors[0]) and "(byte" in str(found.errors[0])
    assert isinstance(found.errors[0], PacketError)


@pytest.mark.parametrize("cut", range(len(encode(ALERT, ROW)[0])))
def test_a_datum_cut_anywhere_spoils_no_other(cut):
    (whole,) = encode(ALERT, ROW)
    found = decode_all(ALERT, whole, whole[:cut], whole, whole)
    assert found.index.tolist() == [0, 2, 3] and list(found.errors) == [1]
    found.rows.validate(full=True)
    assert is_same(found.rows.to_pylist(), [ROW] * 3)


def test_nulls_of_a_broken_packet_do_not_show_in_the_next():
    schema = record(("a", ["null", "long"]), ("x", {"type": "array", "items": ["null", "double"]}), ("b", "double"))
    good = encode(schema, {"a": 1, "x": [1.0, 2.0, 3.0], "b": 0.0})[0]
    broken = encode(schema, {"a": None, "x": [None, None, None, None], "b": 0.0})[0][:-1]
    found = decode_all(schema, good, broken, broken, good)
    assert found.rows.to_pylist() == [{"a": 1, "x": [1.0, 2.0, 3.0], "b": 0.0}] * 2


@pytest.mark.parametrize("text", [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"ok\xe6\x98", b"\x80"])
def test_text_that_is_not_utf8_isolates_its_packet(text):
    good = encode(TEXT, {"x": "é"})[0]
    found = decode_all(TEXT, good, write_long(len(text)) + text, good)
    assert found.rows.to_pylist() == [{"x": "é"}] * 2
    assert list(found.errors) == [1]


def test_half_a_batch_of_bad_text_takes_no_longer_than_its_length():
    good, bad = encode(TEXT, {"x": "é"})[0], write_long(1) + b"\xff"
    found = decode_all(TEXT, *[good, bad] * 20_000)
    assert len(found.rows) == len(found.errors) == 20_000


def test_no_packets_give_a_table_without_rows():
    assert decode_all(ALERT).rows.type == arrow_type(ALERT)
    assert len(decode_all(ALERT).rows) == 0


def test_a_schema_without_fields_has_a_row_per_empty_datum():
    assert len(decode_all(record(), b"", b"").rows) == 2


@pytest.mark.parametrize(
    ("starts", "stops"), [([-1], [2]), ([0], [99]), ([3], [2]), ([0, 1], [1]), ([2**62], [2**62 + 1])]
)
def test_datums_outside_the_buffer_are_refused(starts, stops):
    with pytest.raises(ValueError, match="datum"):
        decode(json.dumps(TEXT), pa.py_buffer(b"\x02a"), np.array(starts), np.array(stops))


def test_offsets_of_any_integer_type_are_taken():
    found = decode(
        json.dumps(TEXT), pa.py_buffer(b"\x02a\x02b"), np.array([0, 2], np.int32), np.array([2, 4], np.uint16)
    )
    assert found.rows.field("x").to_pylist() == ["a", "b"]


def wide_items(n):
    """An array of records that are null in one byte and `n` columns wide, and a datum of many."""
    wide = record(*[(f"f{k}", "double") for k in range(n)], name="wide")
    schema = record(("x", {"type": "array", "items": ["null", wide]}), name=f"wide{n}")
    return schema, write_long(1_000_000) + b"\0" * 1_000_001


def test_a_packet_cannot_exhaust_the_memory():
    schema, bomb = wide_items(500)
    good = encode(schema, {"x": [None] * 3})[0]
    found = decode_all(schema, good, bomb, good)
    assert "too much memory" in str(found.errors[1])
    assert found.rows.to_pylist() == [{"x": [None] * 3}] * 2


grow = Arena.grow


def test_a_large_first_packet_does_not_ask_room_for_all_others(monkeypatch):
    sizes = []
    monkeypatch.setattr(Arena, "grow", lambda self, capacity: sizes.append(capacity) or grow(self, capacity))
    schema = record(("x", {"type": "array", "items": "long"}), name="uneven")
    decode_all(schema, *encode(schema, {"x": [1] * 1000}, {"x": [1] * 20}, *[{"x": []}] * 10_000))
    assert sizes and max(capacity[1] for capacity in sizes) < 20_000


def test_ends_of_records_laid_end_to_end():
    datums = encode(ALERT, *[ROW | {"id": n} for n in range(1000)])
    assert record_ends(json.dumps(ALERT), b"".join(datums), 1000).tolist() == np.cumsum([*map(len, datums)]).tolist()


@pytest.mark.parametrize(
    ("data", "count", "reason"),
    [
        (b"\x02a\x02", 2, "record 2 of 2: truncated"), (b"\x02a\x02b", 1, "2 bytes follow the last of 1"),
        (b"\x02a", 3, "2 bytes claims 3"), (b"", -1, "claims -1"), (b"a", 0, "1 bytes follow the last of 0"),
        (b"\x02a" * 300 + b"\x03", 301, "record 301 of 301: a negative length"),
    ],
)  # fmt: skip
def test_records_that_do_not_fit_their_block_are_refused(data, count, reason):
    with pytest.raises(PacketError, match=reason):
        record_ends(json.dumps(TEXT), data, count)


def test_a_block_of_no_records_has_no_ends():
    assert record_ends(json.dumps(TEXT), b"", 0).tolist() == []


def test_a_block_of_tiny_wide_records_takes_little_memory():
    wide = record(*[(f"f{k}", "double") for k in range(1000)], name="wide")
    schema = json.dumps(record(("x", ["null", wide])))
    assert record_ends(schema, b"\0" * 100_000, 100_000)[-1] == 100_000


def test_a_float_is_read_to_the_last_bit():
    signalling = struct.unpack("<f", b"\x01\x00\xa0\x7f")
    schema = record(("x", "float"))
    rows = decode_all(schema, b"\x01\x00\xa0\x7f").rows.field("x")
    assert rows.buffers()[1].to_pybytes()[:4] == b"\x01\x00\xa0\x7f" and math.isnan(signalling[0])


def test_a_schema_that_cannot_be_used_is_no_packet_error():
    with pytest.raises(SchemaError):
        decode('"long"', pa.py_buffer(b""), np.array([0]), np.array([0]))


def test_many_arrays_that_grow_in_turn_within_one_packet_are_whole():
    schema = record(*[(f"a{k}", {"type": "array", "items": ["null", "int"]}) for k in range(60)])
    one_by_one = b"".join(write_long(1) + (b"\x02" + write_long(n) if n % 3 else b"\0") for n in range(300)) + b"\0"
    numbers = [n if n % 3 else None for n in range(300)]
    found = decode_all(schema, one_by_one * 60, one_by_one * 59, one_by_one * 60)
    assert list(found.errors) == [1]
    assert found.rows.to_pylist() == [{f"a{k}": numbers for k in range(60)}] * 2
