"""What must hold of a tree ensemble before rows are scored: then no index leaves its array and no path is endless."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from redpoll.errors import ModelError
from redpoll.plugin.forest import LINKS, LOGISTIC, MEAN, SOFTMAX, Forest
from redpoll.plugin.forest_kernel import depths

MAX_WIDTH = 10_000
"""Features, and classes."""
MAX_STEPS = 1_000_000
"""Comparisons and additions for one row: a few milliseconds."""
MAX_NUMBER = 1e6
"""Magnitude of the numbers of baseline and calibration."""
_ROUNDING = 1e-3


def check_forest(forest: Forest) -> None:
    """Raise ModelError with what is wrong, unless the ensemble can be scored.

    The arrays must have the types and numbers of dimensions that `Forest` declares.
    """
    for problem in _problems(forest):
        raise ModelError(f"the tree ensemble cannot be used: {problem}")


def _problems(forest: Forest) -> Iterator[str]:
    """Problems, each found on the condition that there is none before it."""
    yield from _problems_of_numbers(forest)
    yield from _problems_of_sizes(forest)
    yield from _problems_of_nodes(forest)
    yield from _problems_of_values(forest)
    steps = int(depths(forest.feature, forest.left, forest.right, forest.roots).sum()) + forest.columns.size * (
        1 + forest.values.shape[1]
    )
    if steps > MAX_STEPS:
        yield f"{steps:,} steps for one row; at most {MAX_STEPS:,} are allowed"


def _problems_of_numbers(forest: Forest) -> Iterator[str]:
    if forest.link not in LINKS:
        yield f"the link is none of {', '.join(LINKS)}"
    for name in ("n_features", "n_classes"):
        if not 0 < getattr(forest, name) <= MAX_WIDTH:
            yield f"{name} is not between 1 and {MAX_WIDTH:,}"
    if (forest.link == LOGISTIC and forest.n_classes != 2) or (forest.link == SOFTMAX and forest.n_classes < 2):
        yield f"{forest.n_classes} classes for the link {forest.link}"
    if len(forest.baseline) != forest.n_outputs or not _are_moderate(forest.baseline):
        yield "baseline is not one moderate number for each output"
    if forest.link == MEAN and any(forest.baseline):
        yield "a mean has no baseline"
    for name, numbers in vars(forest.calibration).items() if forest.calibration else ():
        if len(numbers) != forest.n_classes or not _are_moderate(numbers):
            yield f"the calibration's {name} is not one moderate number for each class"


def _are_moderate(numbers: tuple[float, ...]) -> bool:
    return all(math.isfinite(x) and abs(x) <= MAX_NUMBER for x in numbers)


def _problems_of_sizes(forest: Forest) -> Iterator[str]:
    n = len(forest.feature)
    if any(len(nodes) != n for nodes in (forest.threshold, forest.left, forest.right, forest.missing_left)):
        yield "arrays of nodes have different lengths"
    if len(forest.columns) != len(forest.roots):
        yield "roots and columns have different lengths"
    if not (n and len(forest.roots) and forest.values.size):
        yield "it has no tree, node or leaf value"


def _problems_of_nodes(forest: Forest) -> Iterator[str]:
    n, feature, is_leaf = len(forest.feature), forest.feature, forest.feature < 0
    if feature.min() < -1 or feature.max() >= forest.n_features:
        yield f"a node compares a feature that is none of {forest.n_features}"
    if np.isnan(forest.threshold).any():
        yield "a threshold is NaN"
    if forest.missing_left.max() > 1:
        yield "missing_left is neither 0 nor 1"
    rows = forest.left[is_leaf]
    if rows.size and (rows.min() < 0 or rows.max() >= len(forest.values)):
        yield "a leaf has values outside of the file"
    own = np.flatnonzero(~is_leaf)
    for children in (forest.left[own], forest.right[own]):
        if (children <= own).any() or (children >= n).any():
            yield "a child is not a node after its parent"
    if forest.roots.min() < 0 or forest.roots.max() >= n:
        yield "a root is not a node"


def _problems_of_values(forest: Forest) -> Iterator[str]:
    values, width = forest.values, forest.values.shape[1]
    if width > forest.n_outputs or forest.columns.min() < 0 or forest.columns.max() > forest.n_outputs - width:
        yield f"a tree adds to an output that is none of {forest.n_outputs}"
    if not np.isfinite(values).all():
        yield "a leaf value is not finite"
    if forest.link != MEAN:
        return
    sums = values.sum(axis=1, dtype=np.float64)
    if width != forest.n_classes or values.min() < 0 or (np.abs(sums - 1) > _ROUNDING).any():
        yield "the values of a leaf are not a probability for each class"
