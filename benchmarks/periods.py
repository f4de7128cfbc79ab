"""How often `periodic` finds the right period, and how often it finds one where there is none.

    python benchmarks/periods.py [--data FOLDER] [--ztf 4000] [--rubin 2000] [--nights 20] [--seed 14]

Simulated nights of both surveys, whose periods are known, and RR Lyrae stars of SDSS's Stripe 82 with the periods that
Sesar et al. 2010 published, replayed with a year of history and with all nine years. A period is right within 1 %; in
the simulated nights also if it is half or twice the true one, as is usual for eclipsing binaries. Intervals are of 95 %
(Clopper-Pearson, alerts taken as independent). The thresholds were chosen on seed 12 and on one half of the stars, with
a year of history; the figures are of another seed and the other half.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from populations.labelled import rr_lyrae
from populations.simulated import MIX, periodic_nights
from populations.tally import interval

from redpoll.learn.curves import half
from redpoll.learn.replay import replayed
from redpoll.plugin.graph import Graph
from redpoll.schema.light_curve import LightCurves
from redpoll.schema.rows import take_rows
from redpoll.science.periodic import periodic
from redpoll.science.roid import roid

Known = tuple[pa.RecordBatch, NDArray[np.str_], NDArray[np.float64]]
"""Alerts, their classes, and their periods [d]; NaN for what has none."""
_WITHOUT_POSITION = ("bogus", "asteroid", "satellite_glint", "m_dwarf_flare", "kilonova")
_EDGES = (-np.inf, 0.5, 1.0, 1.5, 2.0, 3.0, np.inf)


def main() -> None:
    """Print a table for each population."""
    options = _options()
    print(f"date: {time.strftime('%Y-%m-%d')}\n")
    mix = {name: fraction for name, fraction in MIX.items() if name not in _WITHOUT_POSITION}
    for survey, n in (("ztf", options.ztf), ("rubin", options.rubin)):
        nights = periodic_nights(survey, n, options.seed, options.nights, mix)
        nights = list(nights)
        _table(f"simulated {survey}, seed {options.seed}", nights, (0.5, 1.0, 2.0))
        _below_the_limit(nights)
    if options.data.is_dir():
        for days, text in ((365.0, "a year of history"), (4000.0, "all years of history")):
            _table(f"real RR Lyrae stars, {text}", _real_stars(options.data, days), (1.0,), days=days)


def _real_stars(data: Path, days: float) -> Iterator[Known]:
    known = pd.read_csv(data / "labelled" / "sdss_s82_rrlyrae_periods.csv").astype({"objectId": str})
    period = known.set_index("objectId").period_days
    some = [curve for curve in rr_lyrae(data) if curve.name in period.index and half(curve.name)]
    for batch, kind, unit in replayed(some, "rubin", days, 4):
        yield batch, kind, period[unit].to_numpy()


def _table(title: str, batches: Iterable[Known], multiples: tuple[float, ...], days: float = 400.0) -> None:
    """What `is_periodic` finds, and how often a period is right by its margin, whether it is called or not."""
    batches = list(batches)
    true = np.concatenate([period for _, _, period in batches])
    kind = np.concatenate([kind for _, kind, _ in batches])
    graph = Graph.build([roid, periodic], [], settings={"periodic": {"days": days}}, clock=time.thread_time)
    columns, seconds = zip(*(_answers(graph, batch) for batch, _, _ in batches), strict=True)
    found, period, margin = (np.concatenate(parts) for parts in zip(*columns, strict=True))
    has, is_right = np.isfinite(true), np.min([np.abs(true / period / m - 1) for m in multiples], axis=0) < 0.01
    others = ~has & ~np.isin(kind, ("rr_lyrae", "eclipsing_binary", "long_period_variable"))
    spent = sum(seconds) / len(true) * 1e6
    print(f"{title}: {len(true)} alerts, {has.sum()} of them with a known period; {spent:.0f} us an alert")
    print(f"  is_periodic: found {_cell(found & has, has)}, right {_cell(found & has & is_right, found & has)}, "
          f"false positives {_cell(found & others, others)}")  # fmt: skip
    for low, high in pairwise(_EDGES):
        these = has & np.isfinite(period) & (margin >= low) & (margin < high)
        print(f"  period_margin {low:4} to {high:4}: right {_cell(these & is_right, these)}")
    print()


def _below_the_limit(nights: list[Known]) -> None:
    """Stars of 0.04 to 0.1 d, observed as the RR Lyrae stars of the nights: what a search from 0.1 d says of them."""
    rng = np.random.default_rng(3)
    some = [take_rows(batch, np.flatnonzero(kind == "rr_lyrae")) for batch, kind, _ in nights]
    periods = [rng.uniform(0.04, 0.1, batch.num_rows) for batch in some]
    fast = [_with_period(batch, period, rng) for batch, period in zip(some, periods, strict=True)]
    true = np.concatenate(periods)
    for shortest in (0.1, 0.03):
        graph = Graph.build([roid, periodic], [], settings={"periodic": {"min_period": shortest}})
        columns = [_answers(graph, batch)[0] for batch in fast]
        found, period, _ = (np.concatenate(parts) for parts in zip(*columns, strict=True))
        is_right = np.abs(true / period - 1) < 0.01
        print(f"  stars of 0.04 to 0.1 d, observed like the RR Lyrae stars, min_period = {shortest}: is_periodic "
              f"{_cell(found, found | True)}, right {_cell(found & is_right, found)}")  # fmt: skip
    print()


def _with_period(batch: pa.RecordBatch, period: NDArray[np.float64], rng: np.random.Generator) -> pa.RecordBatch:
    """The alerts with the light of a star of this period: two harmonics, the range of the old light curve."""
    at = batch.schema.get_field_index("light_curve")
    curve = LightCurves.from_arrow(batch["light_curve"])
    owner = np.repeat(np.arange(len(curve)), np.diff(curve.offsets))
    spread = np.array([np.nanstd(one.flux) if len(one.mjd) else 0.0 for one in curve])
    phase = 2 * np.pi * curve.mjd / period[owner]
    light = 1.4 * spread[owner] * (np.sin(phase) + 0.3 * np.sin(2 * phase + 0.5))
    flux = (light + curve.flux_err * rng.normal(size=len(light))).astype(np.float32)
    return batch.set_column(at, batch.schema.field(at), replace(curve, flux=flux).to_arrow())


def _answers(graph: Graph, batch: pa.RecordBatch) -> tuple[tuple[NDArray, ...], float]:
    run = graph.run(batch)
    names = ("is_periodic", "period", "period_margin")
    return tuple(run.batch[n].to_numpy(zero_copy_only=False) for n in names), run.seconds["periodic"]


def _cell(some: NDArray[np.bool_], of: NDArray[np.bool_]) -> str:
    k, n = int(some.sum()), int(of.sum())
    return f"{k}/{n} {interval(k, n)}" if n else "-"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default=os.environ.get("REDPOLL_DATA", "../shared/data"), type=Path)
    parser.add_argument("--ztf", type=int, default=4_000)
    parser.add_argument("--rubin", type=int, default=2_000)
    parser.add_argument("--nights", type=int, default=20)
    parser.add_argument("--seed", type=int, default=14)
    return parser.parse_known_args()[0]


if __name__ == "__main__":
    main()
