"""How fast trees are scored by Redpoll, ONNX Runtime and scikit-learn: the same ensembles, the same rows.

``python benchmarks/forest.py`` trains each ensemble on random rows, so that the trees are as deep as they may be. The
three take turns, with one thread each; the best round counts. Rates are of CPU time, for blocks of rows as a worker has
them; times of one row are wall time, of many calls
one after the other. The last table is what a worker needs to open and score its first model: a process that has
compiled code already.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import sklearn
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from threadpoolctl import threadpool_limits

from redpoll.learn.forests import forest_file
from redpoll.learn.forests_onnx import forest_onnx
from redpoll.plugin.forest_file import read_forest
from redpoll.plugin.forest_model import ForestModel
from redpoll.plugin.onnx_model import OnnxModel, onnx_session

FEATURES = 30
ENSEMBLES = {
    "forest, 100 trees of depth 10, 3 classes": (RandomForestClassifier(100, max_depth=10, random_state=1), 3),
    "forest, 100 full-grown trees, 12 classes": (RandomForestClassifier(100, random_state=1), 12),
    "boosting, 100 rounds of 31 leaves, 2 classes": (HistGradientBoostingClassifier(random_state=1), 2),
    "boosting, 100 rounds of 31 leaves, 12 classes": (HistGradientBoostingClassifier(random_state=1), 12),
}
OPEN = {
    "redpoll": """
from redpoll.plugin.forest_file import read_forest
from redpoll.plugin.forest_model import ForestModel
model = ForestModel("m", "1", read_forest(data))""",
    "ONNX Runtime": """
from redpoll.plugin.onnx_model import OnnxModel, onnx_session
model = OnnxModel("m", "1", 3, onnx_session(data))""",
}
PROCESS = """
import re, sys, time
from pathlib import Path
import numpy as np
import redpoll.plugin.forest_file
from redpoll.answer_cache import content_keys
content_keys("", np.array([0, 1]), [np.zeros(1)])
peak = lambda: int(re.search(r"VmHWM:\\s*([0-9]+)", Path("/proc/self/status").read_text())[1]) / 1024
before, start = peak(), time.perf_counter()
data = Path(sys.argv[1]).read_bytes(){open}
model.predict_proba(np.zeros((1, {features}), np.float32))
print(time.perf_counter() - start, peak() - before)
"""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    load = os.getloadavg()[0]
    print(f"{time.strftime('%Y-%m-%d')}, {processor()} x {os.cpu_count()}, load {load:.1f}, "
          f"Python {platform.python_version()}, numpy {np.__version__}, scikit-learn {sklearn.__version__}, "
          f"onnxruntime {onnxruntime.__version__}")  # fmt: skip
    print(f"blocks of {options.rows:,} rows of {FEATURES} features; best of {options.rounds} rounds")
    with threadpool_limits(1), tempfile.TemporaryDirectory() as folder:
        for name, (estimator, n_classes) in ENSEMBLES.items():
            compare(name, trained(estimator, n_classes), options)
        first, n_classes = next(iter(ENSEMBLES.values()))
        processes(Path(folder), forest_file(trained(first, n_classes)), options.rounds)


def processor() -> str:
    """Name of the processor, as Linux tells it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next((line.split(": ")[1] for line in lines if line.startswith("model name")), platform.machine())


def trained(estimator: Any, n_classes: int, n: int = 20_000) -> Any:
    """The estimator, trained on classes that depend on four features and on chance."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, FEATURES)).astype(np.float32)
    score = X[:, 0] + X[:, 1] * X[:, 2] + np.abs(X[:, 3]) + rng.normal(size=n)
    return estimator.fit(X, np.argsort(np.argsort(score)) * n_classes // n)


def compare(name: str, estimator: Any, options: argparse.Namespace) -> None:
    """A table of the three programs."""
    data = forest_file(estimator)
    converted = forest_onnx(data)
    X = np.random.default_rng(1).normal(size=(options.rows, FEATURES)).astype(np.float32)
    forest = read_forest(data)
    expected = estimator.predict_proba(X)
    programs = {
        "redpoll": ForestModel("m", "1", forest).predict_proba,
        "ONNX Runtime": OnnxModel("m", "1", forest.n_classes, onnx_session(converted)).predict_proba,
        "scikit-learn": estimator.predict_proba,
    }
    sizes = {"redpoll": len(data), "ONNX Runtime": len(converted)}
    print(f"\n{name}: {len(forest.feature):,} nodes")
    print(f"  {'':14}{'rows/s of a core':>18}{'one row, us':>13}{'differs by':>12}{'file, MB':>10}")
    rates = best({key: lambda run=run: run(X) for key, run in programs.items()}, options.rounds, time.process_time)
    alone = {key: best({key: lambda run=run: run(X[:1])}, 100 * options.rounds, time.perf_counter)[key]
             for key, run in programs.items()}  # fmt: skip
    for key, run in programs.items():
        size = f"{sizes[key] / 1e6:.2f}" if key in sizes else ""
        print(f"  {key:14}{len(X) / rates[key]:18,.0f}{1e6 * alone[key]:13,.0f}"
              f"{np.abs(run(X) - expected).max():12.0e}{size:>10}")  # fmt: skip


def best(runs: dict[str, Callable[[], Any]], rounds: int, clock: Callable[[], float]) -> dict[str, float]:
    """Minimum time of each [s], taking turns, after a round that compiles."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds + 1):
        for name, run in runs.items():
            start = clock()
            run()
            times[name].append(clock() - start)
    return {name: min(found[1:]) for name, found in times.items()}


def processes(folder: Path, data: bytes, rounds: int) -> None:
    """What the first ensemble costs a process that has run a kernel of Redpoll, to its first score."""
    print("\na process that opens the first of them and scores one row")
    print(f"  {'':14}{'seconds':>9}{'memory, MB':>12}")
    for name, file in {"redpoll": data, "ONNX Runtime": forest_onnx(data)}.items():
        path = folder / name
        path.write_bytes(file)
        command = [sys.executable, "-c", PROCESS.format(open=OPEN[name], features=FEATURES), str(path)]
        lines = [subprocess.run(command, check=True, capture_output=True, text=True).stdout for _ in range(rounds)]
        seconds, memory = np.min([[float(x) for x in line.split()] for line in lines], axis=0)
        print(f"  {name:14}{seconds:9.2f}{memory:12.0f}")


if __name__ == "__main__":
    main()
