"""How good the probabilities of a classifier are: numbers with intervals by bootstrap over objects."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]
_BINS, _BOOTSTRAPS, _INTERVAL = 15, 200, (2.5, 97.5)
_PENALTY = 3.0


@dataclass(frozen=True)
class Figure:
    """A number with its 95 % interval; NaN where it cannot be computed."""

    value: float
    low: float
    high: float


def auc(is_class: Bools, p: Array, weight: Array) -> float:
    """Area under the curve of true against false alarms; ties count half; NaN if one side is empty.

    >>> auc(np.array([True, True, False]), np.array([0.9, 0.4, 0.4]), np.ones(3))
    0.75
    """
    order = np.argsort(p, kind="stable")
    p, positive, weight = p[order], is_class[order], weight[order]
    starts = np.flatnonzero(np.diff(p, prepend=-np.inf))
    yes, no = (np.add.reduceat(np.where(side, weight, 0.0), starts) for side in (positive, ~positive))
    below = np.cumsum(no) - no
    total = yes.sum() * no.sum()
    return float((yes * (below + 0.5 * no)).sum() / total) if total else float("nan")


def brier(is_class: Bools, p: Array, weight: Array) -> float:
    """Mean squared difference of probability and truth (Brier 1950)."""
    return float(np.average((p - is_class) ** 2, weights=weight))


def calibration_error(is_class: Bools, p: Array, weight: Array) -> float:
    """Expected calibration error: the mean over bins of equal weight of the difference of probability and frequency."""
    order = np.argsort(p, kind="stable")
    p, is_class, weight = p[order], is_class[order], weight[order]
    share = (np.cumsum(weight) - weight / 2) / weight.sum()
    bins = (share * _BINS).astype(int)
    gap = np.bincount(bins, weight * (p - is_class))
    return float(np.abs(gap).sum() / weight.sum())


def efficiency(is_class: Bools, p: Array, weight: Array) -> float:
    """Fraction of the class that has a probability of more than half."""
    return _share(is_class & (p > 0.5), is_class, weight)


def purity(is_class: Bools, p: Array, weight: Array) -> float:
    """Fraction of what has a probability of more than half that is of the class."""
    return _share(is_class & (p > 0.5), p > 0.5, weight)


def figure_of_merit(is_class: Bools, p: Array, weight: Array) -> float:
    """Efficiency times a purity that counts false alarms three times (Kessler et al. 2010, arXiv:1008.1024)."""
    true, false = (float(weight[side & (p > 0.5)].sum()) for side in (is_class, ~is_class))
    return efficiency(is_class, p, weight) * true / (true + _PENALTY * false) if true else 0.0


METRICS: Mapping[str, Callable[[Bools, Array, Array], float]] = {
    "AUC": auc, "efficiency": efficiency, "purity": purity, "figure of merit": figure_of_merit,
    "Brier score": brier, "calibration error": calibration_error,
}  # fmt: skip
"""What is measured of each class."""
ERRORS = ("Brier score", "calibration error")
"""Metrics of which less is better."""


def figures(is_class: Bools, p: Array, objects: NDArray, *, weight: Array | None = None) -> dict[str, Figure]:
    """Every metric of one class, with its interval.

    Parameters
    ----------
    is_class, p
        Truth and probability of each row, shape (n,).
    objects
        Object of each row: the bootstrap draws objects, whose rows are not independent.
    weight
        Weight of each row; by default all objects weigh the same.

    Examples
    --------
    >>> found = figures(np.array([True, False] * 40), np.array([0.9, 0.1] * 40), np.arange(80))
    >>> found["AUC"], round(found["Brier score"].value, 3)
    (Figure(value=1.0, low=1.0, high=1.0), 0.01)
    """
    weight = equal_weights(objects) if weight is None else weight
    drawn = _drawn_rows(objects)
    return {
        name: _with_interval(metric(is_class, p, weight), [metric(is_class, p, weight * times) for times in drawn])
        for name, metric in METRICS.items()
    }


def differences(is_class: Bools, p: Array, q: Array, objects: NDArray) -> dict[str, Figure]:
    """Every metric with probabilities q minus that with p, with the interval of the difference.

    Both are measured on the same drawn objects, so that what makes a sample hard for both does not widen the interval.

    >>> truth, n = np.array([True, False] * 40), np.arange(80)
    >>> differences(truth, np.array([0.4, 0.1] * 40), np.array([0.9, 0.1] * 40), n)["efficiency"]
    Figure(value=1.0, low=1.0, high=1.0)
    """
    weight = equal_weights(objects)
    weights = [weight, *(weight * times for times in _drawn_rows(objects))]
    found = {}
    for name, metric in METRICS.items():
        value, *spread = [metric(is_class, q, w) - metric(is_class, p, w) for w in weights]
        found[name] = _with_interval(value, spread)
    return found


def equal_weights(objects: NDArray) -> Array:
    """Weight of each row with which every object has a weight of one.

    >>> equal_weights(np.array(["a", "b", "b"])).tolist()
    [1.0, 0.5, 0.5]
    """
    _, place, counts = np.unique(objects, return_inverse=True, return_counts=True)
    return np.asarray(1.0 / counts[place])


def reliability(is_class: Bools, p: Array, objects: NDArray, n_bins: int = 10) -> list[dict[str, float]]:
    """Mean probability, frequency and weight in bins of equal width; empty bins are left out."""
    weight, bins = equal_weights(objects), np.minimum((p * n_bins).astype(int), n_bins - 1)
    members = [bins == k for k in np.unique(bins)]
    return [
        {
            "p": float(np.average(p[b], weights=weight[b])),
            "frequency": float(np.average(is_class[b], weights=weight[b])),
            "objects": float(weight[b].sum()),
        }
        for b in members
    ]


def _share(part: Bools, whole: Bools, weight: Array) -> float:
    total = weight[whole].sum()
    return float(weight[part].sum() / total) if total else float("nan")


def _drawn_rows(objects: NDArray) -> list[NDArray[np.int64]]:
    """How often the object of each row is in each of the bootstrap samples."""
    names, place = np.unique(objects, return_inverse=True)
    rng, n = np.random.default_rng(0), len(names)
    return [np.bincount(rng.integers(0, n, n), minlength=n)[place] for _ in range(_BOOTSTRAPS)]


def _with_interval(value: float, spread: Sequence[float]) -> Figure:
    low, high = np.nanpercentile(spread, _INTERVAL) if np.isfinite(spread).any() else (np.nan, np.nan)
    return Figure(value, float(low), float(high))
