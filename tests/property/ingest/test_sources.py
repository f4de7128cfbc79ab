"""Packets come out as they went in, through any packaging, chunking and compression; damage is never passed over."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Callable
from functools import cache

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from redpoll.errors import SourceError
from redpoll.ingest.byte_stream import ByteStream
from redpoll.ingest.gzip_stream import GzipReader
from redpoll.ingest.origin import Origin
from redpoll.ingest.unpack import Unpacker

SCHEMA = {
    "type": "record",
    "name": "alert",
    "fields": [
        {"name": "candid", "type": "long"},
        {"name": "name", "type": "string"},
        {"name": "history", "type": {"type": "array", "items": ["null", "double"]}},
    ],
}
RECORD = st.fixed_dictionaries(
    {
        "candid": st.integers(-(2**63), 2**63 - 1),
        "name": st.text(max_size=20),
        "history": st.lists(st.none() | st.floats(allow_nan=False), max_size=5),
    }
)
BLOBS = st.lists(st.binary(max_size=2000).map(lambda data: b"blob" + data), min_size=1, max_size=6)


def dribble(data: bytes, sizes: list[int]) -> Callable[[int], bytes]:
    """A read function that gives so many bytes at a time, whatever it is asked."""
    stream, turn = io.BytesIO(data), iter(sizes * (len(data) + 1))
    return lambda n: stream.read(min(n, next(turn, n)))


def unpack(data: bytes) -> list[bytes]:
    return [packet.data for packet in Unpacker().packets(ByteStream(io.BytesIO(data).read), Origin("synthetic"))]


def tar_of(blobs: list[bytes], form: int = tarfile.GNU_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for i, blob in enumerate(blobs):
            info = tarfile.TarInfo(f"night/{i}.avro")
            info.size = len(blob)
            archive.addfile(info, io.BytesIO(blob))
    return out.getvalue()


def container_of(records: list[dict], codec: str, block: int) -> bytes:
    out = io.BytesIO()
    fastavro.writer(out, SCHEMA, records, codec=codec, sync_interval=block)
    return out.getvalue()


@given(
    st.binary(max_size=300),
    st.lists(st.integers(1, 9), min_size=1),
    st.lists(st.tuples(st.sampled_from("pts"), st.integers(0, 50))),
)
def test_a_stream_reads_as_its_bytes_do(data, sizes, calls):
    stream, at = ByteStream(dribble(data, sizes)), 0
    for call, n in calls:
        expected = data[at : at + n]
        if call == "p":
            assert stream.peek(n) == expected
            continue
        assert (stream.take(n) if call == "t" else stream.skip(n)) == (expected if call == "t" else len(expected))
        at += len(expected)


@given(st.lists(st.binary(max_size=500), max_size=4), st.lists(st.integers(1, 50), min_size=1), st.integers(0, 600))
def test_gunzip_gives_what_was_zipped_however_it_is_read(parts, sizes, padding):
    packed = b"".join(map(gzip.compress, parts)) + bytes(padding if parts else 0)
    stream = ByteStream(GzipReader(dribble(packed, sizes)).read)
    assert stream.take(10_000) == b"".join(parts)
    assert bool(stream.damage) == (not parts)


@given(
    st.lists(RECORD, min_size=1, max_size=30), st.sampled_from(["null", "deflate", "bzip2", "xz"]), st.integers(1, 400)
)
def test_records_come_out_as_they_went_in(records, codec, block):
    packets = unpack(container_of(records, codec, block))
    assert [record for packet in packets for record in fastavro.reader(io.BytesIO(packet))] == records
    assert len(packets) == len(records)


@given(
    BLOBS,
    st.sampled_from([tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]),
    st.integers(0, 2),
    st.booleans(),
)
def test_packaging_does_not_change_packets(blobs, form, n_zips, is_nested):
    data = tar_of(blobs, form)
    data = tar_of([data]) if is_nested else data
    for _ in range(n_zips):
        data = gzip.compress(data, 1)
    assert unpack(data) == blobs


@cache
def archives() -> dict[str, tuple[bytes, list[bytes]]]:
    """Small files of each kind, with their packets."""
    blobs = [container_of([{"candid": i, "name": "x" * i, "history": [1.0] * i}], "null", 100) for i in range(6)]
    table = io.BytesIO()
    pq.write_table(pa.table({"candidate": [{"jd": float(i)} for i in range(20)]}), table, row_group_size=5)
    many = container_of([{"candid": i, "name": "", "history": []} for i in range(20)], "deflate", 40)
    files = {"tar": tar_of(blobs), "tar.gz": gzip.compress(tar_of(blobs), 1), "avro": many, "parquet": table.getvalue()}
    return {kind: (data, unpack(data)) for kind, data in files.items()}


def mutated(data: bytes, edits: list[tuple[float, int]], cut: float) -> bytes:
    changed = bytearray(data)
    for fraction, byte in edits:
        changed[int(fraction * (len(data) - 1))] = byte
    return bytes(changed[: int(cut * len(data))])


EDITS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=3)
CUT = st.just(1.0) | st.floats(0, 1)


@settings(max_examples=400)
@given(st.sampled_from(["tar", "tar.gz", "avro", "parquet"]), EDITS, CUT)
def test_damaged_files_give_packets_or_a_source_error(kind, edits, cut):
    data, _ = archives()[kind]
    try:
        packets = unpack(mutated(data, edits, cut))
    except SourceError as error:
        assert "synthetic" in str(error)
    else:
        assert all(isinstance(packet, bytes) for packet in packets)


@settings(max_examples=300)
@given(EDITS, CUT)
def test_a_damaged_tar_gz_is_told_or_gives_every_packet_unchanged(edits, cut):
    data, whole = archives()["tar.gz"]
    damaged = mutated(data, edits, cut)
    try:
        packets = unpack(damaged)
    except SourceError:
        return
    assert packets in (whole, [damaged])  # the latter where it is no longer gzip: kept whole, as a dead letter


@settings(max_examples=300)
@given(EDITS, CUT)
def test_a_damaged_tar_is_told_or_gives_as_many_packets(edits, cut):
    data, whole = archives()["tar"]
    damaged = mutated(data, edits, cut)
    try:
        packets = unpack(damaged)
    except SourceError:
        return
    assert len(packets) == len(whole) or packets == [damaged]
