"""The framing of packets: headers, counts and sync markers, and what is told where they do not fit."""

from __future__ import annotations

import io
import json

import fastavro
import pytest
from fastavro_oracle import container, encode, record

from redpoll.errors import PacketError
from redpoll.schema.avro.container import HeaderReader, one_datum, read_header, read_long, wrap, write_long

SCHEMA = record(("id", "long"), ("name", "string"))
ROW = {"id": 3, "name": "ZTF"}
PACKET = container(SCHEMA, ROW)


def meta(*entries: tuple[bytes, bytes], end: bytes = b"\0" + b"s" * 16) -> bytes:
    body = b"".join(write_long(len(k)) + k + write_long(len(v)) + v for k, v in entries)
    return b"Obj\x01" + write_long(len(entries)) + body + end


def test_datum_is_where_fastavro_wrote_it():
    start, stop = one_datum(PACKET, read_header(PACKET))
    assert PACKET[start:stop] == encode(SCHEMA, ROW)[0]


def test_wrapped_datum_is_a_container_that_fastavro_reads():
    data = wrap(json.dumps(SCHEMA), encode(SCHEMA, ROW)[0])
    assert list(fastavro.reader(io.BytesIO(data))) == [ROW]
    assert data[slice(*one_datum(data, read_header(data)))] == encode(SCHEMA, ROW)[0]


@pytest.mark.parametrize("value", [0, -1, 1, 63, -64, 64, 2**31, -(2**31), 2**63 - 1, -(2**63)])
def test_an_integer_is_read_as_written(value):
    assert read_long(write_long(value), 0) == (value, len(write_long(value)))


@pytest.mark.parametrize("data", [b"", b"\x80", b"\xff" * 9, b"\xff" * 9 + b"\x02", b"\xff" * 40])
def test_an_integer_without_end_or_beyond_64_bits_is_refused(data):
    with pytest.raises(PacketError, match=r"no end|longer than 64"):
        read_long(data, 0)


@pytest.mark.parametrize("cut", range(0, len(PACKET)))
def test_a_packet_cut_anywhere_is_refused(cut):
    with pytest.raises(PacketError):
        one_datum(PACKET[:cut], read_header(PACKET[:cut]))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not an Avro object container"),
        (b"PK\x03\x04", "not an Avro object container"),
        (meta((b"avro.codec", b"null")), "without avro.schema"),
        (meta((b"avro.schema", b"\xff")), "not UTF-8"),
        (meta((b"avro.schema", b"{}"), end=b"\0"), "ends before its sync marker"),
        (b"Obj\x01" + write_long(10**12), "claims 1000000000000 entries"),
        (b"Obj\x01" + write_long(-(2**63)) + b"\0", "claims"),
        (b"Obj\x01" + (write_long(1) + b"\0\0") * 5000, "claims 1001 entries"),
        (b"Obj\x01" + write_long(1) + write_long(2**40), "needs 1099511627776 bytes"),
        (b"Obj\x01" + write_long(1) + write_long(-5), "damaged: the header has a length of -5 bytes"),
    ],
)
def test_a_header_that_is_none_is_refused(data, reason):
    with pytest.raises(PacketError, match=reason):
        read_header(data)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (container(SCHEMA, ROW, ROW), "holds 2 records"),
        (container(SCHEMA), "no end|holds"),
        (container(SCHEMA, ROW, codec="deflate"), "compressed with 'deflate'"),
        (PACKET[:-1] + bytes([PACKET[-1] ^ 1]), "sync marker"),
        (PACKET + b"\0", "1 bytes follow"),
        (PACKET[: read_header(PACKET).start] + write_long(1) + write_long(-7), "damaged: the datum has a length of -7"),
        (container(SCHEMA, ROW, {"id": 1, "name": "w" * 99}, sync_interval=1), "bytes follow the first block"),
    ],
)
def test_a_container_that_is_no_packet_is_refused(data, reason):
    with pytest.raises(PacketError, match=reason):
        one_datum(data, read_header(data))


def test_a_header_in_several_blocks_is_read():
    blocks = b"".join(write_long(-1) + write_long(9) + write_long(len(k)) + k + write_long(len(v)) + v
                      for k, v in ((b"avro.schema", b'"int"'), (b"avro.codec", b"null")))  # fmt: skip
    assert read_header(b"Obj\x01" + blocks + b"\0" + b"s" * 16).schema_text == '"int"'


def test_headers_that_differ_in_their_sync_marker_are_read_once():
    reader = HeaderReader()
    packets = [container(SCHEMA, ROW, sync_marker=bytes([k]) * 16) for k in range(256)]
    headers = [reader(memoryview(packet)) for packet in packets]
    assert headers == [read_header(packet) for packet in packets]
    assert len({id(header.schema_text) for header in headers}) == 1


def test_remembered_headers_are_few():
    reader = HeaderReader()
    packets = [container(SCHEMA | {"doc": str(k)}, ROW) for k in range(200)]
    assert [reader(memoryview(packet)).schema_text for packet in packets * 2]
    assert len(reader._known) <= 64


def test_a_remembered_header_does_not_hide_that_a_packet_is_cut():
    reader = HeaderReader()
    assert reader(memoryview(PACKET))
    for cut in range(len(PACKET)):
        with pytest.raises(PacketError):
            one_datum(PACKET[:cut], reader(memoryview(PACKET[:cut])))
