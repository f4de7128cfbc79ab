"""Active learning on the supernova challenge (SNPCC): the experiment of Ishida et al. 2019, and what does better.

    python benchmarks/active_snpcc.py [--data FOLDER] [--features own|reference|shape] [--strategies ...]
        [--boosting ...] [--seeds 3] [--queries 1000] [--batch 25] [--workers 2] [--plot FILE.svg]

Objects, and what is for training, pool and test, are those of the reference. `reference` are its own fits of Bazin's
function, `own` our batched fits of the same light curves: five parameters in each of griz. `shape` adds to ours what
follows from them: peak magnitudes and colours, times in logarithm, order of the peaks, chi2 and number of points.
Strategies run with a forest, those of `--boosting` with boosted trees.
"""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from redpoll.curve_fitting import BazinFit, bazin_fit
from redpoll.learn.curve_plot import drawn_curves, plot_format
from redpoll.learn.learning_curves import METRICS, end_difference, ends, in_order, labels_to_reach
from redpoll.learn.loop_options import LoopOptions
from redpoll.learn.query_table import QueryTable
from redpoll.learn.realisations import realisations

Array = NDArray[np.float64]
BANDS = "griz"
PARAMETERS = ("amplitude", "t0", "fall", "rise", "baseline")
PARTS = {"train": "train", "query": "pool", "target": "test"}
IA, REACHED = 0, 0.353
REFERENCE = {"uncertainty": "reference_uncertainty_rf.csv", "canonical": "reference_canonical_rf.csv"}


def main() -> None:
    """Run, print the ends of the curves, and draw them."""
    options = _options()
    print(f"date: {time.strftime('%Y-%m-%d')}; features {options.features}")
    table = snpcc_table(options.data / "snpcc", options.features)
    names = tuple(n for n in table.names if n.endswith("_peak_mag")) or tuple(n for n in table.names if "ampl" in n)
    start, curves = time.perf_counter(), []
    for learner, strategies in (("forest", options.strategies), ("boosting", options.boosting)):
        loop = LoopOptions("sn_ia", queries=options.queries, batch=options.batch, every=options.batch,
                           learner=learner, trees=options.trees, similar_by=names)  # fmt: skip
        found = realisations(table, loop, strategies, range(options.seeds), workers=options.workers)
        curves += _named(in_order(found, strategies), learner)
    print(f"{len(curves)} realisations of {options.queries} queries in batches of {options.batch}:", end=" ")
    print(f"{time.perf_counter() - start:.0f} s\n")
    print_ends(curves, options.strategies[0], REACHED)
    _print_reference(options.data / "snpcc")
    if options.plot:
        title = f"SNPCC, {options.features} features"
        options.plot.write_bytes(drawn_curves(curves, plot_format(options.plot), title=title))


def _named(curves: list, learner: str) -> list:
    """The curves, with the name of the learner if it is not the forest."""
    if learner == "forest":
        return curves
    return [[replace(point, strategy=f"{point.strategy}, {learner}") for point in curve] for curve in curves]


def snpcc_table(folder: Path, features: str) -> QueryTable:
    """All objects of the reference with their features; the brightness is the peak in r [mag]."""
    parts = [_labels(folder, name) for name in PARTS]
    snid = np.concatenate([ids for ids, _ in parts])
    code = np.concatenate([codes for _, codes in parts])
    split = np.concatenate([np.full(len(ids), PARTS[name]) for name, (ids, _) in zip(PARTS, parts, strict=True)])
    if features == "reference":
        values = np.concatenate([np.loadtxt(folder / f"bazin_{name}_fitparameters.dat") for name in PARTS])
        names = [f"{band}_{name}" for band in BANDS for name in PARAMETERS]
    else:
        values, names = _own(folder, snid, with_shape=features == "shape")
    n = len(snid)
    return QueryTable(tuple(names), np.clip(values, -1e30, 1e30).astype(np.float32), snid.astype(str),
                      np.where(code == IA, "sn_ia", "other"), split, np.zeros(n), np.full(n, -np.inf),
                      np.ones(n))  # fmt: skip


def _labels(folder: Path, name: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    text = (folder / f"reference_{name}_labels.dat").read_text()
    rows = [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return np.array([int(row[0].removeprefix("DES_SN")) for row in rows]), np.array([int(row[2]) for row in rows])


def _own(folder: Path, snid: NDArray[np.int64], *, with_shape: bool) -> tuple[Array, list[str]]:
    """Our fits of Bazin's function in each band."""
    points = pq.read_table(folder / "snpcc_lightcurves.parquet")
    who, band = points["snid"].to_numpy(), points["band"].cast("string").to_numpy(zero_copy_only=False)
    place = np.searchsorted(np.sort(snid), who).clip(max=len(snid) - 1)
    is_used = (np.sort(snid)[place] == who) & (points["fluxcalerr"].to_numpy() > 0)
    back = np.searchsorted(np.sort(snid), snid)
    mjd, flux, err = (points[name].to_numpy().astype(float) for name in ("mjd", "fluxcal", "fluxcalerr"))
    first = np.full(len(snid), np.inf)
    np.minimum.at(first, place[is_used], mjd[is_used])
    plain, shape, start = [], {}, time.perf_counter()
    for name in BANDS:
        rows = np.flatnonzero(is_used & (band == name))
        rows = rows[np.lexsort((mjd[rows], place[rows]))]
        offsets = np.concatenate([[0], np.cumsum(np.bincount(place[rows], minlength=len(snid)))])
        fit = bazin_fit(mjd[rows], flux[rows], err[rows], offsets)
        plain += [fit.amplitude, fit.t0 - first, fit.fall_time, fit.rise_time, fit.baseline]
        shape |= _shape(name, fit, first)
    print(f"Bazin's function fitted to {len(BANDS) * len(snid):,} light curves in {time.perf_counter() - start:.1f} s")
    names = [f"{name}_{parameter}" for name in BANDS for parameter in PARAMETERS]
    if with_shape:
        more = shape | _colours(shape)
        plain, names = [*plain, *more.values()], [*names, *more]
    return np.column_stack(plain)[back], names


def _shape(name: str, fit: BazinFit, first: Array) -> dict[str, Array]:
    """Peak magnitude and time, times in logarithm, and the goodness of a fit."""
    rise, fall = np.clip(fit.rise_time, 0.01, 500), np.clip(fit.fall_time, 0.1, 500)
    after = np.maximum(rise * np.log(np.maximum(fall / rise - 1, 1e-3)), -20 * rise)
    peak = fit.amplitude * np.exp(-after / fall) / (1 + np.exp(np.minimum(-after / rise, 50)))
    dof = np.maximum(fit.n_points - fit.n_params, 1)
    return {
        f"{name}_peak_mag": 27.5 - 2.5 * np.log10(np.clip(peak, 0.1, 1e7)),
        f"{name}_peak_time": np.clip(fit.t0 + after - first, -200, 400),
        f"{name}_log_fall": np.log10(fall), f"{name}_log_rise": np.log10(rise),
        f"{name}_chi2": fit.chi2 / dof, f"{name}_n": fit.n_points.astype(float),
    }  # fmt: skip


def _colours(shape: dict[str, Array]) -> dict[str, Array]:
    """Colours at the peaks, and how much later each band peaks than r."""
    mag = {name: shape[f"{name}_peak_mag"] for name in BANDS}
    pairs = {"gr": ("g", "r"), "ri": ("r", "i"), "iz": ("i", "z"), "gi": ("g", "i")}
    late = {f"{name}_late": shape[f"{name}_peak_time"] - shape["r_peak_time"] for name in "giz"}
    return {f"{key}_colour": mag[a] - mag[b] for key, (a, b) in pairs.items()} | late


def print_ends(curves: list, first: str, reached: float) -> None:
    """The ends of the curves as a table, with the difference to one strategy and the queries to reach a merit."""
    print(
        "| strategy | seeds | queries | "
        + " | ".join(METRICS)
        + f" | figure of merit minus {first} | SN Ia in training | queries to {REACHED} |"
    )
    print("|---" * (6 + len(METRICS)) + "|")
    for row in ends(curves):
        cells = [
            f"{row[m]:.3f} ± {row[f'{m}_std']:.3f} [{row[f'{m}_low']:.3f}, {row[f'{m}_high']:.3f}]" for m in METRICS
        ]
        gap = end_difference(curves, first, str(row["strategy"]), "figure_of_merit")
        print(f"| {row['strategy']} | {row['realisations']} | {row['queries']:.0f} | " + " | ".join(cells), end=" | ")
        needed = labels_to_reach(curves, str(row["strategy"]), "figure_of_merit", reached) or "never"
        print(f"{gap.value:+.3f} [{gap.low:+.3f}, {gap.high:+.3f}] | {row['positive_fraction']:.2f} | {needed} |")


def _print_reference(folder: Path) -> None:
    print("\nreference, at its end:")
    for name, file in REFERENCE.items():
        last = (folder / file).read_text().splitlines()[-1].split(",")
        print(f"| {name} | 1 | {last[0]} | " + " | ".join(f"{float(x):.3f}" for x in last[2:]) + " |")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default=os.environ.get("REDPOLL_DATA", "../shared/data"), type=Path)
    parser.add_argument("--features", choices=("reference", "own", "shape"), default="own")
    parser.add_argument("--strategies", nargs="+", default=["uncertainty", "random", "canonical"])
    parser.add_argument("--boosting", nargs="*", default=["uncertainty", "random"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=25)
    parser.add_argument("--trees", type=int, default=50)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--plot", type=Path)
    return parser.parse_known_args()[0]


if __name__ == "__main__":
    main()
