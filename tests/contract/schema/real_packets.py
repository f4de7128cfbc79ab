"""Every real packet in the data folder, as bytes that our decoder and fastavro both read."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fastavro
import pyarrow.parquet as pq

from redpoll.schema.packet_schemas import confluent_schema, packet_schema

ZTF_ARCHIVES = {"ztf_originals": 121, "ztf_sequences": 250, "ztf_sample": 481}
V10 = "rubin_v10_2026-03-10_enriched.parquet"
V7 = "or4_simulated_v7_1.parquet"
V9 = "rubin_v9_confluent_framed.avro"


def ztf_packets(data: Path, archive: str) -> list[bytes]:
    """Bytes of each packet of one archive."""
    with tarfile.open(data / "ztf" / f"{archive}.tar.gz") as members:
        return [members.extractfile(member).read() for member in members]


def framed(packet: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """Schema and record of a container or a Confluent-framed datum, read by fastavro."""
    if packet[:1] == b"\0":
        schema = confluent_schema(int.from_bytes(packet[1:5], "big"))
        return schema, fastavro.schemaless_reader(io.BytesIO(packet[5:]), fastavro.parse_schema(schema), None)
    reader = fastavro.reader(io.BytesIO(packet))
    (row,) = reader
    return reader.writer_schema, row


def v10_rows(data: Path) -> Iterator[dict[str, Any]]:
    """The survey's own fields of the v10 rows; a struct of nulls only is what Parquet made of a null."""
    names = [field["name"] for field in packet_schema("rubin", "10.0")["fields"]]
    for batch in pq.ParquetFile(data / "rubin" / V10).iter_batches(8, columns=names):
        yield from ({name: pruned(value) for name, value in row.items()} for row in batch.to_pylist())


def pruned(value: Any) -> Any:
    """The value with null in place of every struct that holds nulls only."""
    if isinstance(value, dict):
        inner = {name: pruned(one) for name, one in value.items()}
        return inner if any(one is not None for one in inner.values()) else None
    return [pruned(one) for one in value] if isinstance(value, list) else value
