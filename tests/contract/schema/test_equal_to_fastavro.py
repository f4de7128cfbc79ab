"""Every packet, real or simulated, decodes to exactly what fastavro reads: values, nulls, NaN, types, cutouts."""

from __future__ import annotations

import json
from collections import defaultdict

import numpy as np
import pyarrow as pa
import pytest
from fastavro_oracle import arrow_type, decode_all, encode, is_same, read
from real_packets import V9, ZTF_ARCHIVES, framed, v10_rows, ztf_packets
from synthetic_packets import simulated

from redpoll.schema.avro.container import CONFLUENT_PREFIX, one_datum, read_header
from redpoll.schema.avro.decoder import decode
from redpoll.schema.packet_schemas import packet_schema


def datum(packet: bytes) -> bytes:
    """The schemaless bytes within a packet of either framing."""
    if packet[:1] == b"\0":
        return packet[CONFLUENT_PREFIX:]
    return packet[slice(*one_datum(packet, read_header(packet)))]


def check(packets: list[bytes]) -> int:
    """Compare packets, grouped by writer schema; how many schemas there were."""
    groups = defaultdict(list)
    for packet in packets:
        schema, row = framed(packet)
        groups[json.dumps(schema)].append((datum(packet), row))
    for text, group in groups.items():
        found = decode_all(json.loads(text), *[data for data, _ in group])
        assert not found.errors
        found.rows.validate(full=True)
        assert found.rows.type == arrow_type(json.loads(text))
        assert all(map(is_same, found.rows.to_pylist(), [row for _, row in group]))
    return len(groups)


@pytest.mark.parametrize(
    ("survey", "version"),
    [("ztf", "3.3"), ("ztf", "4.02"), ("rubin", "9.0"), ("rubin", "10.0"), ("rubin", "11.0"), ("rubin", "11.1")],
)
def test_simulated_packets(survey, version):
    assert check(list(simulated(survey, version))) == 1


@pytest.mark.parametrize("archive", ZTF_ARCHIVES)
def test_real_ztf_packets(data_dir, archive):
    packets = ztf_packets(data_dir, archive)
    assert len(packets) == ZTF_ARCHIVES[archive]
    assert check(packets) >= 1


def test_real_ztf_packets_have_twelve_writer_schemas(data_dir):
    packets = [packet for archive in ZTF_ARCHIVES for packet in ztf_packets(data_dir, archive)]
    assert len({read_header(packet).schema_text for packet in packets}) == 12


def test_a_real_rubin_packet_with_our_own_schema(data_dir):
    assert check([(data_dir / "rubin" / V9).read_bytes()]) == 1


@pytest.mark.slow
def test_real_rubin_rows_encoded_anew(data_dir):
    schema, n = packet_schema("rubin", "10.0"), 0
    for row in v10_rows(data_dir):
        (data,) = encode(schema, row)
        assert is_same(decode_all(schema, data).rows[0].as_py(), read(schema, data))
        n += 1
    assert n == 93


def test_a_batch_decodes_as_its_packets_one_by_one(data_dir):
    packets = ztf_packets(data_dir, "ztf_originals")
    text = read_header(packets[-1]).schema_text
    same = [packet for packet in packets if read_header(packet).schema_text == text]
    data = pa.py_buffer(b"".join(same))
    ends = np.cumsum([*map(len, same)])
    spans = np.array([one_datum(packet, read_header(packet)) for packet in same]) + (ends - [*map(len, same)])[:, None]
    together = decode(text, data, spans[:, 0], spans[:, 1])
    alone = [decode(text, data, spans[i : i + 1, 0], spans[i : i + 1, 1]).rows[0].as_py() for i in range(len(same))]
    assert len(alone) > 1 and is_same(together.rows.to_pylist(), alone)
