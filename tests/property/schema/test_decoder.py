"""Random schemas and random data: our decoder and fastavro give the same, whatever stands beside a packet."""

from __future__ import annotations

import json
import random

import numpy as np
from avro_schemas import in_blocks, schemas_with_rows
from fastavro_oracle import arrow_type, decode_all, encode, is_same, read
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from redpoll.errors import PacketError
from redpoll.schema.avro.decoder import record_ends

LIMITS = settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])


@LIMITS
@given(schemas_with_rows())
def test_random_data_decodes_as_fastavro_reads_it(case):
    schema, rows = case
    datums = encode(schema, *rows)
    found = decode_all(schema, *datums)
    found.rows.validate(full=True)
    assert not found.errors
    assert found.rows.type == arrow_type(schema)
    assert is_same(found.rows.to_pylist(), [read(schema, datum) for datum in datums])


@LIMITS
@given(schemas_with_rows(), st.randoms(use_true_random=False))
def test_arrays_in_any_blocks_are_the_same(case, rng):
    schema, rows = case
    found = decode_all(schema, *[in_blocks(schema, row, rng) for row in rows])
    assert not found.errors
    assert is_same(found.rows.to_pylist(), [read(schema, datum) for datum in encode(schema, *rows)])


@LIMITS
@given(schemas_with_rows(), st.randoms(use_true_random=False))
def test_broken_datums_leave_the_others_right(case, rng):
    schema, rows = case
    good = encode(schema, *rows)
    mixed = [(datum, True) for datum in good] + [(broken(datum, rng), False) for datum in good]
    rng.shuffle(mixed)
    found = decode_all(schema, *[datum for datum, _ in mixed])
    found.rows.validate(full=True)
    assert sorted([*found.index.tolist(), *found.errors]) == [*range(len(mixed))]
    assert {i for i, (_, is_good) in enumerate(mixed) if is_good} <= set(found.index.tolist())
    for row, i in zip(found.rows.to_pylist(), found.index, strict=True):
        assert is_same(row, read(schema, mixed[i][0]))  # what is taken is what fastavro takes


def broken(datum: bytes, rng: random.Random) -> bytes:
    """Cut, lengthened or with other bytes."""
    data = bytearray(datum)
    match rng.randrange(4):
        case 0:
            del data[rng.randint(0, len(data)) :]
        case 1:
            data += bytes(rng.choices([0, 1, 2, 128, 255], k=rng.randint(1, 12)))
        case _:
            for _ in range(rng.randint(1, 3)):
                if data:
                    data[rng.randrange(len(data))] = rng.choice([0, 1, 2, 3, 4, 127, 128, 255])
    return bytes(data)


@settings(LIMITS, max_examples=60)
@given(schemas_with_rows(max_rows=40))
def test_records_end_where_they_were_joined(case):
    schema, rows = case
    datums = encode(schema, *rows)
    data = b"".join(datums)
    if len(rows) > max(len(data), 1):  # records of no bytes: how many there are cannot be checked
        return
    assert record_ends(json.dumps(schema), data, len(rows)).tolist() == np.cumsum([*map(len, datums)]).tolist()


@settings(LIMITS, max_examples=60)
@given(schemas_with_rows(max_rows=2), st.binary(max_size=60), st.integers(-2, 50))
def test_ends_of_any_bytes_are_ends_or_a_packet_error(case, data, count):
    try:
        ends = record_ends(json.dumps(case[0]), data, count)
    except PacketError:
        return
    assert len(ends) == count and (np.diff(ends, prepend=0) >= 0).all() and (ends[-1] if count else 0) == len(data)


@settings(max_examples=300)
@given(st.lists(st.one_of(st.binary(max_size=8), st.text(max_size=4).map(str.encode)), max_size=4).map(b"".join))
def test_text_is_taken_where_python_takes_it(data):
    schema = {"type": "record", "name": "r", "fields": [{"name": "x", "type": "string"}]}
    found = decode_all(schema, in_blocks("bytes", data, random.Random(0)))
    try:
        assert found.rows.to_pylist() == [{"x": data.decode()}]
    except UnicodeDecodeError:
        assert "UTF-8" in str(found.errors[0])


def test_every_pair_of_bytes_after_every_lead_is_text_where_python_says_so():
    schema = {"type": "record", "name": "r", "fields": [{"name": "x", "type": "string"}]}
    edges = (0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF)
    texts = [
        bytes([a, b, *rest]) for a in range(256) for b in edges for rest in ((), (0x80,), (0x80, 0xBF), (0xBF, 0x41))
    ]
    found = decode_all(schema, *[in_blocks("bytes", text, random.Random(0)) for text in texts])
    taken = set(found.index.tolist())
    assert taken == {i for i, text in enumerate(texts) if text.decode(errors="replace").encode() == text}
