"""How fast packets become Arrow batches: packets a CPU-second, ours beside fastavro in one run.

``python benchmarks/decode.py`` takes real packets from REDPOLL_DATA (default ../shared/data), replicated as they are to
fill a batch, and simulated ones where there are none, as printed. Three columns:

- ``decode``: datums to one Arrow struct array with all fields, history and cutouts;
- ``to alerts``: a block as received (framing, headers, decode, canonical columns, light curves);
- ``fastavro``: the same datums to Python dicts, with the schema parsed beforehand, and no Arrow at the end.

Times are of this process (CPU, not wall-clock), rounds interleaved; best and median are over the rounds.
"""

from __future__ import annotations

import argparse
import datetime as dt
import io
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import fastavro
import numpy as np
import pyarrow.parquet as pq

from redpoll.ingest.block import Block
from redpoll.ingest.decode import PacketDecoder
from redpoll.ingest.files import open_sources
from redpoll.ingest.schemas import BuiltIn, SchemaChain
from redpoll.plugin.polling import all_packets
from redpoll.schema.avro.container import CONFLUENT_PREFIX, one_datum, read_header
from redpoll.schema.avro.decoder import decode
from redpoll.schema.light_curve import LightCurves
from redpoll.schema.packet_schemas import confluent_schema, packet_schema
from redpoll.simulate import simulate_night

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("REDPOLL_DATA", ROOT.parent / "shared" / "data"))
V9 = DATA / "rubin" / "rubin_v9_confluent_framed.avro"
V10 = DATA / "rubin" / "rubin_v10_2026-03-10_enriched.parquet"
FIRST_DECODE = """
import time; start = time.perf_counter()
from redpoll.ingest.block import Block
from redpoll.ingest.decode import PacketDecoder
from redpoll.ingest.schemas import BuiltIn, SchemaChain
PacketDecoder(SchemaChain(BuiltIn()))(Block.of([open({path!r}, "rb").read()]))
print(time.perf_counter() - start, time.process_time())
"""


@dataclass(frozen=True)
class Case:
    """Packets of one writer schema, or of several, and what they are."""

    name: str
    packets: list[bytes]
    block_bytes: int = 64 << 20

    def replicated(self) -> list[bytes]:
        """So many that they fill a block, as a run would read them."""
        times = max(1, round(self.block_bytes / sum(map(len, self.packets))))
        return self.packets * times


def cases() -> Iterator[Case]:
    """Real packets where the data are, else simulated ones."""
    ztf = list(real_ztf())
    if ztf:
        texts = Counter(read_header(packet).schema_text for packet in ztf)
        ((common, _),) = texts.most_common(1)
        yield Case("ZTF, real, one schema", [p for p in ztf if read_header(p).schema_text == common])
        forced = [p for p in ztf if b"forcediffimflux" in p[:30_000]]
        yield Case("ZTF, real, with forced photometry", forced)
        yield Case(f"ZTF, real, {len(texts)} schemas mixed", ztf)
    else:
        yield Case("ZTF, simulated", simulated("ztf"))
    if V9.is_file():
        yield Case("Rubin v9, real, one packet", [V9.read_bytes()], 16 << 20)
    if V10.is_file():
        yield Case("Rubin v10, real rows encoded anew", list(real_v10()))
    else:
        yield Case("Rubin, simulated", simulated("rubin"))


def real_ztf() -> Iterator[bytes]:
    """Every packet of the data folder."""
    return packets_of(sorted((DATA / "ztf").glob("*.tar.gz")))


def packets_of(places: Iterable[Path | str]) -> Iterator[bytes]:
    """Every packet of some files, folders or archives, in their order."""
    return (packet.data for source in open_sources(places) for packet in all_packets(source))


def real_v10(copies: int = 1) -> Iterator[bytes]:
    """Rows of a Parquet copy as framed datums; a struct of nulls only is what Parquet made of a null.

    The second copy and those after it are of other alerts of other objects, with fluxes that differ by a millionth.
    """
    schema = packet_schema("rubin", "10.0")
    names, parsed = [field["name"] for field in schema["fields"]], fastavro.parse_schema(schema)
    for copy in range(copies):
        for batch in pq.ParquetFile(V10).iter_batches(8, columns=names):
            for row in batch.to_pylist():
                alert = {name: pruned(value) for name, value in row.items()}
                source = alert["diaSource"]
                alert["diaSourceId"] = source["diaSourceId"] = source["diaSourceId"] + copy
                source["diaObjectId"] = source["diaObjectId"] and source["diaObjectId"] + copy
                for earlier in alert["prvDiaSources"] or ():
                    earlier["psfFlux"] = earlier["psfFlux"] and earlier["psfFlux"] * (1 + 1e-6 * copy)
                out = io.BytesIO()
                fastavro.schemaless_writer(out, parsed, alert)
                yield b"\0" + (1000).to_bytes(4, "big") + out.getvalue()


def pruned(value: Any) -> Any:
    """The value with null in place of every struct that holds nulls only."""
    if isinstance(value, dict):
        inner = {name: pruned(one) for name, one in value.items()}
        return inner if any(one is not None for one in inner.values()) else None
    return [pruned(one) for one in value] if isinstance(value, list) else value


def simulated(survey: str, n: int = 400) -> list[bytes]:
    """Packets of a small simulated night."""
    with tempfile.TemporaryDirectory() as folder:
        return list(packets_of(simulate_night(Path(folder), survey=survey, n_alerts=n, seed=1).files))


def framing(packet: bytes) -> tuple[str, int, int]:
    """Schema, and where the datum starts and stops."""
    if packet[:1] == b"\0":
        schema_id = int.from_bytes(packet[1:CONFLUENT_PREFIX], "big")
        return json.dumps(confluent_schema(schema_id)), CONFLUENT_PREFIX, len(packet)
    header = read_header(packet)
    return header.schema_text, *one_datum(packet, header)


def contenders(packets: list[bytes], n_fastavro: int) -> dict[str, tuple[int, Callable[[], Any]]]:
    """What is timed: how many packets it takes, and the work."""
    block, decoder = Block.of(packets), PacketDecoder(SchemaChain(BuiltIn()))
    framed = [framing(packet) for packet in packets]
    groups: dict[str, list[tuple[int, int]]] = {}
    for (schema, start, stop), offset in zip(framed, block.offsets[:-1].tolist(), strict=True):
        groups.setdefault(schema, []).append((offset + start, offset + stop))
    spans = {schema: np.array(found) for schema, found in groups.items()}
    parsed = {schema: fastavro.parse_schema(json.loads(schema)) for schema in spans}
    datums = [(parsed[s], p[a:b]) for p, (s, a, b) in zip(packets[:n_fastavro], framed[:n_fastavro], strict=True)]
    return {
        "decode": (len(packets), lambda: [decode(s, block.buffer, x[:, 0], x[:, 1]) for s, x in spans.items()]),
        "to alerts": (len(packets), lambda: decoder(block)),
        "fastavro": (len(datums), lambda: [fastavro.schemaless_reader(io.BytesIO(d), s, None) for s, d in datums]),
    }


def rates(work: dict[str, tuple[int, Callable[[], Any]]], rounds: int) -> dict[str, list[float]]:
    """Packets a CPU-second of each contender, a round at a time."""
    found: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(rounds + 1):
        for name, (n, run) in work.items():
            start = time.process_time()
            run()
            found[name].append(n / (time.process_time() - start))
    return {name: values[1:] for name, values in found.items()}  # the first round compiles and warms up


def describe(case: Case) -> str:
    """Size and history of the packets."""
    found = PacketDecoder(SchemaChain(BuiltIn()))(Block.of(case.packets))
    assert not found.errors, next(iter(found.errors.values()))
    points = sum(len(LightCurves.from_arrow(batch["light_curve"]).mjd) for batch, _ in found.batches)
    size = sum(map(len, case.packets)) / len(case.packets)
    return f"{len(case.packets)} packets of {size / 1000:.1f} kB and {points / len(case.packets):.1f} points on average"


def first_decode(packet: bytes) -> tuple[float, float]:
    """Wall and CPU seconds of a new process from its first import to its first alert, compiled code cached."""
    with tempfile.NamedTemporaryFile(suffix=".avro") as file:
        file.write(packet)
        file.flush()
        runs = [subprocess.run([sys.executable, "-c", FIRST_DECODE.format(path=file.name)], check=True,
                               capture_output=True, text=True).stdout.split() for _ in range(5)]  # fmt: skip
    return min(float(wall) for wall, _ in runs), min(float(cpu) for _, cpu in runs)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    names = ("numpy", "numba", "pyarrow", "fastavro")
    libraries = ", ".join(f"{name} {version(name)}" for name in names)
    print(f"{dt.date.today()}, {processor()} x {os.cpu_count()}, Python {platform.python_version()}, {libraries}")
    print(f"packets a CPU-second, best (median) of {options.rounds} rounds; each case replicated to fill one block")
    for number, case in enumerate(cases()):
        packets = case.replicated()
        if not number:
            wall, cpu = first_decode(packets[0])
            print(f"start-up to the first alert: {wall:.2f} s wall, {cpu:.2f} s CPU (with the interpreter)")
        found = rates(contenders(packets, max(10, min(len(packets), (8 << 20) // len(packets[0])))), options.rounds)
        parts = [f"{name} {max(r):,.0f} ({statistics.median(r):,.0f})" for name, r in found.items()]
        ratio = statistics.median(a / b for a, b in zip(found["to alerts"], found["fastavro"], strict=True))
        print(f"\n{case.name}: {describe(case)}; {len(packets)} a block")
        print(f"  {'   '.join(parts)}   to alerts / fastavro {ratio:.1f}")


def processor() -> str:
    """Name of the processor."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.processor())


if __name__ == "__main__":
    main()
