"""Light-curve statistics that Fink published."""

from __future__ import annotations

import numpy as np
from fink.comparison import Agreement, compare
from fink.packets import RUBIN, number, rubin_rows

from redpoll.astro.light_curve_statistics import FEATURES, light_curve_statistics
from redpoll.config import Config
from redpoll.ingest.files import open_sources
from redpoll.pipeline.timing import sample_batches
from redpoll.plugin.columns import Columns
from redpoll.schema.bands import BANDS, DETECTION
from redpoll.science.light_curve_statistics import light_curve_statistics as statistics_module

SLOPES = {"linear_trend": "linear_trend_sigma", "linear_fit_slope": "linear_fit_slope_sigma"}


def features_of_points() -> list[Agreement]:
    """The 26 statistics of prvDiaSources and diaSource as they stand, in double precision."""
    ours, theirs, distinct = [], [], []
    for row in rubin_rows(["diaSource", "prvDiaSources", "lc_features"]).values():
        for band, values in row["lc_features"] or []:
            points = [p for p in [*(row["prvDiaSources"] or []), row["diaSource"]] if p["band"] == band]
            points.sort(key=lambda p: p["midpointMjdTai"])
            t, m, sigma = np.array([[p[k] for k in ("midpointMjdTai", "psfFlux", "psfFluxErr")] for p in points]).T
            ours.append(light_curve_statistics(t, m, sigma, [0, len(t)])[0])
            theirs.append(_features(values))
            distinct.append(len(np.unique(t)) == len(t))
    return _statistics(np.array(ours), np.array(theirs), np.array(distinct))


def features_of_module() -> list[Agreement]:
    """The module's columns, chosen where it takes every point that the packet has in the band."""
    theirs = rubin_rows(["diaSource", "prvDiaSources", "lc_features"])
    ours, published, whole = [], [], []
    for batch in sample_batches(open_sources([RUBIN]), Config(), limit=10_000):
        made = statistics_module.compute(Columns(batch), {"quantity": "flux"})
        curves = Columns(batch).numpy("light_curve")
        for i, alert_id in enumerate(batch["alert_id"].to_pylist()):
            own = slice(curves.offsets[i], curves.offsets[i + 1])
            row = theirs[alert_id]
            for band, values in row["lc_features"] or []:
                ours.append([number(made[f"{name}_{band}"][i].as_py()) for name in FEATURES])
                published.append(_features(values))
                t = curves.mjd[own][(curves.band[own] == BANDS.index(band)) & (curves.kind[own] == DETECTION)]
                sent = sum(point["band"] == band for point in [*(row["prvDiaSources"] or []), row["diaSource"]])
                whole.append(len(t) == sent and len(np.unique(t)) == len(t))
    return _statistics(np.array(ours), np.array(published), np.array(whole), "all points taken, distinct times")[:2]


def _features(values: dict[str, float | None]) -> list[float]:
    return [number(values[{"stetson_k": "stetson_K"}.get(name, name)]) for name in FEATURES]


def _statistics(
    ours: np.ndarray, theirs: np.ndarray, chosen: np.ndarray, which: str = "distinct times"
) -> list[Agreement]:
    """Relative differences; those of a slope, which may be zero, relative to value and error together."""
    scale = np.abs(theirs)
    for slope, error in SLOPES.items():
        scale[:, FEATURES.index(slope)] += np.abs(theirs[:, FEATURES.index(error)])
    rows = [(f"all 26, {which}", chosen, slice(None))]
    rows += [("all 26", np.ones(len(ours), bool), slice(None))]
    rows += [(name, np.ones(len(ours), bool), i) for i, name in enumerate(FEATURES)]
    return [
        compare(name, ours[keep][:, column], theirs[keep][:, column], scale=scale[keep][:, column],
                tolerance=1e-5, means="1e-5 of the value")
        for name, keep, column in rows
    ]  # fmt: skip
