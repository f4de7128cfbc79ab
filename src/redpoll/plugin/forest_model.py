"""Tree ensembles as models: scored by compiled code, without another library."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll.errors import ModelError
from redpoll.plugin.forest import LOGISTIC, MEAN, Calibration, Forest
from redpoll.plugin.forest_kernel import FEATURE, LEAF, LEFT, RIGHT, WORDS, add_trees

_Words = tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]
SMALLEST = 1e-7
"""Probabilities below this are this when a calibration takes their logarithm."""


@dataclass(frozen=True, eq=False)
class ForestModel:
    """A classifier: float32 features of shape (n, k) in, class probabilities of shape (n, classes) out.

    The forest must have been checked, as `read_forest` does. NaN is a missing feature.
    """

    name: str
    version: str
    forest: Forest = field(repr=False)

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return self.forest.n_classes

    def predict_proba(self, X: NDArray[Any]) -> NDArray[np.float32]:
        """Class probabilities, one row per row of X; ModelError if X has another number of features."""
        forest = self.forest
        p = _linked(self.sums(X), forest.link, len(forest.roots))
        return (calibrated(p, forest.calibration) if forest.calibration else p).astype(np.float32)

    def sums(self, X: NDArray[Any]) -> NDArray[np.float64]:
        """What the link makes probabilities of, of shape (n, outputs): baseline and the values of the leaves."""
        rows = np.ascontiguousarray(X, np.float32)
        forest = self.forest
        if rows.ndim != 2 or rows.shape[1] != forest.n_features:
            raise ModelError(
                f"{self.name}@{self.version} has {forest.n_features} features; it was given an array of {rows.shape}"
            )
        sums = np.empty((len(rows), forest.n_outputs))
        sums[:] = forest.baseline
        add_trees(rows, *self._words, sums)
        return sums

    @cached_property
    def _words(self) -> _Words:
        """The nodes as the kernel reads them, with what else it needs of the forest."""
        forest = self.forest
        n, is_leaf = len(forest.feature), forest.feature < 0
        nodes, own = np.empty((n, WORDS), np.uint32), np.arange(n)
        nodes[:, LEAF] = np.where(is_leaf, forest.left, forest.threshold.view(np.int32)).view(np.uint32)
        nodes[:, FEATURE] = np.where(is_leaf, 0, forest.feature + forest.n_features * forest.missing_left.astype(int))
        nodes[:, LEFT] = WORDS * np.where(is_leaf, own, forest.left)
        nodes[:, RIGHT] = WORDS * np.where(is_leaf, own, forest.right)
        flat, roots = nodes.ravel(), (WORDS * forest.roots.astype(np.uint32))
        return flat, flat.view(np.float32), roots, forest.columns, forest.values


def calibrated(p: NDArray[np.float64], calibration: Calibration) -> NDArray[np.float64]:
    """Probabilities of shape (n, classes) after vector scaling.

    >>> calibrated(np.array([[0.5, 0.5]]), Calibration((2.0, 1.0), (0.0, 0.0))).round(3).tolist()
    [[0.333, 0.667]]
    """
    return _softmax(np.log(np.clip(p, SMALLEST, 1)) * calibration.scale + calibration.bias)


def _linked(sums: NDArray[np.float64], link: str, n_trees: int) -> NDArray[np.float64]:
    if link == MEAN:
        return sums / n_trees
    return _softmax(np.column_stack([np.zeros(len(sums)), sums]) if link == LOGISTIC else sums)


def _softmax(z: NDArray[np.float64]) -> NDArray[np.float64]:
    weight = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))
