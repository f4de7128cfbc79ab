"""End to end: alerts a second from a nightly archive to a warm store, with every module, filter and cutout.

``python benchmarks/pipeline.py`` replicates real packets in REDPOLL_DATA (default ../shared/data) with new candids
and objectIds, of the same length, until a store holds ``--warm`` objects; then it times ``--alerts`` more, read from
a ``.tar.gz`` as ZTF publishes it, on worker processes as ``redpoll run`` chooses them. Without real packets it
replicates a simulated night, as printed. The store is in a temporary folder (some 60 kB an alert).

``--survey rubin`` simulates nights of one sky instead: the first ones, of ``--warm`` alerts, fill the store, and the
last, of about ``--alerts`` alerts of the same objects and others, is timed, as one visit of Rubin would come.
"""

from __future__ import annotations

import argparse
import datetime as dt
import io
import os
import platform
import random
import tarfile
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from decode import packets_of
from isal import igzip

from redpoll.config import AnswersConfig, Config, Cuts, RunConfig
from redpoll.ingest.files import open_sources
from redpoll.pipeline.report import RunReport
from redpoll.pipeline.run import run_night
from redpoll.plugin.polling import FiniteSource
from redpoll.plugin.ports import FilePosition, ReceivedPacket
from redpoll.schema.avro.container import one_datum, read_header, write_long
from redpoll.simulate import simulate_night
from redpoll.store import open_store

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("REDPOLL_DATA", ROOT.parent / "shared" / "data")) / "ztf"
FIRST_CANDID = 3_000_000_000_000_000_000


class Replicas:
    """Endless packets made from real ones: candid and objectId are new, everything else is as it was.

    Every object has one alert at least.
    """

    def __init__(self, originals: list[bytes], seed: int = 1) -> None:
        self._parts = [_split(packet) for packet in originals]
        self._rng = random.Random(seed)
        self._candid = FIRST_CANDID + self._rng.randrange(10**15) * 100

    def packets(self, n: int, n_objects: int) -> Iterator[bytes]:
        names = [
            f"ZTF99{''.join(self._rng.choices('abcdefghijklmnopqrstuvwxyz', k=7))}".encode() for _ in range(n_objects)
        ]
        for i in range(n):
            packet, candid, name = self._rng.choice(self._parts)
            new_name = names[i] if i < n_objects else self._rng.choice(names)
            self._candid += self._rng.randrange(1, 50)
            new = write_long(self._candid)
            yield packet.replace(candid, new).replace(name, new_name)


def _split(packet: bytes) -> tuple[bytes, bytes, bytes]:
    """A packet, and the bytes of its candid and objectId in it; the candid is put to the length of the new ones."""
    from fastavro import reader

    header = read_header(packet)
    one_datum(packet, header)
    record = next(reader(io.BytesIO(packet)))
    return packet, write_long(record["candid"]), record["objectId"].encode()


class Generated(FiniteSource):
    """A source of replicas, without reading a disk."""

    def __init__(self, replicas: Replicas, n: int, n_objects: int) -> None:
        super().__init__("replicas")
        self._packets = replicas.packets(n, n_objects)

    def _read(self) -> Iterator[ReceivedPacket]:
        for n, packet in enumerate(self._packets):
            yield ReceivedPacket(packet, FilePosition(self.name, str(n)))


def originals(folder: Path, *, mixed_nights: bool = False) -> tuple[list[bytes], str]:
    """Real packets whose ids have the length of the new ones, so that a container stays right; else simulated ones."""
    width = len(write_long(FIRST_CANDID))
    places, what = [str(DATA / "*.tar.gz")], "real ZTF packets of one schema, replicated with new ids"
    if not DATA.is_dir():
        simulate_night(folder / "night", survey="ztf", n_alerts=1000, seed=1)
        places, what = [str(folder / "night")], "simulated ZTF packets replicated with new ids"
    packets = list(packets_of(places))
    by_schema: dict[str, list[bytes]] = defaultdict(list)
    for packet in packets:
        by_schema[read_header(packet).schema_text].append(packet)
    largest = max(by_schema.values(), key=len)  # a night has one schema
    usable = [p for p in largest if len(_split(p)[1]) == width and len(_split(p)[2]) == 12]
    if not mixed_nights:
        usable, what = _largest_night(usable), f"{what.replace('packets', 'packets of one night', 1)}"
    return usable, f"{len(usable)} {what}, {sum(map(len, usable)) / len(usable) / 1e3:.0f} kB each"


def _largest_night(packets: list[bytes]) -> list[bytes]:
    """The packets of the night that has most of them, by the UTC noon before."""
    from fastavro import reader

    nights: dict[int, list[bytes]] = defaultdict(list)
    for packet in packets:
        nights[int(next(reader(io.BytesIO(packet)))["candidate"]["jd"])].append(packet)
    return max(nights.values(), key=len)


def write_archive(path: Path, packets: Iterator[bytes]) -> None:
    """A nightly archive as ZTF publishes it."""
    with igzip.open(path, "wb", compresslevel=1) as file, tarfile.open(fileobj=file, mode="w|") as archive:
        for n, packet in enumerate(packets):
            member = tarfile.TarInfo(f"{n}.avro")
            member.size = len(packet)
            archive.addfile(member, io.BytesIO(packet))


def show(what: str, report: RunReport) -> None:
    """One line of the table, and where the CPU time of the workers went."""
    stages = ", ".join(f"{name} {1e6 * s / report.received:.0f}" for name, s in report.seconds.items())
    rate = report.received / report.elapsed
    print(f"{what:<28} {report.received:>8,} {report.stored:>8,} {report.elapsed:>7.1f} s {rate:>8,.0f}/s")
    print(f"{'':<28} workers' CPU us an alert: {stages}; balances: {report.balances}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--survey", choices=["ztf", "rubin"], default="ztf")
    parser.add_argument("--warm", type=int, help="objects (rubin: alerts) before the night; default 100,000 (20,000)")
    parser.add_argument("--alerts", type=int, help="alerts of the night; default 20,000 (rubin 10,000)")
    parser.add_argument("--mixed-nights", action="store_true", help="packets of many nights in no order")
    parser.add_argument("--workers", type=int, help="worker processes; default as `redpoll run`")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        warm, night, what = (_rubin if args.survey == "rubin" else _ztf)(folder, args)
        print(f"{what}; {platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python "
              f"{platform.python_version()}, load {os.getloadavg()[0]:.1f}, {dt.date.today()}")  # fmt: skip
        config = replace(Config(), run=RunConfig(workers=args.workers))
        config = replace(config, quality=replace(config.quality, ztf=Cuts(), rubin=Cuts()))  # keep all
        if args.survey == "ztf":  # replicas have the same light curves, so that nearly all answers would be there
            config = replace(config, answers=AnswersConfig(max_mb=0))
        print(f"{'':<28} {'received':>8} {'stored':>8} {'wall':>9} {'rate':>10}")
        show("warming up", run_night(warm, folder / "store", config))
        with open_store(folder / "store") as store:
            print(f"{'':<28} objects in the store: {store.maintenance.check().objects:,}")
        start = time.monotonic()
        report = run_night(open_sources([night]), folder / "store", config)
        show("a night into a warm store", report)
        print(f"{'':<28} with start of workers: {report.received / (time.monotonic() - start):,.0f}/s")


def _ztf(folder: Path, args: argparse.Namespace) -> tuple[list[FiniteSource], Path, str]:
    """What fills the store, the archive of the night, and what they are."""
    packets, what = originals(folder, mixed_nights=args.mixed_nights)
    replicas, n_warm, n = Replicas(packets), args.warm or 100_000, args.alerts or 20_000
    write_archive(folder / "night.tar.gz", replicas.packets(n, n // 2))
    return [Generated(replicas, int(n_warm * 1.1), n_warm)], folder / "night.tar.gz", what


def _rubin(folder: Path, args: argparse.Namespace) -> tuple[list[FiniteSource], Path, str]:
    n_warm, n = args.warm or 20_000, args.alerts or 10_000
    nights = 1 + round(n_warm / n)
    simulate_night(folder / "nights", survey="rubin", n_alerts=n * nights, nights=nights, seed=1)
    *first, last = sorted((folder / "nights").glob("*.tar.gz"))
    size = sum(map(len, packets_of([last]))) / 1e9
    return list(open_sources(first)), last, f"{nights} simulated nights of Rubin; the last has {size:.2f} GB"


if __name__ == "__main__":
    main()
