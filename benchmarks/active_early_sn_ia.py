"""Active learning of early SNe Ia: 10 first labels, 300 queries, uncertainty against random (Leoni et al. 2022).

    python benchmarks/active_early_sn_ia.py [--data FOLDER] [--alerts 12000] [--seed 14] [--realisations 5]
        [--strategies uncertainty random] [--learner forest] [--batch 1] [--nights] [--workers 2] [--plot FILE.svg]

The mixed set: real SNe Ia of the Bright Transient Survey (half 1, of which the simulator knows nothing), real TDEs and
SLSNe-I, and every class of a simulated night of ZTF. Features are those of the module early_sn_ia. A quarter of the
objects is the test, by a hash of their names; it is never asked for. With --nights the objects become known night by
night as the real and simulated light curves grow, and only those brighter than 20 mag that were seen within 3 days can
be asked for.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from active_snpcc import print_ends
from populations.labelled import superluminous, tidal_disruptions, type_ia

from redpoll.learn.curve_plot import drawn_curves, plot_format
from redpoll.learn.curves import LabelledCurve, bare, half
from redpoll.learn.dataset import Dataset, open_dataset
from redpoll.learn.features import FeatureTable, feature_rows, joined_features
from redpoll.learn.learning_curves import end_difference, in_order
from redpoll.learn.loop_options import LoopOptions
from redpoll.learn.model_training import scored_rows
from redpoll.learn.query_rows import query_table
from redpoll.learn.query_table import QueryTable
from redpoll.learn.realisations import realisations

MODEL, PER_OBJECT, SEASON = "early_sn_ia", 4, 90.0


def main() -> None:
    """Build the mixed set, run, print the ends of the curves, and draw them."""
    options = _options()
    print(f"date: {time.strftime('%Y-%m-%d')}; learner {options.learner} of {options.trees} trees")
    table = mixed_set(options.data, options.alerts, options.seed)
    if options.nights:
        table = in_one_season(table)
    _print_set(table)
    loop = LoopOptions("sn_ia", queries=options.queries, batch=options.batch, learner=options.learner,
                       trees=options.trees, audit=options.audit, by_night=options.nights,
                       mag_limit=20.0 if options.nights else float("inf"),
                       recent_days=3.0 if options.nights else float("inf"))  # fmt: skip
    wall, cpu = time.perf_counter(), sum(os.times()[:4])
    found = realisations(table, loop, options.strategies, range(options.realisations), workers=options.workers)
    curves = in_order(found, options.strategies)
    wall, cpu = time.perf_counter() - wall, sum(os.times()[:4]) - cpu
    hours = cpu / len(curves) * 100 / 2 / 3600
    print(f"{len(curves)} realisations in {wall:.0f} s, {cpu / len(curves):.1f} CPU-seconds each:", end=" ")
    print(f"100 of them take {hours:.2f} h on two free cores\n")
    print_ends(curves, options.strategies[-1], 0.395)
    for name in options.strategies[:-1]:
        _print_gaps(curves, options.strategies[-1], name)
    if options.plot:
        title = f"early SNe Ia, mixed set{', night by night' if options.nights else ''}"
        options.plot.write_bytes(drawn_curves(curves, plot_format(options.plot), title=title))


def mixed_set(data: Path, n_alerts: int, seed: int) -> QueryTable:
    """Real SNe Ia, TDEs and SLSNe-I, and a simulated night: rows that the module scores."""
    ia = [curve for curve in type_ia(data) if half(curve.name) == 1]
    real = {"SNe Ia": ia, "TDEs": tidal_disruptions(data), "SLSNe-I": superluminous(data)}
    tables = [_features(name, bare(curves)) for name, curves in real.items()]
    tables.append(
        feature_rows(open_dataset(f"simulate://ztf?alerts={n_alerts}&seed={seed}", per_object=PER_OBJECT), MODEL)
    )
    return query_table(*scored_rows(joined_features(tables), ("sn_ia",)))


def in_one_season(table: QueryTable) -> QueryTable:
    """The same rows, with the first one of each object at a random night of one season of 90 days."""
    _, place = np.unique(table.object_id, return_inverse=True)
    first = np.full(place.max() + 1, np.inf)
    np.minimum.at(first, place, table.mjd)
    start = np.random.default_rng(0).uniform(0, SEASON, len(first))
    moved = table.take(np.arange(len(table)))
    moved.mjd[:] = table.mjd - first[place] + start[place] + 60000.0
    return moved.take(moved.mjd < 60000.0 + SEASON)


def _features(name: str, curves: Sequence[LabelledCurve]) -> FeatureTable:
    from redpoll.learn.replay import replayed

    return feature_rows(Dataset(name, lambda: replayed(curves, "ztf", 365.0, PER_OBJECT)), MODEL)


def _print_set(table: QueryTable) -> None:
    for name in ("sn_ia", "other"):
        print(f"{name}: {len(set(table.object_id[table.label == name])):,} objects", end="; ")
    print(f"{len(table):,} rows of {len(table.names)} features")


def _print_gaps(curves: list, first: str, second: str) -> None:
    gaps = {name: end_difference(curves, first, second, name) for name in ("accuracy", "efficiency", "purity")}
    text = "; ".join(f"{name} {gap.value:+.3f} [{gap.low:+.3f}, {gap.high:+.3f}]" for name, gap in gaps.items())
    print(f"\n{second} minus {first}: {text}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default=os.environ.get("REDPOLL_DATA", "../shared/data"), type=Path)
    parser.add_argument("--alerts", type=int, default=12_000)
    parser.add_argument("--seed", type=int, default=14)
    parser.add_argument("--realisations", type=int, default=5)
    parser.add_argument("--strategies", nargs="+", default=["uncertainty", "random"])
    parser.add_argument("--learner", default="forest")
    parser.add_argument("--trees", type=int, default=50)
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--audit", type=float, default=0.0)
    parser.add_argument("--nights", action="store_true")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--plot", type=Path)
    return parser.parse_known_args()[0]


if __name__ == "__main__":
    main()
