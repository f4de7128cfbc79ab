"""Which features push the anomaly score of a row up or down."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from redpoll.learn.anomaly_base import Rows
from redpoll.plugin.forest import Forest

Array = NDArray[np.float64]
BACKGROUND = 1000
"""Rows of the base that a node's mean is taken over, evenly spread."""


def contributions(forest: Forest, rows: Rows, base: Rows) -> Array:
    """What each feature adds to the logit of the score of each row, of shape (n, k); positive is more anomalous.

    The value of a node is the mean logit that rows of the base, as far as they get there, find below it. Going to one
    of its children changes that value, and the change is put down to the feature that the node compares. The sum over
    the features is the row's logit less the mean of the base.

    Parameters
    ----------
    forest
        A forest of one output, as `fit_anomaly_forest` makes it.
    rows
        Rows to explain, float32 of shape (n, k), NaN where a feature is missing.
    base
        Rows of the base, float32 of shape (m, k).

    References
    ----------
    Saabas 2014, "Interpreting random forests"; Palczewska et al. 2013, arXiv:1312.1121.
    """
    value = _node_values(forest, base[:: max(1, len(base) // BACKGROUND)])
    found = np.zeros((len(rows), forest.n_features))
    number = np.arange(len(rows))[:, None]
    for node, child in _steps(forest, rows):
        is_inner = forest.feature[node] >= 0
        row = np.broadcast_to(number, node.shape)[is_inner]
        np.add.at(found, (row, forest.feature[node][is_inner]), (value[child] - value[node])[is_inner])
    return found


def pushing(names: tuple[str, ...], row: Rows, added: Array, medians: Rows, n: int = 3) -> list[dict[str, object]]:
    """The features that push a row's score up most, strongest first: name, value, median of the base, logit added."""
    order = [int(i) for i in np.argsort(-added, kind="stable")[:n] if added[i] > 0]
    return [
        {"feature": names[i], "value": _number(row[i]), "median": _number(medians[i]), "adds": float(added[i])}
        for i in order
    ]


def _number(x: np.float32) -> float | None:
    return float(x) if np.isfinite(x) else None


def _node_values(forest: Forest, rows: Rows) -> Array:
    count = np.zeros(len(forest.feature))
    np.add.at(count, np.broadcast_to(forest.roots, (len(rows), len(forest.roots))), 1)
    for node, child in _steps(forest, rows):
        np.add.at(count, child[forest.feature[node] >= 0], 1)
    is_leaf = forest.feature < 0
    value = np.where(is_leaf, forest.values[np.where(is_leaf, forest.left, 0), 0], 0.0)
    for i in np.flatnonzero(~is_leaf)[::-1].tolist():  # children come after their parents
        left, right = forest.left[i], forest.right[i]
        weight = count[left] / (count[left] + count[right]) if count[left] + count[right] else 0.5
        value[i] = weight * value[left] + (1 - weight) * value[right]
    return value


def _steps(forest: Forest, rows: Rows) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Node and the one after it, of shape (rows, trees), from the roots on; a leaf is followed by itself."""
    node = np.broadcast_to(forest.roots.astype(np.int64), (len(rows), len(forest.roots)))
    number = np.arange(len(rows))[:, None]
    while (is_inner := forest.feature[node] >= 0).any():
        x = rows[number, np.where(is_inner, forest.feature[node], 0)]
        goes_left = (x <= forest.threshold[node]) | (np.isnan(x) & (forest.missing_left[node] > 0))
        child = np.where(goes_left, forest.left[node], forest.right[node])
        yield node, (child := np.where(is_inner, child, node).astype(np.int64))
        node = child
