"""Containers of many records come apart into packets of one, and damage is never passed over."""

from __future__ import annotations

import io
import logging

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from redpoll.errors import SourceError
from redpoll.ingest.byte_stream import ByteStream
from redpoll.ingest.containers import OneRecord, container_packets
from redpoll.ingest.origin import Origin
from redpoll.schema.avro.container import HeaderReader, one_datum, read_header, wrap

CODECS = ["null", "deflate", "bzip2", "xz"]


def split(data: bytes) -> list:
    return list(container_packets(ByteStream(io.BytesIO(data).read), Origin("file.avro")))


def before_error(data: bytes) -> list:
    """Packets that come before the SourceError which must end them."""
    packets = []
    with pytest.raises(SourceError, match=r"file\.avro"):
        for packet in container_packets(ByteStream(io.BytesIO(data).read), Origin("file.avro")):
            packets.append(packet)
    return packets


def record_of(packet) -> dict:
    (record,) = fastavro.reader(io.BytesIO(packet.data))
    return record


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("block", [1, 100, 16000])
def test_each_record_becomes_a_packet(container, records, codec, block):
    assert [record_of(p) for p in split(container(30, codec=codec, block=block))] == records(30)


@pytest.mark.parametrize("codec", ["snappy", "zstandard"])
def test_codecs_that_fastavro_lacks_here_are_read(container, records, codec):
    assert [record_of(p) for p in split(recoded(container(30), codec))] == records(30)


def recoded(data: bytes, codec: str) -> bytes:
    """A one-block container compressed anew, as the Avro specification says."""
    import zlib

    import pyarrow as pa

    from redpoll.schema.avro.container import read_long, write_long

    header = read_header(data)
    count, at = read_long(data, header.start)
    size, at = read_long(data, at)
    block = data[at : at + size]
    packed = pa.compress(block, "zstd" if codec == "zstandard" else codec, asbytes=True)
    packed += zlib.crc32(block).to_bytes(4, "big") if codec == "snappy" else b""
    head = fastavro_head(codec, data)
    return head + write_long(count) + write_long(len(packed)) + packed + head[-16:]


def fastavro_head(codec: str, data: bytes) -> bytes:
    from redpoll.schema.avro.container import write_long

    entries = {"avro.codec": codec.encode(), "avro.schema": read_header(data).schema_text.encode()}
    body = b"".join(write_long(len(k)) + k.encode() + write_long(len(v)) + v for k, v in entries.items())
    return b"Obj\x01" + write_long(len(entries)) + body + b"\x00" + bytes(range(16))


def test_positions_count_records_from_one(container):
    assert [str(p.position) for p in split(container(3, block=1))] == ["record 1", "record 2", "record 3"]


def test_containers_laid_end_to_end_are_all_read(container, records):
    packets = split(container(3) + container(2))
    assert [record_of(p) for p in packets] == records(3) + records(2)
    assert len({str(p.position) for p in packets}) == 5


def test_a_container_without_records_is_kept(container):
    (packet,) = split(container(0))
    assert packet.data == container(0)


def test_an_unreadable_header_is_kept_whole():
    (packet,) = split(b"Obj\x01 and then nothing of use")
    assert packet.data == b"Obj\x01 and then nothing of use"


def test_an_unknown_codec_is_refused_with_those_known(container):
    data = fastavro_head("brotli", container(1)) + b"\x02\x02x" + bytes(range(16))
    with pytest.raises(SourceError, match="'brotli'; supported are null, deflate"):
        split(data)


def test_records_before_the_cut_are_given_then_it_is_told(container, records):
    data = container(30, block=100)
    packets = before_error(data[:-30])
    good = [record_of(p) for p in packets[:-1]]
    assert 0 < len(good) < 30
    assert good == records(len(good))
    assert packets[-1].data.endswith(data[-60:-30])


def test_a_cut_at_each_byte_loses_nothing_silently(container, records):
    data = container(6, block=1)
    start = read_header(data).start
    ends = [i for i in range(len(data)) if data[i - 16 : i] == bytes(range(16))]
    for cut in range(start + 1, len(data)):
        if cut in ends:
            continue
        try:
            packets = split(data[:cut])
        except SourceError:
            packets = before_error(data[:cut])
        else:
            assert cut < ends[1], "only a file of one broken record ends without SourceError"
        assert [record_of(p) for p in packets[:-1]] == records(len(packets) - 1)
        assert packets[-1].data.startswith(data[:start])


def test_a_block_that_cannot_be_told_apart_is_one_dead_letter_and_the_next_are_read(container, records, caplog):
    data = bytearray(container(9, block=100))
    at = data.index(bytes([4]) * 40)
    data[at - 1] = 0x7F  # the length of the fifth record's cutout
    with caplog.at_level(logging.WARNING):
        packets = split(bytes(data))
    assert [str(p.position) for p in packets] == [
        *(f"record {i}" for i in (1, 2, 3)),
        "records 4 to 6",
        *(f"record {i}" for i in (7, 8, 9)),
    ]
    assert [record_of(p) for p in packets[:3] + packets[4:]] == records(9)[:3] + records(9)[6:]
    assert bytes(data[at : at + 40]) in packets[3].data
    assert "records 4 to 6: kept as one dead letter" in caplog.text


def test_a_damaged_record_alone_in_its_block_is_a_packet_of_its_own(container):
    data = bytearray(container(3, block=1))
    at = data.index(bytes([1]) * 40)
    data[at - 1] = 0x7F
    packets = split(bytes(data))
    assert [str(p.position) for p in packets] == ["record 1", "record 2", "record 3"]
    assert bytes(data[at : at + 40]) in packets[1].data


@pytest.mark.parametrize("counts", [b"\x01\x02", b"\x02\x01", b"\xff" * 12, b"\x02\xfe\xff\xff\xff\xff\x7f"])
def test_absurd_counts_are_refused_without_reading_on(container, counts):
    data = container(1)
    packets = before_error(data + counts + b"rest" * 100)
    assert packets[1].data.endswith(b"rest")


def test_a_deflated_block_of_gigabytes_is_not_unpacked(container, monkeypatch):
    monkeypatch.setattr("redpoll.ingest.block_codecs.MAX_PACKET_BYTES", 1000)
    monkeypatch.setattr("redpoll.ingest.block_codecs._BOUND", 1001)
    packets = split(container(30, codec="deflate", size=4000))
    assert [str(p.position) for p in packets][:1] == ["records 1 to 4"]


def test_one_record_is_told_from_many_broken_and_compressed(container):
    is_one = OneRecord()
    assert is_one(container(1))
    assert is_one(container(1, size=9))
    assert not is_one(container(2))
    assert not is_one(container(1, codec="deflate"))
    assert not is_one(container(1)[:-1])
    assert not is_one(container(1) + b"x")
    assert not is_one(b"")
    assert is_one(container(1))


@given(
    st.integers(0, 300), st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=2), st.integers(-9, 9)
)
def test_the_fast_way_to_a_datum_gives_what_the_thorough_one_gives(size, changes, more):
    good = wrap('"bytes"', bytes(size))
    data = bytearray(good)
    for at, byte in changes:
        data[at % len(data)] = byte
    packet = bytes(data[:more]) if more < 0 else bytes(data) + bytes(more)
    reader = HeaderReader()
    reader(memoryview(good))
    if (found := reader.usual_datum(packet)) is not None:
        assert found == (read_header(packet).schema_text, *one_datum(packet, read_header(packet)))
    elif packet == good or (not changes and not more):
        pytest.fail("a packet like the last one must be found")


def test_a_container_of_another_schema_or_nothing_known_is_left_to_the_thorough_way():
    reader, packet = HeaderReader(), wrap('"bytes"', b"x")
    assert reader.usual_datum(packet) is None
    reader(memoryview(packet))
    assert reader.usual_datum(packet) == ('"bytes"', *one_datum(packet, read_header(packet)))
    assert reader.usual_datum(wrap('"string"', b"x")) is None and reader.usual_datum(b"") is None
