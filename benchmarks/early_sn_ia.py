"""Early SNe Ia: how many real ones get a score, and how pure are the candidates among real and simulated alerts.

    python benchmarks/early_sn_ia.py [--data FOLDER] [--alerts 12000] [--test-seed 14] [--half {0,1}]

The model is the one that Redpoll ships, trained on simulated nights alone (`redpoll train early_sn_ia`). It is judged
on real SNe Ia of the Bright Transient Survey, of one half of the objects (the simulator's SNe Ia were made from half
0), real TDEs and SLSNe-I, and simulated alerts of another seed. "First alert" is the first with four detections in g
and four in r.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from populations.labelled import superluminous, tidal_disruptions, type_ia

from redpoll.learn.curves import LabelledCurve, bare, half
from redpoll.learn.dataset import Dataset, open_dataset
from redpoll.learn.features import FeatureTable, feature_rows, joined_features
from redpoll.learn.metrics import Figure, figures
from redpoll.learn.replay import replayed
from redpoll.pipeline.shipped import shipped_models
from redpoll.plugin.forest_file import read_forest
from redpoll.plugin.forest_model import ForestModel
from redpoll.schema.bands import BANDS, DETECTION

MODEL, PER_OBJECT = "early_sn_ia", 4


def main() -> None:
    """Train, and print what is found on each population."""
    options = _options()
    print(f"date: {time.strftime('%Y-%m-%d')}; Python {platform.python_version()}, {platform.machine()}")
    shipped = shipped_models()[MODEL]
    model = ForestModel(MODEL, shipped.card.version, read_forest(shipped.data))
    print(f"{MODEL} {model.version}, {len(shipped.data):,} bytes; real objects of half {options.half}\n")
    ia = [c for c in type_ia(options.data) if half(c.name) == options.half]
    _first_alerts(model, [first for c in bare(ia) if (first := _at_first_alert(c))])
    others = [("TDEs", bare(tidal_disruptions(options.data))), ("SLSNe-I", bare(superluminous(options.data)))]
    tables = {"SNe Ia": _features("SNe Ia", bare(ia))} | {name: _features(name, some) for name, some in others}
    simulated = feature_rows(_simulated(options.alerts, options.test_seed), MODEL)
    tables["simulated, other"] = simulated.take(simulated.labels != "sn_ia")
    _candidates(model, tables)
    print("\nsimulated alone (seed of the test):")
    _print_figures(model, simulated)


def _simulated(n_alerts: int, seed: int) -> Dataset:
    return open_dataset(f"simulate://ztf?alerts={n_alerts}&seed={seed}", per_object=PER_OBJECT)


def _features(name: str, curves: Sequence[LabelledCurve]) -> FeatureTable:
    return feature_rows(Dataset(name, lambda: replayed(curves, "ztf", 365.0, PER_OBJECT)), MODEL)


def _at_first_alert(curve: LabelledCurve) -> LabelledCurve | None:
    """The curve until it has four detections in g and in r; None if it never has."""
    counts = [np.cumsum((curve.kind == DETECTION) & (curve.band == BANDS.index(band))) for band in "gr"]
    enough = np.flatnonzero((counts[0] >= 4) & (counts[1] >= 4))
    if not len(enough):
        return None
    to = int(enough[0]) + 1
    points = {name: getattr(curve, name)[:to] for name in ("mjd", "band", "flux", "flux_err", "kind")}
    return replace(curve, **points)


def _first_alerts(model: ForestModel, curves: Sequence[LabelledCurve]) -> None:
    """How many have a score at the first alert, and how many of these are candidates."""
    last = Dataset("first alerts", lambda: replayed(curves, "ztf", 365.0, 10_000))
    table = feature_rows(last, MODEL)
    end = np.r_[table.object_ids[1:] != table.object_ids[:-1], True]  # the last alert of each object
    table = table.take(end)
    p = _probability(model, table)
    n, scored, candidates = len(table), int(table.is_scored.sum()), int((p > 0.5).sum())
    print(f"real SNe Ia at their first alert: {scored} of {n} have a score ({scored / n:.1%}),", end=" ")
    print(
        f"{candidates} are candidates ({candidates / n:.1%} of all, {candidates / max(scored, 1):.1%} of the scored)\n"
    )


def _candidates(model: ForestModel, tables: dict[str, FeatureTable]) -> None:
    print("| population | objects | with a score | candidates (objects with p > 0.5 at any alert) |")
    print("|---|---|---|---|")
    for name, table in tables.items():
        objects, scored = len(set(table.object_ids)), len(set(table.object_ids[table.is_scored]))
        found = len(set(table.object_ids[_probability(model, table) > 0.5]))
        print(f"| {name} | {objects} | {scored} | {found} |")
    print("\nmixed (real SNe Ia, TDEs and SLSNe-I, simulated others; every object weighs one):")
    _print_figures(model, joined_features(list(tables.values())))


def _print_figures(model: ForestModel, table: FeatureTable) -> None:
    table = table.take(table.is_scored)
    found = figures(table.labels == "sn_ia", _probability(model, table), table.object_ids)
    print("; ".join(f"{name} {_shown(figure)}" for name, figure in found.items()))


def _probability(model: ForestModel, table: FeatureTable) -> NDArray[np.float64]:
    p = np.full(len(table), np.nan)
    p[table.is_scored] = model.predict_proba(table.features[table.is_scored])[:, 1]
    return p


def _shown(figure: Figure) -> str:
    return f"{figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}]"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default=os.environ.get("REDPOLL_DATA", "../shared/data"), type=Path)
    parser.add_argument("--alerts", type=int, default=12_000)
    parser.add_argument("--test-seed", type=int, default=14)
    parser.add_argument("--half", type=int, choices=(0, 1), default=1)
    return parser.parse_known_args()[0]


if __name__ == "__main__":
    main()
