"""Writer schemas: names resolved as Avro says, and hostile ones refused quickly and in little memory."""

from __future__ import annotations

import json
import time
import tracemalloc

import pyarrow as pa
import pytest
from fastavro_oracle import arrow_type, decode_all, encode, record

from redpoll.errors import SchemaError
from redpoll.schema.avro import machine
from redpoll.schema.avro.program import compile_schema
from redpoll.schema.avro.tree import parse_schema
from redpoll.schema.bands import SURVEYS
from redpoll.schema.packet_schemas import known_versions, packet_schema

EVERY = [(survey, version) for survey in SURVEYS for version in known_versions(survey)]


@pytest.mark.parametrize(("survey", "version"), EVERY)
def test_survey_schemas_become_the_arrow_type_they_spell(survey, version):
    schema = packet_schema(survey, version)
    assert parse_schema(json.dumps(schema)).arrow == arrow_type(schema)


def test_a_name_is_found_in_its_namespace_before_others():
    two, three = ({"type": "fixed", "name": "cutout", "size": size} for size in (2, 3))
    schema = record(("a", two), ("b", record(("c", three), ("d", "cutout"), name="deep.s")), ("e", "cutout"))
    row = {"a": b"22", "b": {"c": b"333", "d": b"333"}, "e": b"22"}
    assert decode_all(schema, *encode(schema, row)).rows.to_pylist() == [row]


def test_docs_defaults_aliases_and_orders_change_nothing():
    plain = record(("x", ["null", "float"]))
    wordy = plain | {"doc": "d", "aliases": ["s"]}
    wordy["fields"] = [wordy["fields"][0] | {"default": None, "order": "ignore", "aliases": ["y"]}]
    assert parse_schema(json.dumps(plain)) == parse_schema(json.dumps(wordy))


def laughs(depth: int, width: int) -> str:
    """A schema whose types double (and double) by reference."""
    kind = record(("f", "long"), name="t0")
    for k in range(1, depth):
        kind = record(("g0", kind), *[(f"g{n}", f"t{k - 1}") for n in range(1, width)], name=f"t{k}")
    return json.dumps(kind)


DEEP = '{"type":"record","name":"r","fields":[{"name":"x","type":' + '{"type":"array","items":' * 5000
HOSTILE = {
    "not JSON": "{",
    "not JSON at all": "\0",
    "empty": "",
    "deep": "[" * 100_000,
    "deep types": DEEP + '"int"' + "}" * 5000 + "}]}",
    "a long number": '{"type": ' + "9" * 100_000 + "}",
    "no record": '"string"',
    "a nullable record": json.dumps(["null", record(("x", "int"))]),
    "no name": '{"type":"record","fields":[]}',
    "no fields": '{"type":"record","name":"r"}',
    "fields that are text": '{"type":"record","name":"r","fields":"abc"}',
    "fields that are numbers": '{"type":"record","name":"r","fields":[1]}',
    "a field without name": '{"type":"record","name":"r","fields":[{"type":"int"}]}',
    "a field without type": '{"type":"record","name":"r","fields":[{"name":"x"}]}',
    "a name twice": json.dumps(record(("x", "int"), ("x", "int"))),
    "an empty name": json.dumps(record(("", "int"))),
    "a lone surrogate": r'{"type":"record","name":"r","fields":[{"name":"\ud800","type":"int"}]}',
    "a lone surrogate in a symbol": json.dumps(record(("x", {"type": "enum", "name": "e", "symbols": ["\ud800"]}))),
    "a lone surrogate in a type": json.dumps(record(("x", "\udfff"))),
    "an unknown type": json.dumps(record(("x", "decimal128"))),
    "a long unknown type": json.dumps(record(("x", "t" * 1_000_000))),
    "a type that is a number": json.dumps(record(("x", 7))),
    "an array of nothing": json.dumps(record(("x", {"type": "array"}))),
    "a map of nothing": json.dumps(record(("x", {"type": "map", "values": None}))),
    "an enum without symbols": json.dumps(record(("x", {"type": "enum", "name": "e"}))),
    "symbols that are a number": json.dumps(record(("x", {"type": "enum", "name": "e", "symbols": 5}))),
    "symbols that are numbers": json.dumps(record(("x", {"type": "enum", "name": "e", "symbols": [5]}))),
    "a fixed of no size": json.dumps(record(("x", {"type": "fixed", "name": "f", "size": 0}))),
    "a fixed too large": json.dumps(record(("x", {"type": "fixed", "name": "f", "size": 1 << 40}))),
    "a fixed of half a byte": json.dumps(record(("x", {"type": "fixed", "name": "f", "size": 0.5}))),
    "three branches": json.dumps(record(("x", ["null", "int", "string"]))),
    "two branches without null": json.dumps(record(("x", ["int", "string"]))),
    "one branch": json.dumps(record(("x", ["int"]))),
    "no branch": json.dumps(record(("x", []))),
    "null twice": json.dumps(record(("x", ["null", "null"]))),
    "a union in a union": json.dumps(record(("x", ["null", ["null", "int"]]))),
    "itself": json.dumps(record(("x", "r"))),
    "itself in an array": json.dumps(record(("x", {"type": "array", "items": "r"}))),
    "each other": json.dumps(record(("a", record(("b", ["null", "r"]), name="s")))),
    "a billion laughs": laughs(20, 2),
    "wide laughs": laughs(6, 40),
    "many fields": json.dumps(record(*[(f"f{n}", "int") for n in range(60_000)])),
    "a million fields": json.dumps(record(("x", "int"))).replace("[", "[" + '{"name":"f","type":"int"},' * 1_000_000),
    "many arrays": json.dumps(record(*[(f"f{n}", {"type": "array", "items": "int"}) for n in range(100)])),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_schema_is_refused_quickly_and_in_few_words(name):
    start = time.process_time()
    with pytest.raises(SchemaError) as caught:
        compile_schema(HOSTILE[name])
    assert time.process_time() - start < 5
    assert len(str(caught.value)) < 300
    assert str(caught.value).isprintable() and str(caught.value).encode()


def test_laughs_take_little_memory():
    tracemalloc.start()
    try:
        with pytest.raises(SchemaError):
            compile_schema(laughs(20, 3))
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("logical", [["timestamp-millis"], {"a": 1}, 5, None, "unheard-of"])
def test_a_logical_type_that_is_unknown_is_left_out(logical):
    schema = json.dumps(record(("x", {"type": "long", "logicalType": logical})))
    assert parse_schema(schema).arrow == pa.struct([("x", pa.int64())])


def nested(levels):
    kind = "int"
    for _ in range(levels):
        kind = {"type": "array", "items": kind}
    return record(("x", kind))


def test_the_deepest_schema_there_may_be_is_decoded():
    levels = max(n for n in range(40) if is_usable(nested(n)))
    row = 7
    for _ in range(levels):
        row = [row]
    assert 20 <= levels < machine._DEPTH
    assert decode_all(nested(levels), *encode(nested(levels), {"x": row})).rows.to_pylist() == [{"x": row}]


def is_usable(schema):
    try:
        return bool(parse_schema(json.dumps(schema)))
    except SchemaError:
        return False
