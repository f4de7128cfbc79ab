"""The whole chain without its store: alerts a CPU-second in one process, and what each part takes.

``python benchmarks/chain.py`` sends real packets in REDPOLL_DATA (default ../shared/data) through decoding, quality,
cross-match, science modules and filters, in blocks as a run makes them. A round is all blocks; the first, which
compiles and maps files, is not counted, and each part's time is the minimum of the others. Cuts are off, because the
packets are few: every alert goes the whole way. Where packets are too few for a block they are replicated with new ids;
where there are none, a simulated night is taken, as the heading states. Each survey is measured twice: without the
answers of searches and fits that a store keeps, and with those of each object's alerts of earlier nights, for which the
same light curves without the points of the last night are processed first. Every catalogue whose file is in the data
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
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).parent))

from decode import contenders, rates, real_v10, simulated
from pipeline import Replicas, originals

from redpoll.config import Config, load_config
from redpoll.ingest.block import Block
from redpoll.ingest.decode import PacketDecoder
from redpoll.ingest.schemas import BuiltIn, SchemaChain
from redpoll.light_curves import LightCurves, days_before_trigger
from redpoll.pipeline.assemble import open_enrichment
from redpoll.pipeline.intake import BLOCK_BYTES
from redpoll.pipeline.timing import Cost, Timing, measure
from redpoll.quality.usable import usable
from redpoll.store.answers import AnswerFile
from redpoll.testing.real_data import build_catalogues

DATA = Path(os.environ.get("REDPOLL_DATA", Path(__file__).parents[2] / "shared" / "data"))
BAR, STRETCH = 1_300, 4_000
N_FASTAVRO = 50
WITH_EARLIER = ", with the answers of their objects' alerts of earlier nights"
COPIES, N_SIMULATED = 2, 1_200
"""So many that they fill one block of a run nearly."""


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
        with tempfile.TemporaryDirectory() as folder:
            for title, answers in ((name, None), (f"{name}{WITH_EARLIER}", EarlierAnswers(Path(folder)))):
                before = rates(yardstick, 2)["fastavro"]
                found = _timing(packets, config, options.rounds, answers)
                _show(title, found, max([*before, *rates(yardstick, 2)["fastavro"]]), bar)


class EarlierAnswers:
    """The answers of earlier nights, in a file; those of the last are written too, but found in no round."""

    def __init__(self, store: Path) -> None:
        self._file, self._known, self.are_over = AnswerFile(store, 10**9), set[int](), False

    def get(self, keys: Sequence[int]) -> dict[int, bytes]:
        """Those of earlier nights."""
        return {key: answer for key, answer in self._file.get(keys).items() if key in self._known}

    def put(self, answers: Mapping[int, bytes]) -> None:
        """Write them; they count until the earlier nights are over."""
        self._file.put(answers)
        self._known |= set() if self.are_over else answers.keys()


def earlier_alerts(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The alerts with their light curves as they were before the last night."""
    curves = LightCurves.from_arrow(batch["light_curve"])
    earlier = curves.kept(days_before_trigger(curves) > 0.5).to_arrow()
    return batch.set_column(batch.schema.names.index("light_curve"), batch.schema.field("light_curve"), earlier)


def _cases(n_ztf: int) -> list[tuple[str, list[bytes], bool]]:
    with tempfile.TemporaryDirectory() as folder:
        packets, what = originals(Path(folder), mixed_nights=True)
    ztf = list(Replicas(packets).packets(n_ztf, max(1, n_ztf // 2)))
    cases = [(f"{n_ztf:,} ZTF alerts: {what}", ztf, True)]
    try:
        rubin = list(real_v10(COPIES))
        what = f"{len(rubin) // COPIES} real Rubin v10 alerts of 2026-03-10, encoded anew, {COPIES} copies with new ids"
        cases.append((what, rubin, False))
    except FileNotFoundError:
        print("no real Rubin alerts in the data folder")
    night = simulated("rubin", N_SIMULATED)
    return [*cases, (f"{len(night)} simulated Rubin packets", night, False)]


def _timing(packets: Sequence[bytes], config: Config, rounds: int, answers: EarlierAnswers | None) -> Timing:
    """The whole chain: decoding is timed here, everything else by `measure`."""
    blocks = [Block.of(part) for part in _blocks(packets)]
    decoder = PacketDecoder(SchemaChain(BuiltIn()))
    decoding = np.inf
    for _ in range(rounds + 1):
        start = time.process_time()
        decoded = [batch for block in blocks for batch, _ in decoder(block).batches]
        decoding = min(decoding, time.process_time() - start)
    enrich, usable_alerts = open_enrichment(config, answers=answers), [usable(batch) for batch in decoded]
    if answers:
        for batch in usable_alerts:
            enrich(earlier_alerts(batch))
        answers.are_over = True
    found = measure(enrich, usable_alerts, rounds=rounds)
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
