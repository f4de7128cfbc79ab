"""What the modules that rest on rules, rates and stamps cost, how often they answer, and how often they are right.

    python benchmarks/rules.py [--data FOLDER] [--ztf 3000] [--rubin 800] [--seed 11]

Real packets of the data folder, then a simulated night of each survey with its truth. CPU time of one thread, the best
of three runs. Shares are of alerts; recall and false alarms count every alert, also those that no rule can tell (a
kilonova at its first detection).
"""

from __future__ import annotations

import argparse
import os
import tarfile
import tempfile
import time
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from redpoll.astro.cutouts import read_stamps
from redpoll.astro.hostless import structure
from redpoll.ingest.decode import Block, PacketDecoder
from redpoll.ingest.files import file_source
from redpoll.ingest.schemas import BuiltIn
from redpoll.plugin.columns import Columns
from redpoll.plugin.graph import Graph
from redpoll.simulate import simulate_night
from redpoll.testing.models import FakeModel

UPSTREAM = ("age", "brightness_history", "colour", "is_good", "rise_rate", "roid")
MODULES = (
    "artefact", "cataclysmic", "dimming", "fast_transient", "flare_star", "hostless", "interstellar_candidate",
    "kilonova", "kilonova_score", "no_longer_varying", "orphan_afterglow", "satellite_glint", "solar_system",
)  # fmt: skip
MEANT = {
    "is_artefact": ("bogus",), "is_dwarf_nova": ("cataclysmic_variable",), "is_fast_transient": ("kilonova",),
    "is_flare": ("m_dwarf_flare",), "is_kilonova_candidate": ("kilonova",), "is_lone_detection": ("satellite_glint",),
    "is_satellite_glint": ("satellite_glint",), "is_solar_system_known": ("asteroid",), "is_dimming": (),
    "is_orphan_afterglow": (), "is_no_longer_varying": (), "is_hostless": (),
}  # fmt: skip


def main() -> None:
    """Print the tables."""
    options = _options()
    print(f"date: {time.strftime('%Y-%m-%d')}; CPU time of one thread, best of 3\n")
    data = Path(options.data)
    if data.is_dir():
        _costs("real ZTF alerts", _archives(sorted((data / "ztf").glob("*.tar.gz"))))
        _costs("real Rubin alerts", _files([data / "rubin" / "rubin_v10_2026-03-10_enriched.parquet"]))
        _hostless(_archives([data / "ztf" / "ztf_sample.tar.gz"]))
    for survey, n in (("ztf", options.ztf), ("rubin", options.rubin)):
        _rightness(survey, n, options.seed)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default=os.environ.get("REDPOLL_DATA", "../shared/data"))
    parser.add_argument("--ztf", type=int, default=3000)
    parser.add_argument("--rubin", type=int, default=800)
    parser.add_argument("--seed", type=int, default=11)
    return parser.parse_known_args()[0]


def _archives(paths: Iterable[Path]) -> pa.RecordBatch:
    packets = []
    for path in paths:
        with tarfile.open(path) as tar:
            packets += [tar.extractfile(member).read() for member in tar]
    return _decoded(packets)


def _files(paths: Iterable[Path]) -> pa.RecordBatch:
    return _decoded([packet.data for path in paths for packet in file_source(str(path)).packets()])


def _decoded(packets: list[bytes]) -> pa.RecordBatch:
    batches = [b.drop_columns(["packet"]) for b, _ in PacketDecoder(BuiltIn())(Block.of(packets)).batches]
    return pa.concat_batches([pa.RecordBatch.from_arrays(b.columns, schema=batches[0].schema) for b in batches])


def _run(batch: pa.RecordBatch) -> tuple[pa.RecordBatch, dict[str, float]]:
    """The scored batch, and the least seconds of each module."""
    modules = [getattr(import_module(f"redpoll.science.{name}"), name) for name in (*UPSTREAM, *MODULES)]
    graph = Graph.build(modules, [], models={"kilonova": FakeModel()}, clock=time.thread_time)
    runs = [graph.run(batch) for _ in range(4)][1:]
    return runs[0].batch, {name: min(run.seconds[name] for run in runs) for name in MODULES}


def _costs(what: str, batch: pa.RecordBatch) -> None:
    scored, seconds = _run(batch)
    n = batch.num_rows
    print(f"{n} {what}\n{'':24}{'us/alert':>10}   share with an answer (numbers), share that is true (flags)")
    for name, second in seconds.items():
        outputs = getattr(import_module(f"redpoll.science.{name}"), name).outputs
        shares = [f"{c} {_share(scored[c]):.3f}" for c, k in outputs.items() if k.hot]
        print(f"{name:24}{second / n * 1e6:10.1f}   {', '.join(shares)}")
    print(f"{'all':24}{sum(seconds.values()) / n * 1e6:10.1f}\n")


def _share(column: pa.Array) -> float:
    is_flag = pa.types.is_boolean(column.type)
    return column.true_count / len(column) if is_flag else 1 - column.null_count / len(column)


def _hostless(batch: pa.RecordBatch) -> None:
    """The spectral test alone, on every stamp, as if each were a candidate."""
    columns = Columns(batch)
    stamps = read_stamps(columns.numpy("cutout_science"))
    images = [stamps[i] for i in range(len(stamps)) if (stamps.shapes[i] == 63).all()]
    start = time.thread_time()
    for image in images:
        structure(image)
    spent = time.thread_time() - start
    print(
        f"hostless: {spent / len(images) * 1e3:.2f} ms a stamp, {len(images) / spent / 2:.0f} alerts/s of two stamps\n"
    )


def _rightness(survey: str, n: int, seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        simulate_night(Path(folder), survey=survey, n_alerts=n, seed=seed, workers=1)
        scored, _ = _run(_archives(Path(folder).glob("*.tar.gz")))
        truth = pq.read_table(Path(folder) / "truth.parquet", columns=["alert_id", "class"])
    kinds = dict(zip(truth["alert_id"].to_pylist(), truth["class"].to_pylist(), strict=True))
    kind = np.array([kinds[i] for i in scored["alert_id"].to_pylist()])
    print(f"{n} simulated {survey} alerts, seed {seed}\n{'':26}{'found':>12}{'false alarms':>16}   of which")
    for flag, meant in MEANT.items():
        is_true, is_meant = scored[flag].to_numpy(zero_copy_only=False), np.isin(kind, meant)
        wrong = kind[is_true & ~is_meant]
        names = ", ".join(f"{name} {count}" for name, count in zip(*np.unique(wrong, return_counts=True), strict=True))
        found = f"{(is_true & is_meant).sum()}/{is_meant.sum()}"
        print(f"{flag:26}{found:>12}{len(wrong):>9}/{(~is_meant).sum():<6}   {names}")
    print()


if __name__ == "__main__":
    main()
