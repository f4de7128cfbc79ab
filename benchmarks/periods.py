"""How often `periodic` finds the right period, and how often it finds one where there is none.

    python benchmarks/periods.py [--data FOLDER] [--ztf 4000] [--rubin 2000] [--nights 20] [--seed 14]

Simulated nights of both surveys, whose periods are known, and RR Lyrae stars of SDSS's Stripe 82 replayed with a year
of history, whose periods come from their nine years (two models agree; other stars are left out). A period is right
within 1 %, or if it is half or twice the true one, as is usual for eclipsing binaries. Intervals are of 95 %
(Clopper-Pearson, alerts taken as independent). The thresholds were chosen on seed 12 and on one half of the stars; the
figures are of another seed and the other half.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from populations.labelled import rr_lyrae
from populations.replay import Curve, half, replayed
from populations.simulated import MIX, periodic_nights
from populations.tally import interval

from redpoll.astro.periods import multiband_periods
from redpoll.plugin.graph import Graph
from redpoll.science.periodic import periodic
from redpoll.science.roid import roid

Known = tuple[pa.RecordBatch, NDArray[np.str_], NDArray[np.float64]]
"""Alerts, their classes, and their periods [d]; NaN for what has none."""
_WITHOUT_POSITION = ("bogus", "asteroid", "satellite_glint", "m_dwarf_flare", "kilonova")


def main() -> None:
    """Print a table for each population."""
    options = _options()
    print(f"date: {time.strftime('%Y-%m-%d')}\n")
    mix = {name: fraction for name, fraction in MIX.items() if name not in _WITHOUT_POSITION}
    for survey, n in (("ztf", options.ztf), ("rubin", options.rubin)):
        _table(
            f"simulated {survey}, seed {options.seed}", periodic_nights(survey, n, options.seed, options.nights, mix)
        )
    if options.data.is_dir():
        _table("real RR Lyrae stars, a year of history", _real_stars(options.data))


def _real_stars(data: Path) -> Iterator[Known]:
    stars = [curve for curve in rr_lyrae(data) if half(curve.name)]
    known = {c.name: p for c, p in zip(stars, _long_periods(stars), strict=True) if np.isfinite(p)}
    some = [curve for curve in stars if curve.name in known]
    for batch, kind, unit in replayed(some, "rubin", 365.0, 4):
        yield batch, kind, np.array([known[name] for name in unit.tolist()])


def _long_periods(stars: list[Curve]) -> NDArray[np.float64]:
    """The period of each star in all its years, where one and two harmonics agree on one that such stars have."""
    offsets = np.concatenate([[0], np.cumsum([len(c.mjd) for c in stars])])
    columns = (np.concatenate([getattr(c, name) for c in stars]) for name in ("mjd", "flux", "flux_err", "band"))
    mjd, flux, err, band = columns
    one, two = (
        multiband_periods(mjd, flux, err, band, offsets, shortest=0.18, n_harmonics=n, shared=n == 2).period
        for n in (1, 2)
    )
    agree = (np.abs(one / two - 1) < 1e-3) & (two > 0.2) & (two < 1.0)
    return np.where(agree, two, np.nan)


def _table(title: str, batches: Iterable[Known]) -> None:
    batches = list(batches)
    true = np.concatenate([period for _, _, period in batches])
    kind = np.concatenate([kind for _, kind, _ in batches])
    has = np.isfinite(true)
    print(f"{title}: {len(true)} alerts, {has.sum()} of them with a known period\n{'':22}{'found':>28}{'right':>28}"
          f"{'false positives':>28}")  # fmt: skip
    for odds in (0.0, 3.0, 5.0):
        settings = {"periodic": {"min_log10_odds": odds}}
        graph = Graph.build([roid, periodic], [], settings=settings, clock=time.thread_time)
        founds, periods, seconds = zip(*(_answers(graph, batch) for batch, _, _ in batches), strict=True)
        found, period, spent = np.concatenate(founds), np.concatenate(periods), sum(seconds)
        right = np.min([np.abs(true / period / m - 1) for m in (0.5, 1.0, 2.0)], axis=0) < 0.01
        others = ~has & ~np.isin(kind, ("rr_lyrae", "eclipsing_binary", "long_period_variable"))
        cells = [(found & has, has), (found & has & right, found & has), (found & others, others)]
        line = "".join(_cell(int(a.sum()), int(b.sum())).rjust(28) for a, b in cells)
        print(f"log10 odds >= {odds:<8.0f}{line}")
    print(f"{spent / len(true) * 1e6:.0f} us an alert\n")


def _answers(graph: Graph, batch: pa.RecordBatch) -> tuple[NDArray[np.bool_], NDArray[np.float64], float]:
    run = graph.run(batch)
    found, period = (run.batch[name].to_numpy(zero_copy_only=False) for name in ("is_periodic", "period"))
    return found, period, run.seconds["periodic"]


def _cell(k: int, n: int) -> str:
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
