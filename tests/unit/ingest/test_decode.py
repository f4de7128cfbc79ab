"""Blocks of packets of every framing, good and bad: each packet is in a table or has a reason."""

from __future__ import annotations

import json
import math
import re
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from redpoll.config import parse_config
from redpoll.errors import SourceError
from redpoll.ingest.arrow_rows import ARROW_STREAM
from redpoll.ingest.block import Block
from redpoll.ingest.decode import PacketDecoder
from redpoll.ingest.schemas import BuiltIn
from redpoll.pipeline.assemble import packet_decoder
from redpoll.schema.bands import DETECTION, LOW_QUALITY
from redpoll.schema.light_curve import LightCurves

sys.path.insert(0, str(Path(__file__).parents[1] / "schema"))  # for the synthetic packets

from alert_rows import PREVIOUS, RUBIN, SOURCE, ZTF, rubin_packet, ztf_packet
from fastavro_oracle import container, decode_all, encode, record

from redpoll.schema.packet_schemas import packet_schema


def ztf(candid=5, **options):
    return container(ZTF, ztf_packet() | {"candid": candid}, **options)


def old_ztf(candid=5):
    return container(packet_schema("ztf", "3.3"), ztf_packet() | {"candid": candid})


def rubin(number=5):
    packet = rubin_packet(own={"diaSourceId": number})
    return b"\0" + (1000).to_bytes(4, "big") + encode(RUBIN, packet)[0]


def arrow(rows):
    batch = pa.RecordBatch.from_pylist(rows)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return sink.getvalue().to_pybytes()


def arrow_row(number=5):
    own = {name: SOURCE[name] for name in ("midpointMjdTai", "ra", "dec", "psfFlux", "psfFluxErr", "band")}
    return arrow([{"diaSource": own | {"diaSourceId": number}}])


def ztf_packets(packet):
    return container(ZTF, packet)


def arrow_of_packets(packet):
    rows = decode_all(ZTF, *encode(ZTF, packet)).rows
    sink = pa.BufferOutputStream()
    batch = pa.RecordBatch.from_struct_array(rows)
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return sink.getvalue().to_pybytes()


def decoded(*packets):
    """Alert ids by place in the block, and the errors."""
    found = PacketDecoder(BuiltIn())(Block.of(packets))
    ids = {}
    for batch, index in found.batches:
        batch.validate(full=True)
        ids |= dict(zip(index.tolist(), batch["alert_id"].to_pylist(), strict=True))
    assert sorted([*ids, *found.errors]) == [*range(len(packets))]
    return ids, found.errors


BAD = {
    "empty": b"",
    "begins with b'Garbage!'": b"Garbage! and more",
    "begins with": b"\0",
    "no schema with id 7": b"\0\0\0\0\7abc",
    "truncated": ztf()[:-100],
    "not an Avro object container|no end|needs|truncated": b"Obj\x01",
    "sync marker": ztf()[:-1] + bytes([ztf()[-1] ^ 1]),
    "bytes follow": ztf() + b"more",
    "holds 2 records": container(ZTF, ztf_packet(), ztf_packet()),
    "compressed": ztf(codec="deflate"),
    "not a ZTF, Rubin or ELAsTiCC alert": container(record(("x", "int")), {"x": 1}),
    "not JSON": container(ZTF, ztf_packet()).replace(b'{"type": "record"', b'{"type": "record;', 1),
    "truncated \\(byte": rubin()[:-3],
    "left over": rubin() + b"\0",
    "cannot be read": ARROW_STREAM + b"garbage",
    "stream of 2 rows": arrow([{"diaSource": SOURCE}] * 2),
    "stream of 0 rows": arrow([]),
    "not a ZTF, Rubin or ELAsTiCC alert: it has the fields y": arrow([{"y": 1}]),
    "lacks psfFlux": arrow([{"diaSource": {n: SOURCE[n] for n in ("diaSourceId", "midpointMjdTai", "ra", "dec")}}]),
}


@pytest.mark.parametrize("reason", BAD)
def test_a_bad_packet_has_a_reason_and_spoils_no_other(reason):
    ids, errors = decoded(ztf(1), BAD[reason], rubin(2), arrow_row(3), ztf(4))
    assert ids == {0: 1, 2: 2, 3: 3, 4: 4}
    assert list(errors) == [1]
    assert re.search(reason, errors[1])


def test_a_block_of_everything_accounts_for_every_packet():
    packets = [
        ztf(0),
        *BAD.values(),
        old_ztf(1),
        rubin(2),
        arrow_row(3),
        *BAD.values(),
        ztf(4),
        old_ztf(5),
        arrow_row(6),
    ]
    ids, errors = decoded(*packets)
    assert sorted(ids.values()) == [*range(7)]
    assert len(errors) == 2 * len(BAD)
    assert all(errors.values())


def test_a_block_of_nothing_gives_nothing():
    assert PacketDecoder(BuiltIn())(Block.of([])).batches == []


def test_rows_are_numbered_as_in_the_block():
    packets = [old_ztf(10), ztf(20), old_ztf(30), ztf(40)]
    assert decoded(*packets)[0] == {0: 10, 1: 20, 2: 30, 3: 40}


def test_a_ten_megabyte_packet_is_an_alert():
    packet = ztf_packet() | {"cutoutScience": {"fileName": "s", "stampData": bytes(10_000_000)}}
    found = PacketDecoder(BuiltIn())(Block.of([container(ZTF, packet), ztf()]))
    assert not found.errors
    assert [len(x or b"") for x in found.batches[0][0]["cutout_science"].to_pylist()] == [10_000_000, 0]


def test_ten_megabytes_of_nothing_are_refused():
    assert set(decoded(bytes(10_000_000), b"\xff" * 10_000_000, b"Obj\x01" * 2_500_000)[1]) == {0, 1, 2}


def test_a_schema_that_differs_in_a_letter_is_another():
    one, other = ztf(1), container(ZTF | {"doc": "x"}, ztf_packet() | {"candid": 2})
    assert decoded(one, other, one)[0] == {0: 1, 1: 2, 2: 1}


def test_packets_of_every_sync_marker_are_of_one_table():
    packets = [ztf(k, sync_marker=bytes([k]) * 16) for k in range(100)]
    assert len(PacketDecoder(BuiltIn())(Block.of(packets)).batches) == 1


def test_a_registry_out_of_reach_is_no_reason_to_drop_packets():
    class Silent:
        def schema(self, schema_id):
            raise SourceError("no answer")

    with pytest.raises(SourceError):
        PacketDecoder(Silent())(Block.of([rubin()]))


def test_a_hostile_schema_in_a_registry_is_an_error_of_its_packets():
    class Hostile:
        def schema(self, schema_id):
            return "[" * 10_000

    found = PacketDecoder(Hostile())(Block.of([ztf(), rubin()]))
    assert len(found.batches) == 1 and list(found.errors) == [1]


def test_a_block_within_a_larger_buffer_is_read_from_its_place():
    data = b"leading" + ztf(1) + ztf(2)
    offsets = np.array([7, 7 + len(ztf(1)), len(data)])
    ((batch, index),) = PacketDecoder(BuiltIn())(Block(pa.py_buffer(data), offsets)).batches
    assert (batch["alert_id"].to_pylist(), index.tolist()) == ([1, 2], [0, 1])


def broken_offsets():
    """An Arrow stream whose list offsets point far outside."""
    rows = [{"diaSource": {n: SOURCE[n] for n in SOURCE}, "prvDiaSources": [{"psfFlux": 1.0}] * 3}]
    data = bytearray(arrow(rows))
    place = data.rfind(np.array([0, 3], "<i4").tobytes())
    data[place : place + 8] = np.array([0, 2**30], "<i4").tobytes()
    return bytes(data)


def test_an_arrow_stream_that_points_outside_is_refused():
    ids, errors = decoded(broken_offsets(), ztf())
    assert list(ids) == [1] and "cannot be read" in errors[0]


def test_a_field_name_that_is_no_text_is_refused():
    ids, errors = decoded(arrow_row().replace(b"diaSource\0", b"\xff\xfeaSource\0"), arrow_row())
    assert list(ids) == [1] and errors[0]


def test_a_field_that_stands_twice_is_refused():
    own = pa.array([{"diaSourceId": 1, "midpointMjdTai": 1.0, "ra": 1.0, "dec": 1.0, "psfFlux": 1.0}])
    batch = pa.RecordBatch.from_arrays([own, own], names=["diaSource", "diaSource"])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    assert list(decoded(sink.getvalue().to_pybytes(), ztf())[1]) == [0]


def test_text_in_a_packet_that_is_not_utf8_isolates_it():
    broken = ztf(1).replace(b"ZTF18abcdefg", b"ZTF18abcd\xff\xfe\xfd")
    ids, errors = decoded(ztf(0), broken, ztf(2))
    assert list(ids) == [0, 2] and "UTF-8" in errors[1]


def _with_type(schema, name, kind, inner=None):
    """The schema with another type for one field, of the packet or of an inner record."""
    changed = json.loads(json.dumps(schema))
    fields = changed["fields"]
    if inner is not None:
        fields = next(f["type"] for f in fields if f["name"] == inner)["fields"]
    next(f for f in fields if f["name"] == name)["type"] = kind
    return changed


@pytest.mark.parametrize("bad", range(4))
def test_a_value_that_cannot_be_converted_rejects_its_packet_alone(bad):
    schema = _with_type(ZTF, "candid", "string")
    ids = ["1", "2", "3", "4"]
    ids[bad] = "oops"
    found, errors = decoded(*(container(schema, ztf_packet() | {"candid": candid}) for candid in ids))
    assert found == {i: i + 1 for i in range(4) if i != bad}
    assert list(errors) == [bad]
    assert "candid" in errors[bad] and "oops" in errors[bad]


def test_several_bad_values_reject_their_packets_alone_and_keep_the_order():
    schema = _with_type(ZTF, "candid", "string")
    found, errors = decoded(*(container(schema, ztf_packet() | {"candid": c}) for c in ["x", "2", "", "4", "5", "y"]))
    assert found == {1: 2, 3: 4, 4: 5}
    assert sorted(errors) == [0, 2, 5]


@pytest.mark.parametrize("form", [ztf_packets, arrow_of_packets], ids=["avro", "arrow"])
@pytest.mark.parametrize(("toml", "kind"), [("", DETECTION), ("min_real_bogus = 0.9", LOW_QUALITY)])
def test_the_cuts_of_the_configuration_reach_the_light_curves(toml, kind, form):
    earlier = PREVIOUS | {"magpsf": 19.0, "sigmapsf": 0.1, "isdiffpos": "t", "rb": 0.6, "nbad": 0}
    packet = ztf_packet(rb=0.95, previous=[earlier])
    config = parse_config(f"[quality.ztf]\n{toml}")
    ((batch, _),) = packet_decoder(config)(Block.of([form(packet)])).batches
    assert LightCurves.from_arrow(batch["light_curve"]).kind.tolist() == [kind, DETECTION]


def test_nan_in_an_optional_integer_is_null():
    schema = _with_type(ZTF, "ndethist", "double", inner="candidate")
    packets = [container(schema, ztf_packet(ndethist=n) | {"candid": 5}) for n in (3.0, math.nan)]
    ((batch, _),) = PacketDecoder(BuiltIn())(Block.of(packets)).batches
    assert batch["n_detections"].to_pylist() == [3, None]


def test_a_fraction_in_an_integer_field_rejects_its_packet_alone():
    schema = _with_type(ZTF, "ndethist", "double", inner="candidate")
    found, errors = decoded(*(container(schema, ztf_packet(ndethist=n) | {"candid": 5}) for n in (3.0, 3.5)))
    assert found == {0: 5}
    assert "candidate.ndethist" in errors[1]


@pytest.mark.parametrize(("candid", "is_exact"), [(2.0**53 - 1, True), (2.0**53, False), (2.4e18, False), (1.5, False)])
def test_an_identifier_that_came_as_a_float_is_taken_only_if_it_is_exact(candid, is_exact):
    schema = _with_type(ZTF, "candid", "double")
    found, errors = decoded(container(schema, ztf_packet() | {"candid": candid}))
    assert found == ({0: int(candid)} if is_exact else {})
    assert is_exact or "candid" in errors[0]


def test_float_identifiers_of_parquet_copies_are_refused_by_name():
    own = {name: SOURCE[name] for name in ("midpointMjdTai", "ra", "dec", "psfFlux", "psfFluxErr", "band")}
    rows = [
        own | {"diaSourceId": 5, "diaObjectId": 1.6983058043109379e17},
        own | {"diaSourceId": 6.0, "diaObjectId": 7},
    ]
    found, errors = decoded(*(arrow([{"diaSource": row}]) for row in rows))
    assert found == {1: 6}
    assert "diaSource.diaObjectId" in errors[0]
