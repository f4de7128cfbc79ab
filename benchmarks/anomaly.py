"""Anomalies: how many are found in 100 questions, and how long a model takes to be fitted after a label.

    python benchmarks/anomaly.py [--only PART] [--methods M ...] [--seeds 6] [--streams 101 102 103] [--alerts 20000]

Each method asks for one object after the other and is told whether it is what is looked for; the object of highest
score that was not asked yet is the next. "random" asks in random order. Numbers are means over seeds (of the trees, or
of the order), with the 95 % interval of the mean by bootstrap over the seeds; in a simulated night, over nights and
seeds. Artefacts are those among the 100.

SNAD: features of the light curves of 2,474 ZTF objects that experts have looked at, half of which are artefacts. The
real-bogus feature is the probability, by a random forest that did not see the object, that it is no artefact.
Simulated: the newest alert of each object with four detections in a band, each rare class thinned to 0.5 % of them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from redpoll.crossmatch.known_columns import known_columns
from redpoll.learn.anomaly_base import AnomalyBase
from redpoll.learn.anomaly_forests import ANOMALY, KINDS, REGULAR, anomaly_sums, fit_anomaly_forest
from redpoll.learn.anomaly_rows import FEATURES, feature_matrix
from redpoll.learn.context_columns import without_catalogues
from redpoll.learn.dataset import open_dataset
from redpoll.learn.model_inputs import needed_modules
from redpoll.plugin.anomaly_score import AnomalyScore, has_curve
from redpoll.plugin.discovery import installed_modules
from redpoll.plugin.graph import Graph
from redpoll.schema.alert import COLUMNS

QUESTIONS = 100
RARE = ("kilonova", "tde", "slsn", "pair_instability_sn", "microlensing")
MAX_FRACTION = 0.005
COMMON = ("bogus:0.2,rr_lyrae:0.17,agn:0.17,long_period_variable:0.15,eclipsing_binary:0.12,sn_ia:0.075,"
          "cataclysmic_variable:0.03,sn_ii:0.03,sn_ibc:0.01,m_dwarf_flare:0.01,young_star:0.01,pisn:0.005,tde:0.005,"
          "slsn:0.005,microlensing:0.005,kilonova:0.005")  # fmt: skip
TARGETS = {
    "supernovae": {"SN", "SNIa", "CCSN", "SLSN"}, "M-dwarf flares": {"M_dwarf_flare"},
    "cataclysmic variables": {"Cataclysmic", "UG", "AM", "UGSS", "UGZ", "UGSU"},
}  # fmt: skip
METHODS = ("random", *KINDS)


@dataclass(frozen=True)
class Pool:
    """Objects to ask about: features, what is looked for, and which are artefacts."""

    base: AnomalyBase
    wanted: NDArray[np.bool_]
    is_artefact: NDArray[np.bool_]


def main() -> None:
    """Print every table."""
    options = _options()
    print(f"date: {time.strftime('%Y-%m-%d')}; Python {platform.python_version()}, {platform.machine()}")
    parts = {"snad": _snad, "simulated": _simulated, "refit": _refit}
    for name, part in parts.items():
        if options.only in (None, name):
            part(options)


def asked(pool: Pool, method: str, seed: int) -> NDArray[np.int64]:
    """The objects that a method asks about, in order."""
    n = len(pool.wanted)
    if method == "random":
        return np.random.default_rng(seed).permutation(n)[:QUESTIONS]
    order: list[int] = []
    labels = np.where(pool.wanted, ANOMALY, REGULAR).astype(np.int8)
    score = np.zeros(n)
    for i in range(QUESTIONS):
        if i == 0 or method != KINDS[0]:
            forest = fit_anomaly_forest(pool.base, pool.base.rows[order], labels[order], kind=method, seed=seed)
            score = anomaly_sums(forest, pool.base.rows)
        score[order] = -np.inf
        order.append(int(score.argmax()))
    return np.array(order)


def _table(title: str, pools: dict[str, list[Pool]], methods: Sequence[str], seeds: int) -> None:
    print(f"\n{title}\n\n| looked for | objects | features | method | found in {QUESTIONS} | artefacts |")
    print("|---|---|---|---|---|---|")
    for name, some in pools.items():
        n = f"{np.mean([pool.wanted.sum() for pool in some]):.0f} of {np.mean([len(p.wanted) for p in some]):,.0f}"
        for method in methods:
            found = [(pool, asked(pool, method, seed)) for pool in some for seed in range(seeds)]
            hits, artefacts = ([float(of(pool)[order].sum()) for pool, order in found] for of in (_wanted, _artefact))
            what, _, features = name.partition("; ")
            print(f"| {what} | {n} | {features} | {method} | {_mean(hits)} | {_mean(artefacts)} |", flush=True)


def _wanted(pool: Pool) -> NDArray[np.bool_]:
    return pool.wanted


def _artefact(pool: Pool) -> NDArray[np.bool_]:
    return pool.is_artefact


def _mean(values: Sequence[float]) -> str:
    x, rng = np.array(values), np.random.default_rng(0)
    low, high = np.quantile(rng.choice(x, (4000, len(x))).mean(axis=1), [0.025, 0.975])
    return f"{x.mean():.1f} [{low:.1f}, {high:.1f}]"


def _snad(options: argparse.Namespace) -> None:
    table = pq.read_table(options.data / "anomaly" / "snad_akb_features.parquet")
    found: dict[int, set[str]] = {}
    for row in json.loads((options.data / "anomaly" / "snad_akb_tags.json").read_text()):
        found.setdefault(row["oid"], set()).update(row["tags"])
    names = tuple(table.column_names[2:])
    X = np.column_stack([table[name].to_numpy() for name in names]).astype(np.float32)
    is_artefact = table["label"].to_numpy() == 1
    real = _out_of_fold_real(X, is_artefact)
    bases = {
        "light curve": AnomalyBase(names, X),
        "and real-bogus": AnomalyBase((*names, "real_bogus"), np.column_stack([X, real])),
    }
    pools = {}
    for target, words in TARGETS.items():
        is_kind = np.array([bool(words & found.get(oid, set())) for oid in table["oid"].to_pylist()])
        for features, base in bases.items():
            pools[f"{target}; {features}"] = [Pool(base, is_kind & ~is_artefact, is_artefact)]
    _table(f"SNAD, {options.seeds} seeds", pools, options.methods, options.seeds)


def _out_of_fold_real(X: NDArray[np.float32], is_artefact: NDArray[np.bool_]) -> NDArray[np.float32]:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import cross_val_predict

    forest = RandomForestClassifier(200, random_state=0)
    p = cross_val_predict(forest, X, ~is_artefact, cv=5, method="predict_proba")[:, 1]
    print(f"\nreal-bogus feature of the SNAD set: AUC {roc_auc_score(~is_artefact, p):.3f} out of fold")
    return np.asarray(p, np.float32)


def _simulated(options: argparse.Namespace) -> None:
    streams = [_stream(options, seed) for seed in options.streams]
    left = "real_bogus"
    without = tuple(name for name in FEATURES if name != left)
    curve = tuple(name for name in FEATURES if name.startswith("anomaly_"))
    pools: dict[str, list[Pool]] = {}
    for features, names in (("all", FEATURES), ("all but real-bogus", without), ("light curve", curve)):
        columns = [FEATURES.index(name) for name in names]
        pools[f"any rare class; {features}"] = [
            Pool(AnomalyBase(names, X[:, columns]), np.isin(labels, RARE), labels == "artefact")
            for X, labels in streams
        ]
    for target in (("slsn", "pair_instability_sn"),):
        pools[f"{' or '.join(target)}; all"] = [
            Pool(AnomalyBase(FEATURES, X), np.isin(labels, target), labels == "artefact") for X, labels in streams
        ]
    seeds = max(1, options.seeds // len(streams))
    for X, labels in streams:
        counts = {name: int((labels == name).sum()) for name in (*RARE, "artefact")}
        print(f"simulated night: {len(X):,} objects, of them {counts}", flush=True)
    _table(f"simulated, {len(streams)} nights, {seeds} seeds each", pools, options.methods, seeds)


def _stream(options: argparse.Namespace, seed: int) -> tuple[NDArray[np.float32], NDArray[np.str_]]:
    """Features and classes of a simulated night, kept in a file between runs; rare classes are thinned."""
    path = options.cache / f"stream-{options.alerts}-{seed}.npz"
    if not path.exists():
        X, labels = _features(f"simulate://ztf?alerts={options.alerts}&seed={seed}&fractions={COMMON}")
        options.cache.mkdir(parents=True, exist_ok=True)
        np.savez(path, X=X, labels=labels)
    with np.load(path) as kept:
        X, labels = kept["X"], kept["labels"]
    n_rare = np.isin(labels, RARE).sum()
    most = int(MAX_FRACTION * (len(labels) - n_rare))
    keep = ~np.isin(labels, RARE)
    for name in RARE:
        keep[np.flatnonzero(labels == name)[:most]] = True
    return X[keep], labels[keep]


def _features(spec: str) -> tuple[NDArray[np.float32], NDArray[np.str_]]:
    needed = needed_modules(AnomalyScore("anomaly_benchmark", FEATURES), installed_modules())
    graph = Graph.build(needed, [], columns={**COLUMNS, **known_columns()})
    parts, classes = [], []
    for batch, labels, _ in open_dataset(spec, per_object=1):
        X = feature_matrix(graph.run(without_catalogues(batch)).batch, FEATURES)
        parts.append(X[has_curve(FEATURES, X)])
        classes.append(labels[has_curve(FEATURES, X)])
    return np.concatenate(parts), np.concatenate(classes)


def _refit(options: argparse.Namespace) -> None:
    from sklearn.ensemble import IsolationForest

    X = np.random.default_rng(1).normal(size=(50_000, 52)).astype(np.float32)
    base = AnomalyBase(tuple(f"f{i}" for i in range(52)), X)
    first = _seconds(lambda: base.filled, 1)
    sklearn = IsolationForest(n_estimators=100, max_samples=256, random_state=1)
    yardstick = _seconds(lambda: sklearn.fit(X), options.rounds)
    print(f"\n50,000 x 52, median of {options.rounds}; medians of the base, once: {1000 * first:.0f} ms")
    print("\n| model | labels | fit [ms] | scikit-learn's isolation forest / it |\n|---|---|---|---|")
    print(f"| scikit-learn isolation forest | | {1000 * yardstick:.0f} | 1 |")
    for kind in KINDS:
        for n in (1, 40, 200):
            labels = np.where(X[:n, 0] > 0.5, ANOMALY, REGULAR).astype(np.int8)
            seconds = _seconds(lambda: fit_anomaly_forest(base, X[:n], labels, kind=kind), options.rounds)  # noqa: B023
            print(f"| {kind} | {n} | {1000 * seconds:.0f} | {yardstick / seconds:.1f} |")
    forest = fit_anomaly_forest(base, X[:40], np.where(X[:40, 0] > 0.5, ANOMALY, REGULAR).astype(np.int8))
    print(f"\nscores: {len(X) / _seconds(lambda: anomaly_sums(forest, X), options.rounds):,.0f} rows/s")


def _seconds(work: Callable[[], object], rounds: int) -> float:
    def once() -> float:
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    if rounds > 1:
        once()
    return float(np.median([once() for _ in range(rounds)]))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default=os.environ.get("REDPOLL_DATA", "../shared/data"), type=Path)
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--methods", nargs="+", default=METHODS, choices=METHODS)
    parser.add_argument("--streams", type=int, nargs="+", default=[101, 102, 103])
    parser.add_argument("--alerts", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "redpoll-anomaly")
    parser.add_argument("--only", choices=("snad", "simulated", "refit"))
    return parser.parse_known_args()[0]


if __name__ == "__main__":
    main()
