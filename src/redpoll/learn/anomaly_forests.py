"""Forests that score anomalies: fitted by coniferest, and converted to Redpoll's own format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll.errors import UsageError
from redpoll.learn.anomaly_base import AnomalyBase, Rows
from redpoll.learn.extras import needing
from redpoll.plugin.forest import LOGISTIC, Forest
from redpoll.plugin.forest_model import ForestModel

Labels = NDArray[np.int8]
ANOMALY, REGULAR = -1, 1
ISOLATION, AAD, PINE = KINDS = ("isolation_forest", "aad", "pine_forest")
N_TREES, N_SUBSAMPLES = 100, 256
N_SPARE = 1900
"""Trees that a Pine Forest grows and drops."""
RARE = 0.01
"""Fraction of the base's rows whose score is above 0.5."""
_AT_MEDIAN = np.log(0.1 / 0.9)
"""Logit of the score of the base's median row: 0.1."""
_SCALED_BY = 5000
"""Rows of the base that the scale of the scores is taken from, evenly spread."""


def fit_anomaly_forest(base: AnomalyBase, known: Rows, labels: Labels, *, kind: str = AAD, seed: int = 1) -> Forest:
    """A forest whose score grows with how anomalous a row is, as the labels have taught it; the same for the same data.

    Its score of a row, from 0 to 1, is a logistic function of the sum of the leaves' values: 0.5 has one row in a
    hundred of the base above it, and the median row has 0.1. The order of rows is that of coniferest's own scores. A
    feature that is missing counts as the median of the base's rows that have it.

    Parameters
    ----------
    base
        Rows that the trees are grown from.
    known
        Rows that were labelled, float32 of shape (m, k); m may be 0.
    labels
        ANOMALY or REGULAR for each of them. An isolation forest does not use them.
    kind
        ``isolation_forest`` (Liu et al. 2008), ``aad`` (Das et al. 2017, arXiv:1708.09441: weights of the leaves from
        the labels) or ``pine_forest`` (Kornilov et al. 2024, arXiv:2410.17142: of 2,000 trees the 100 that agree best
        with the labels).
    seed
        Seed of the trees.

    Raises
    ------
    UsageError
        If the kind is unknown, or the rows and labels do not fit together.
    RedpollError
        If coniferest is not installed.
    """
    if kind not in KINDS:
        raise UsageError(f"kind '{kind}' of an anomaly model: use one of {', '.join(KINDS)}")
    if known.shape != (len(labels), len(base.names)) or not np.isin(labels, (ANOMALY, REGULAR)).all():
        raise UsageError(
            f"known rows of {known.shape} and {len(labels)} labels ({ANOMALY} or {REGULAR}) do not fit a "
            f"base of {len(base.names)} features"
        )
    fitted = _fitters()[kind](
        base.filled, base.fill(known), labels.astype(np.int64), int(seed), min(N_SUBSAMPLES, len(base.rows))
    )
    return _calibrated(_converted(*fitted, base.medians), base.filled)


def anomaly_sums(forest: Forest, rows: NDArray[Any]) -> NDArray[np.float64]:
    """Logits of the scores of rows of shape (n, k), which never become equal by rounding; larger is more anomalous."""
    return ForestModel("anomaly", "sums", forest).sums(rows)[:, 0]


_Fitted = tuple[Sequence[Any], NDArray[np.float64]]
"""Trees of coniferest, and the value of each leaf, in their order; larger is more anomalous."""


def _fitters() -> dict[str, Callable[..., _Fitted]]:
    return {ISOLATION: _isolation, AAD: _aad, PINE: _pine}


def _isolation(rows: Rows, known: Rows, labels: Labels, seed: int, n: int) -> _Fitted:
    forest = _coniferest().IsolationForest(N_TREES, n, n_jobs=1, random_seed=seed).fit(rows)
    return _by_depth(forest.core_forest)


def _pine(rows: Rows, known: Rows, labels: Labels, seed: int, n: int) -> _Fitted:
    forest = _coniferest().PineForest(N_TREES, n, n_spare_trees=N_SPARE, n_jobs=1, random_seed=seed)
    forest.fit_known(rows, known, labels)
    return _by_depth(forest.core_forest)


def _aad(rows: Rows, known: Rows, labels: Labels, seed: int, n: int) -> _Fitted:
    forest = _coniferest().AADForest(N_TREES, n, n_jobs=1, random_seed=seed).fit(rows)
    if len(known):
        forest.fit_known(rows[:1], known, labels)  # the trees are grown; without a budget no other row is looked at
    evaluator = forest.evaluator
    return list(forest.core_forest), -evaluator.weights * evaluator.leaf_values


def _by_depth(trees: Iterable[Any]) -> _Fitted:
    """A row is the more anomalous the sooner it is alone."""
    trees = list(trees)
    return trees, -np.concatenate([tree.leaf_values() for tree in trees]).astype(np.float64)


def _coniferest() -> Any:
    with needing("an anomaly model", "coniferest"):
        from coniferest import aadforest, isoforest, pineforest
    return SimpleNamespace(
        AADForest=aadforest.AADForest, IsolationForest=isoforest.IsolationForest, PineForest=pineforest.PineForest
    )


def _converted(trees: Sequence[Any], values: NDArray[np.float64], middle: NDArray[np.float32]) -> Forest:
    """The trees in the format of Redpoll; a missing feature goes where the median goes."""
    sizes, n_leaves = ([getattr(tree, name) for tree in trees] for name in ("n_nodes", "n_leaves"))
    roots, first = np.cumsum([0, *sizes[:-1]]), np.cumsum([0, *n_leaves[:-1]])
    left = np.concatenate([tree.left for tree in trees]).astype(np.int64)
    feature = np.concatenate([tree.feature for tree in trees]).astype(np.int64)
    threshold = np.concatenate([tree.value for tree in trees]).astype(np.float32)
    is_leaf = left == 0
    child, leaf = left + np.repeat(roots, sizes), feature + np.repeat(first, sizes)
    shared, row = np.unique(values.astype(np.float32), return_inverse=True)
    missing_left = middle[np.where(is_leaf, 0, feature)] <= threshold
    return Forest(
        LOGISTIC, len(middle), 2, (0.0,),
        np.where(is_leaf, -1, feature).astype(np.int16), np.where(is_leaf, 0, threshold).astype(np.float32),
        np.where(is_leaf, row[np.where(is_leaf, leaf, 0)], child).astype(np.int32),
        np.where(is_leaf, 0, child + 1).astype(np.int32), np.where(is_leaf, 0, missing_left).astype(np.uint8),
        shared[:, None], roots.astype(np.int32), np.zeros(len(trees), np.int32),
    )  # fmt: skip


def _calibrated(forest: Forest, rows: Rows) -> Forest:
    """The forest whose sums are the logits that `fit_anomaly_forest` describes."""
    sums = anomaly_sums(forest, rows[:: max(1, len(rows) // _SCALED_BY)])
    high, median = np.quantile(sums, 1 - RARE), np.median(sums)
    scale = -_AT_MEDIAN / (high - median) if high > median else 1.0
    values = (forest.values.astype(np.float64) * scale).astype(np.float32)
    return replace(forest, values=values, baseline=(float(-high * scale),))
