"""Tree ensembles of scikit-learn as files that the registry takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll.errors import ModelError
from redpoll.plugin.forest import LOGISTIC, MEAN, SOFTMAX, Calibration, Forest
from redpoll.plugin.forest_file import write_forest


def forest_file(estimator: Any, calibration: Calibration | None = None) -> bytes:
    """The file of a trained ensemble in Redpoll's own format: same probabilities for the same float32 features.

    Parameters
    ----------
    estimator
        A trained RandomForestClassifier, ExtraTreesClassifier or HistGradientBoostingClassifier, whose classes are in
        the order of the card.
    calibration
        Vector scaling of its probabilities; by default none.

    Raises
    ------
    ModelError
        If it is another estimator, is not trained, has several outputs or splits on categories.

    Examples
    --------
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> forest = RandomForestClassifier(10, random_state=1).fit([[0], [1], [2]], ["other", "sn_ia", "sn_ia"])
    >>> forest_file(forest)[:8]
    b'RPFOREST'
    """
    from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier, RandomForestClassifier

    if not hasattr(estimator, "classes_"):
        raise ModelError(f"{type(estimator).__name__} is not a trained classifier")
    if isinstance(estimator, RandomForestClassifier | ExtraTreesClassifier):
        return write_forest(_of_bagging(estimator, calibration))
    if isinstance(estimator, HistGradientBoostingClassifier):
        return write_forest(_of_boosting(estimator, calibration))
    raise ModelError(
        f"{type(estimator).__name__} cannot be written: a RandomForestClassifier, an ExtraTreesClassifier or a "
        "HistGradientBoostingClassifier can"
    )


@dataclass(frozen=True)
class _Tree:
    """Nodes of one tree, children numbered within it, and the values of its leaves in the order of the nodes."""

    feature: NDArray[Any]
    threshold: NDArray[np.float64]
    left: NDArray[Any]
    right: NDArray[Any]
    missing_left: NDArray[Any]
    values: NDArray[Any]


def _of_bagging(estimator: Any, calibration: Calibration | None) -> Forest:
    if estimator.n_outputs_ != 1:
        raise ModelError(f"the forest has {estimator.n_outputs_} outputs; only one can be written")
    trees = []
    for tree in (each.tree_ for each in estimator.estimators_):
        votes = tree.value[tree.children_left < 0, 0]
        trees.append(
            _Tree(np.where(tree.children_left < 0, -1, tree.feature), tree.threshold, tree.children_left,
                  tree.children_right, tree.missing_go_to_left, votes / votes.sum(axis=1, keepdims=True))
        )  # fmt: skip
    n_classes = len(estimator.classes_)
    return _forest(trees, MEAN, estimator.n_features_in_, [0.0] * n_classes, [0] * len(trees), calibration)


def _of_boosting(estimator: Any, calibration: Calibration | None) -> Forest:
    if estimator.is_categorical_ is not None and estimator.is_categorical_.any():
        raise ModelError("the trees split on categories; only numbers can be written")
    trees, columns = [], []
    for round_of_trees in estimator._predictors:
        for column, predictor in enumerate(round_of_trees):
            nodes = predictor.nodes
            is_leaf = nodes["is_leaf"].astype(bool)
            trees.append(
                _Tree(np.where(is_leaf, -1, nodes["feature_idx"]), nodes["num_threshold"], nodes["left"],
                      nodes["right"], nodes["missing_go_to_left"], nodes["value"][is_leaf, None])
            )  # fmt: skip
            columns.append(column)
    baseline = estimator._baseline_prediction.ravel().tolist()
    link = LOGISTIC if len(baseline) == 1 else SOFTMAX
    return _forest(trees, link, estimator.n_features_in_, baseline, columns, calibration)


def _forest(
    trees: list[_Tree], link: str, n_features: int, baseline: list[float], columns: list[int],
    calibration: Calibration | None,
) -> Forest:  # fmt: skip
    """The trees one after the other; leaves of equal values share them, as most leaves of a full-grown forest do."""
    sizes = [len(tree.feature) for tree in trees]
    roots = np.cumsum([0, *sizes[:-1]])
    feature = _joined(trees, "feature")
    is_leaf, first = feature < 0, np.repeat(roots, sizes)
    values, rows = np.unique(_joined(trees, "values").astype(np.float32), axis=0, return_inverse=True)
    left, right = (np.where(is_leaf, 0, _joined(trees, name).astype(np.int64) + first) for name in ("left", "right"))
    left[is_leaf] = rows.ravel()
    return Forest(
        link, int(n_features), max(len(baseline), 2) if link == LOGISTIC else len(baseline), tuple(baseline),
        feature.astype(np.int16), np.where(is_leaf, 0, _rounded_down(_joined(trees, "threshold"))).astype(np.float32),
        left.astype(np.int32), right.astype(np.int32),
        np.where(is_leaf, 0, _joined(trees, "missing_left")).astype(np.uint8),
        values, roots.astype(np.int32), np.array(columns, np.int32), calibration,
    )  # fmt: skip


def _joined(trees: Sequence[_Tree], name: str) -> NDArray[Any]:
    return np.concatenate([getattr(tree, name) for tree in trees])


def _rounded_down(threshold: NDArray[np.float64]) -> NDArray[np.float32]:
    """The largest float32 that is not above each threshold: no float32 lies between, so that none changes its side."""
    with np.errstate(over="ignore"):
        near = threshold.astype(np.float32)
    return np.where(near > threshold, np.nextafter(near, np.float32(-np.inf)), near)
