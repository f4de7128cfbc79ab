"""What the modules that rest on rules, rates and cutouts cost, and how often they answer.

    python benchmarks/rule_costs.py [--data FOLDER]

Real packets of the data folder. CPU time of one thread, the best of three runs. Fractions are of alerts. How often the
rules are right is what `benchmarks/rules.py` prints.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

import pyarrow as pa
from populations.simulated import decoded_files

from redpoll.astro.cutouts import read_cutouts
from redpoll.astro.hostless import structure
from redpoll.crossmatch.known_columns import known_columns
from redpoll.learn.context_columns import without_catalogues
from redpoll.plugin.columns import Columns
from redpoll.plugin.graph import Graph
from redpoll.schema.alert import COLUMNS
from redpoll.testing.models import FakeModel

UPSTREAM = ("age", "brightness_history", "colour", "is_good", "rise_rate", "roid")
MODULES = (
    "artefact", "cataclysmic", "dipper", "fast_transient", "flare_star", "hostless", "interstellar_candidate",
    "kilonova", "kilonova_score", "no_longer_varying", "orphan_afterglow", "satellite_glint", "solar_system",
)  # fmt: skip


def main() -> None:
    """Print the tables."""
    options = _options()
    print(f"date: {time.strftime('%Y-%m-%d')}; CPU time of one thread, best of 3\n")
    data = Path(options.data)
    if data.is_dir():
        _costs("real ZTF alerts", _files(sorted((data / "ztf").glob("*.tar.gz"))))
        _costs("real Rubin alerts", _files([data / "rubin" / "rubin_v10_2026-03-10_enriched.parquet"]))
        _hostless(_files([data / "ztf" / "ztf_sample.tar.gz"]))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default=os.environ.get("REDPOLL_DATA", "../shared/data"))
    return parser.parse_known_args()[0]


def _files(paths: Iterable[Path]) -> pa.RecordBatch:
    return without_catalogues(decoded_files(paths))


def _run(batch: pa.RecordBatch) -> tuple[pa.RecordBatch, dict[str, float]]:
    """The scored batch, and the minimum of the seconds of each module."""
    modules = [getattr(import_module(f"redpoll.science.{name}"), name) for name in (*UPSTREAM, *MODULES)]
    graph = Graph.build(
        modules, [], models={"kilonova": FakeModel()}, columns=COLUMNS | known_columns(), clock=time.thread_time
    )
    runs = [graph.run(batch) for _ in range(4)][1:]
    return runs[0].batch, {name: min(run.seconds[name] for run in runs) for name in MODULES}


def _costs(what: str, batch: pa.RecordBatch) -> None:
    scored, seconds = _run(batch)
    n = batch.num_rows
    print(f"{n} {what}\n{'':24}{'us/alert':>10}   fraction with an answer (numbers), fraction that is true (flags)")
    for name, second in seconds.items():
        outputs = getattr(import_module(f"redpoll.science.{name}"), name).outputs
        fractions = [f"{c} {_fraction(scored[c]):.3f}" for c, k in outputs.items() if k.indexed]
        print(f"{name:24}{second / n * 1e6:10.1f}   {', '.join(fractions)}")
    print(f"{'all':24}{sum(seconds.values()) / n * 1e6:10.1f}\n")


def _fraction(column: pa.Array) -> float:
    is_flag = pa.types.is_boolean(column.type)
    return column.true_count / len(column) if is_flag else 1 - column.null_count / len(column)


def _hostless(batch: pa.RecordBatch) -> None:
    """The spectral test alone, on every cutout, as if each were a candidate."""
    columns = Columns(batch)
    cutouts = read_cutouts(columns.numpy("cutout_science"))
    images = [cutouts[i] for i in range(len(cutouts)) if (cutouts.shapes[i] == 63).all()]
    start = time.thread_time()
    for image in images:
        structure(image)
    spent = time.thread_time() - start
    print(f"hostless: {spent / len(images) * 1e3:.2f} ms each, {len(images) / spent / 2:.0f} alerts/s of two cutouts\n")


if __name__ == "__main__":
    main()
