"""Learning curves: mean and interval over realisations, and the difference of two strategies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from redpoll.learn.active_loop import CurvePoint
from redpoll.learn.metrics import Figure

METRICS = ("accuracy", "efficiency", "purity", "figure_of_merit")
"""What is drawn and compared."""
_INTERVAL, _BOOTSTRAPS = (2.5, 97.5), 2000
Curves = Sequence[Sequence[CurvePoint]]


def summary(curves: Curves) -> list[dict[str, float | int | str]]:
    """One row for each strategy and number of queries: means over the realisations, and how much they scatter.

    For each metric there is its mean, its standard deviation over realisations ``_std`` (null for one), and the
    interval ``_low`` to ``_high`` that holds the central 95 % of the realisations.
    """
    groups: dict[tuple[str, int], list[CurvePoint]] = defaultdict(list)
    for curve in curves:
        for step, point in enumerate(curve):
            groups[point.strategy, step].append(point)
    return [_row(name, points) for (name, _), points in sorted(groups.items(), key=lambda item: item[0])]


def _row(name: str, points: Sequence[CurvePoint]) -> dict[str, float | int | str]:
    row: dict[str, float | int | str] = {"strategy": name, "realisations": len(points)}
    for what in ("queries", "night", "cost", "positive_fraction"):
        row[what] = float(np.mean([getattr(point, what) for point in points]))
    for metric in METRICS:
        values = np.array([getattr(point, metric) for point in points], float)
        values = values[np.isfinite(values)]
        low, high = np.percentile(values, _INTERVAL) if len(values) else (np.nan, np.nan)
        row |= {
            metric: float(values.mean()) if len(values) else float("nan"),
            f"{metric}_std": float(values.std(ddof=1)) if len(values) > 1 else float("nan"),
            f"{metric}_low": float(low), f"{metric}_high": float(high),
        }  # fmt: skip
    return row


def ends(curves: Curves) -> list[dict[str, float | int | str]]:
    """The last row of each strategy, by falling figure of merit."""
    last = [curve[-1:] for curve in curves if curve]
    return sorted(summary(last), key=lambda row: -float(row["figure_of_merit"]))


def end_difference(curves: Curves, first: str, second: str, metric: str) -> Figure:
    """Mean difference of a metric at the end, second minus first, over the seeds that both have.

    The interval is the central 95 % of bootstrap samples of the seeds; NaN without a common seed.
    """
    by_name: Mapping[str, dict[int, float]] = {
        name: {c[-1].seed: getattr(c[-1], metric) for c in curves if c and c[-1].strategy == name}
        for name in (first, second)
    }
    common = sorted(set(by_name[first]) & set(by_name[second]))
    gaps = np.array([by_name[second][seed] - by_name[first][seed] for seed in common], float)
    if not len(gaps):
        return Figure(float("nan"), float("nan"), float("nan"))
    drawn = np.random.default_rng(0).integers(0, len(gaps), (_BOOTSTRAPS, len(gaps)))
    low, high = np.percentile(gaps[drawn].mean(axis=1), _INTERVAL)
    return Figure(float(gaps.mean()), float(low), float(high))


def in_order(curves: Iterable[Sequence[CurvePoint]], strategies: Sequence[str]) -> list[Sequence[CurvePoint]]:
    """The curves by strategy, in the order given, and seed."""
    return sorted((c for c in curves if c), key=lambda c: (strategies.index(c[0].strategy), c[0].seed))


def labels_to_reach(curves: Curves, strategy: str, metric: str, value: float) -> float | None:
    """Queries after which the mean of a metric has reached a value and stays there; None if it never does."""
    rows = [row for row in summary(curves) if row["strategy"] == strategy]
    means: NDArray[np.float64] = np.array([row[metric] for row in rows], float)
    below = np.flatnonzero(means < value)
    after = int(below[-1]) + 1 if len(below) else 0
    return float(rows[after]["queries"]) if after < len(rows) else None
