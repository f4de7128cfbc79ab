"""The whole chain without its store: alerts a CPU-second in one process, and what each part takes.

``python benchmarks/chain.py`` sends real packets in REDPOLL_DATA (default ../shared/data) through decoding, quality,
cross-match, science modules and filters, in blocks as a run makes them. A round is all blocks; the first, which
compiles and maps files, is not counted, and each part's time is the minimum of the others. Cuts are off, because the
packets are few: every alert goes the whole way. Where packets are too few for a block they are replicated with new ids;
where there are none, a simulated night is taken, as the heading states. Every catalogue whose file is in the data
folder is built by its recipe and matched, unless ``--catalogs`` names a folder of built ones.

Machines differ, and one may be half as fast an hour later: beside each rate stands that of fastavro in the same
minute, which only decodes some of the packets to Python dicts.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import platform
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from decode import contenders, rates, real_v10, simulated
from pipeline import Replicas, originals

from redpoll.config import Config, load_config
from redpoll.ingest.block import Block
from redpoll.ingest.decode import PacketDecoder
from redpoll.ingest.schemas import BuiltIn, SchemaChain
from redpoll.pipeline.assemble import open_enrichment
from redpoll.pipeline.intake import BLOCK_BYTES
from redpoll.pipeline.timing import Cost, Timing, measure
from redpoll.quality.usable import usable
from redpoll.testing.real_data import build_catalogues

DATA = Path(os.environ.get("REDPOLL_DATA", Path(__file__).parents[2] / "shared" / "data"))
BAR, STRETCH = 1_300, 4_000
N_FASTAVRO = 50


def main() -> None:
    """Measure each survey and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--alerts", type=int, default=2_000, help="ZTF alerts of a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--config", type=Path, help="settings; default as `redpoll run`")
    parser.add_argument("--catalogs", type=Path, help="folder of built catalogues; default: build those of the data")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if not options.catalogs:
            build_catalogues(DATA, Path(folder))
        _measure(options, with_catalogs(load_config(options.config), options.catalogs or Path(folder)))


def with_catalogs(config: Config, folder: Path) -> Config:
    """The configuration with this folder of catalogues."""
    return replace(config, crossmatch=replace(config.crossmatch, catalogs=str(folder)))


def _measure(options: argparse.Namespace, config: Config) -> None:
    print(f"{dt.date.today()}, {platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python "
          f"{platform.python_version()}, load {os.getloadavg()[0]:.1f}; CPU time of one process")  # fmt: skip
    print(
        "silent, as they are not there: "
        + ", ".join(f"{n} ({why})" for n, why in open_enrichment(config).silent.items())
    )
    for name, packets, bar in _cases(options.alerts):
        yardstick = {"fastavro": contenders(packets, N_FASTAVRO)["fastavro"]}
        before = rates(yardstick, 2)["fastavro"]
        found = _timing(packets, config, options.rounds)
        _show(name, found, max([*before, *rates(yardstick, 2)["fastavro"]]), bar)


def _cases(n_ztf: int) -> list[tuple[str, list[bytes], bool]]:
    with tempfile.TemporaryDirectory() as folder:
        packets, what = originals(Path(folder), mixed_nights=True)
    ztf = list(Replicas(packets).packets(n_ztf, max(1, n_ztf // 2)))
    cases = [(f"{n_ztf:,} ZTF alerts: {what}", ztf, True)]
    try:
        rubin = list(real_v10())
        cases.append((f"{len(rubin)} real Rubin v10 alerts of 2026-03-10, encoded anew", rubin, False))
    except FileNotFoundError:
        print("no real Rubin alerts in the data folder")
    night = simulated("rubin")
    return [*cases, (f"{len(night)} simulated Rubin packets", night, False)]


def _timing(packets: Sequence[bytes], config: Config, rounds: int) -> Timing:
    """The whole chain: decoding is timed here, everything else by `measure`."""
    blocks = [Block.of(part) for part in _blocks(packets)]
    decoder = PacketDecoder(SchemaChain(BuiltIn()))
    decoding = np.inf
    for _ in range(rounds + 1):
        start = time.process_time()
        decoded = [batch for block in blocks for batch, _ in decoder(block).batches]
        decoding = min(decoding, time.process_time() - start)
    found = measure(open_enrichment(config), [usable(batch) for batch in decoded], rounds=rounds)
    costs = sorted([*found.costs, Cost("decode", "stage", decoding, None)], key=lambda cost: -cost.seconds)
    return Timing(found.n_alerts, found.seconds + decoding, tuple(costs), found.failures)


def _blocks(packets: Sequence[bytes]) -> list[list[bytes]]:
    """Blocks of as many bytes as a run takes at once."""
    blocks: list[list[bytes]] = [[]]
    size = 0
    for packet in packets:
        if size + len(packet) > BLOCK_BYTES and blocks[-1]:
            blocks.append([])
            size = 0
        blocks[-1].append(packet)
        size += len(packet)
    return blocks


def _show(name: str, found: Timing, fastavro: float, has_bar: bool) -> None:
    print(f"\n{name}")
    print(f"{'':<36}{'kind':<11}{'us an alert':>12}{'fraction':>9}{'answers':>10}")
    for row in found.rows():
        answers = "" if row["answered"] is None else f"{100 * row['answered']:.1f} %"
        costs = f"{row['us_per_alert']:>12.1f}{100 * row['fraction']:>7.1f} %{answers:>10}"
        print(f"{row['name']:<36}{row['kind']:<11}{costs}")
    rate = found.alerts_per_second
    print(f"{'all':<36}{'':<11}{1e6 / rate:>12.1f}   {rate:,.0f} alerts a CPU-second")
    print(f"fastavro decodes {fastavro:,.0f} of these packets a CPU-second: {rate / fastavro:.2f} times as many alerts")
    if has_bar:
        results = [f"{bar:,} {'met' if rate >= bar else 'NOT MET'}" for bar in (BAR, STRETCH)]
        print(f"bar of issue 4: {results[0]}; stretch: {results[1]}")
    for part, why in found.failures.items():
        print(f"FAILED {part}: {why}")


if __name__ == "__main__":
    main()
