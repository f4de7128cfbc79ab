"""Cost of classes: assigning them to a batch in the graph, and storing them.

    python benchmarks/classes.py [--alerts 60000]

Synthetic columns: 60 without classes, 20 scores and 7 catalogues that assign classes. Storing is the index of
benchmarks/store.py with and without the column `classes` (3 classes an alert), unsynced, without archive. CPU time of
one thread, the best of five.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
from store import Sky, _insert

from redpoll.plugin.classes import assigned_classes
from redpoll.schema.column import Column
from redpoll.schema.taxonomy import taxonomy
from redpoll.store import open_store
from redpoll.store.database import open_writer, transaction

N, MODULES = 1000, 20
WORDS = {
    "simbad": ["RR*", "EB*", "QSO", "Star"], "vsx": ["RRAB", "EA/RS", "EW|EA", "SR"], "gcvs": ["M", "UG+E"],
    "tns": ["SN Ia"], "gaia": ["AGN"], "spicy": ["ClassI"], "milliquas": ["Q"],
}  # fmt: skip


def columns(rng: np.random.Generator) -> tuple[pa.Schema, dict[str, pa.Array]]:
    """Fields and values of a batch."""
    made: dict[pa.Field, pa.Array] = {}
    for i in range(60):
        made[Column("float32").field(f"feature_{i}", by="m@1")] = pa.array(rng.random(N).astype("f4"))
    for i, name in enumerate(rng.choice(list(taxonomy().classes), MODULES, replace=False)):
        values = pa.array((rng.random(N) ** 6).astype("f4"), mask=rng.random(N) < 0.3)
        made[Column("float32", assigns=str(name)).field(f"p_{name}", by=f"m{i}@1")] = values
    for name, words in WORDS.items():
        values = pa.array(rng.choice(words, N), mask=rng.random(N) < 0.8)
        made[Column("string", assigns=f"@{name}").field(f"{name}_type", by=f"{name}@1")] = values
    return pa.schema(list(made)), {field.name: array for field, array in made.items()}


def store(n: int, *, classes: bool) -> tuple[float, float]:
    """CPU microseconds and bytes an alert of an index filled with or without classes."""
    sky, spent = Sky(n, n // 20), 0.0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store" / "index.sqlite"
        open_store(path.parent, mode="write").close()
        connection = open_writer(path)
        connection.execute("PRAGMA synchronous = OFF")
        for part, start in enumerate(range(0, n, N)):
            batch = sky.batch(np.arange(start, start + N))
            batch = batch if classes else batch.drop_columns(["classes"])
            before = time.process_time()
            with transaction(connection, path):
                _insert(connection, batch, part)
            spent += time.process_time() - before
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return spent / n * 1e6, path.stat().st_size / n


def best(task: Callable[[], object], repeats: int = 5) -> float:
    """Minimum CPU seconds of a task."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        task()
        times.append(time.process_time() - start)
    return min(times)


def main() -> None:
    """Print both costs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--alerts", type=int, default=60_000)
    options = parser.parse_args()
    schema, arrays = columns(np.random.default_rng(0))
    classes, _ = assigned_classes(schema, arrays.__getitem__, N)
    seconds = best(lambda: [assigned_classes(schema, arrays.__getitem__, N) for _ in range(10)]) / 10
    print(f"{time.strftime('%Y-%m-%d')}, {len(classes.flatten()) / N:.1f} classes an alert, {len(schema)} columns")
    print(f"tagging: {seconds / N * 1e6:.2f} us an alert (bar: 5)")
    (with_us, with_bytes), (us, size) = store(options.alerts, classes=True), store(options.alerts, classes=False)
    print(f"index: {with_us:.1f} us an alert with classes, {us:.1f} without; {with_bytes:.0f} and {size:.0f} bytes")


if __name__ == "__main__":
    main()
