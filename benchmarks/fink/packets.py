"""The data that are compared: Fink's enriched copies, and packets with what is made of them."""

from __future__ import annotations

import io
import math
import os
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq

from redpoll.config import Config
from redpoll.ingest.block import Block
from redpoll.ingest.decode import PacketDecoder
from redpoll.ingest.files import open_sources
from redpoll.ingest.schemas import BuiltIn, SchemaChain
from redpoll.pipeline.assemble import open_enrichment
from redpoll.pipeline.timing import sample_batches

DATA = Path(os.environ.get("REDPOLL_DATA", Path(__file__).parents[3] / "shared" / "data"))
RUBIN = DATA / "rubin" / "rubin_v10_2026-03-10_enriched.parquet"
ASTEROIDS = DATA / "solar_system" / "mpc_example.parquet"
ZTF = ("ztf_originals.tar.gz", "ztf_sequences.tar.gz", "ztf_sample.tar.gz")


def number(value: float | None) -> float:
    return math.nan if value is None else value


def answers(
    packets: list[dict[str, Any]], compute: Callable[[pa.RecordBatch], dict[str, pa.Array]]
) -> list[dict[str, Any]]:
    """What `compute` makes of each packet, in the order of the packets; a row of None where it was not decoded."""
    found: dict[int, dict[str, Any]] = {}
    names: list[str] = []
    for batch, _ in PacketDecoder(SchemaChain(BuiltIn()))(Block.of([packet["bytes"] for packet in packets])).batches:
        made = compute(batch)
        names = list(made)
        rows = pa.table(made).to_pylist()
        found |= dict(zip(batch["alert_id"].to_pylist(), rows, strict=True))
    return [found.get(packet["candid"], dict.fromkeys(names)) for packet in packets]


def enriched(config: Config) -> pa.Table:
    enrich = open_enrichment(config)
    done = []
    for batch in sample_batches(open_sources([RUBIN]), config, limit=10_000):
        done.append(pa.Table.from_batches([enrich(batch).batch]).drop_columns(["packet", "light_curve"]))
    return pa.concat_tables(done)


def rubin_rows(columns: list[str]) -> dict[int, dict[str, Any]]:
    rows = pq.read_table(RUBIN, columns=columns).to_pylist()
    return {row["diaSource"]["diaSourceId"]: row for row in rows}


def avro_packets(path: Path) -> Iterator[dict[str, Any]]:
    """Packets as fastavro reads them, with their bytes."""
    with tarfile.open(path) as archive:
        for member in archive:
            data = archive.extractfile(member).read()
            yield next(fastavro.reader(io.BytesIO(data))) | {"bytes": data}
