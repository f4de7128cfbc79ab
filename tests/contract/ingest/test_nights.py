"""The nights and objects read from the first bytes of packets are those of the decoded alerts."""

from __future__ import annotations

import pytest

from redpoll.config import Config
from redpoll.ingest.block import Block
from redpoll.ingest.files import open_sources
from redpoll.pipeline.assemble import night_finder, packet_decoder
from redpoll.plugin.polling import all_packets


def agree(packets):
    """Check what is found against the decoded alerts; packets that the decoder refuses are of no night and object."""
    decoded = packet_decoder(Config())(Block.of(packets))
    expected = {}
    for batch, index in decoded.batches:
        rows = batch.select(["survey", "night", "object_id"]).to_pylist()
        for i, row in zip(index.tolist(), rows, strict=True):
            expected[i] = (row["survey"], row["night"] or 0, row["object_id"] if row["survey"] == "ztf" else None)
    found = night_finder(Config())(packets)
    assert {i: (found[i].survey, found[i].night, found[i].object_id) for i in expected} == expected
    assert all(night is None or night.night == 0 or i in decoded.errors or i in expected
               for i, night in enumerate(found))  # fmt: skip
    return len(expected)


@pytest.mark.parametrize("name", ["ztf/ztf_originals.tar.gz", "ztf/ztf_sequences.tar.gz",
                                  "rubin/rubin_v9_confluent_framed.avro",
                                  "rubin/rubin_v10_2026-03-10_enriched.parquet"])  # fmt: skip
def test_nights_of_real_packets(data_dir, name):
    assert agree([p.data for source in open_sources([data_dir / name]) for p in all_packets(source)])


def test_damaged_packets_disturb_no_other(ztf_night):
    good = [p.data for source in open_sources([ztf_night]) for p in all_packets(source)][:40]
    bad = [b"", b"\x00", b"Obj\x01", b"\xff\xff\xff\xff", b"\xff" * 60, good[0][:-400], good[1][:5000], b"x" * 99]
    mixed = [packet for pair in zip(good, bad * 5, strict=True) for packet in pair]
    assert agree(mixed) == len(good)


def test_a_packet_cut_anywhere_is_harmless(ztf_night):
    packet = next(iter(all_packets(open_sources([ztf_night])[0]))).data
    agree([packet[:size] for size in range(0, len(packet), max(1, len(packet) // 60))])
