"""Real packets of both surveys come out of their archives byte for byte."""

from __future__ import annotations

import tarfile

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from redpoll.ingest.files import open_source, open_sources
from redpoll.ingest.recognise import Kind, recognise
from redpoll.plugin.polling import all_packets

ARCHIVES = {"ztf_originals": 121, "ztf_sequences": 250, "ztf_sample": 481}


@pytest.mark.parametrize(("name", "n"), ARCHIVES.items())
def test_an_archive_gives_the_members_that_tarfile_finds(data_dir, name, n):
    path = data_dir / "ztf" / f"{name}.tar.gz"
    packets = [packet.data for packet in all_packets(open_source(path))]
    with tarfile.open(path) as archive:
        assert packets == [archive.extractfile(member).read() for member in archive]
    assert len(packets) == n


def test_the_rubin_folder_gives_its_three_files(data_dir):
    sources = open_sources([data_dir / "rubin"])
    counts = {source.name.rpartition("/")[2]: sum(1 for _ in all_packets(source)) for source in sources}
    assert counts == {
        "or4_simulated_v7_1.parquet": 50,
        "rubin_v10_2026-03-10_enriched.parquet": 93,
        "rubin_v9_confluent_framed.avro": 1,
    }


def test_a_framed_packet_is_recognised_and_whole(data_dir):
    path = data_dir / "rubin" / "rubin_v9_confluent_framed.avro"
    (packet,) = all_packets(open_source(path))
    assert packet.data == path.read_bytes()
    assert recognise(packet.data) is Kind.CONFLUENT


def is_same(one: pa.Array, other: pa.Array) -> bool:
    """Whether two arrays are equal to the last bit, so that NaN equals NaN and differs from null."""
    if pa.types.is_struct(one.type):
        parts = zip(one.flatten(), other.flatten(), strict=True)
        return one.is_valid().equals(other.is_valid()) and all(is_same(*pair) for pair in parts)
    if pa.types.is_list(one.type):
        lengths = pc.list_value_length(one).equals(pc.list_value_length(other))
        return lengths and is_same(one.flatten(), other.flatten())
    if pa.types.is_map(one.type):
        parts = [(one.offsets, other.offsets), (one.keys, other.keys), (one.items, other.items)]
        return all(is_same(*pair) for pair in parts)
    if pa.types.is_floating(one.type):
        bits = pa.int64() if one.type.bit_width == 64 else pa.int32()
        return one.view(bits).equals(other.view(bits))
    return one.equals(other)


@pytest.mark.parametrize("name", ["or4_simulated_v7_1.parquet", "rubin_v10_2026-03-10_enriched.parquet"])
def test_rows_together_are_the_real_table(data_dir, name):
    path = data_dir / "rubin" / name
    table = pq.read_table(path)
    rows = pa.concat_tables(pa.ipc.open_stream(packet.data).read_all() for packet in all_packets(open_source(path)))
    assert rows.schema.equals(table.schema)
    assert all(is_same(*map(pa.ChunkedArray.combine_chunks, columns)) for columns in zip(rows, table, strict=True))
