"""Training of the models that modules name: trees on the features of labelled alerts, calibrated, judged on others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll.errors import UsageError
from redpoll.learn.extras import needing
from redpoll.learn.metrics import equal_weights
from redpoll.learn.training_set import TrainingSet
from redpoll.plugin.forest import Calibration
from redpoll.schema.taxonomy import taxonomy

Array = NDArray[np.float64]
OTHER = "other"
_FOLDS, _MIN_OBJECTS = 4, 10
_LEAST = 1e-7


@dataclass(frozen=True)
class TrainingOptions:
    """How a model is trained: most rounds of boosting and their rate, fewest rows and most leaves, and the seed."""

    max_rounds: int = 300
    learning_rate: float = 0.06
    min_rows: int = 20
    max_leaves: int = 15
    seed: int = 1


@dataclass(frozen=True)
class Trained:
    """A trained ensemble of trees of scikit-learn, its classes in the order of the card, and its calibration.

    ``rounds`` is the number of rounds of boosting, chosen on objects that were left out.
    """

    estimator: Any
    classes: tuple[str, ...]
    calibration: Calibration
    rounds: int


def class_of(label: str, classes: Sequence[str]) -> str:
    """Which of the model's classes a label is: the class or one of its ancestors, else "other".

    Empty if the label does not decide it: an ancestor of one of the classes, such as "sn" for "sn_ia".

    >>> class_of("sn_ia_91t", ["sn_ia"]), class_of("agn", ["sn_ia"]), class_of("sn", ["sn_ia"]), class_of("", ["sn_ia"])
    ('sn_ia', 'other', '', '')
    """
    tree = taxonomy()
    if label not in tree.classes or any(tree.is_a(name, label) and name != label for name in classes):
        return ""
    return next((name for name in classes if tree.is_a(label, name)), OTHER)


def targets(labels: NDArray[np.str_], assigned: Sequence[str]) -> NDArray[np.str_]:
    """The model's class of each label; empty where the label does not decide it."""
    of = {label: class_of(label, assigned) for label in np.unique(labels).tolist()}
    return np.array([of[label] for label in labels.tolist()], np.str_)


def train(rows: TrainingSet, target: NDArray[np.str_], classes: Sequence[str], options: TrainingOptions) -> Trained:
    """Fit boosted trees on rows of known class, and calibrate them on objects that they were not fitted on.

    Trees stop at the round with the least loss on objects that were left out, in a cross-validation by object, whose
    probabilities also make the calibration. All objects weigh the same, however many alerts they have.

    Raises
    ------
    UsageError
        If a class has fewer than ten objects.
    """
    for name in classes:
        n = len(np.unique(rows.object_ids[target == name]))
        if n < _MIN_OBJECTS:
            raise UsageError(
                f"only {n} objects of class '{name}' have the features of {rows.about['model']}; "
                f"{_MIN_OBJECTS} are needed"
            )
    y = np.array([classes.index(name) for name in target.tolist()])
    weight = equal_weights(rows.object_ids)
    rounds, p = _left_out(rows, y, weight, len(classes), options)
    final = _fitted(rows.features, y, weight, replace(options, max_rounds=rounds))
    return Trained(final, tuple(classes), _calibration(p, y, weight), rounds)


def _fitted(features: NDArray[np.float32], y: NDArray[np.int64], weight: Array, options: TrainingOptions) -> Any:
    with needing("training", "scikit-learn"):
        from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        learning_rate=options.learning_rate, max_iter=options.max_rounds, max_leaf_nodes=options.max_leaves,
        min_samples_leaf=options.min_rows, l2_regularization=1.0, early_stopping=False, random_state=options.seed,
    ).fit(features, y, sample_weight=weight)  # fmt: skip


def _left_out(
    rows: TrainingSet, y: NDArray[np.int64], weight: Array, n_classes: int, options: TrainingOptions
) -> tuple[int, Array]:
    """The number of rounds with the least loss on objects that were left out, and their probabilities there."""
    names, place = np.unique(rows.object_ids, return_inverse=True)
    fold = np.random.default_rng(options.seed).permutation(len(names))[place] % _FOLDS
    p = np.zeros((options.max_rounds, len(y), n_classes), np.float32)
    for k in range(_FOLDS):
        model = _fitted(rows.features[fold != k], y[fold != k], weight[fold != k], options)
        for i, each in enumerate(model.staged_predict_proba(rows.features[fold == k])):
            p[np.ix_([i], fold == k, model.classes_)] = each
    right = np.maximum(p[:, np.arange(len(y)), y], _LEAST)
    best = int(np.argmin(-(np.log(right) * weight).sum(axis=1)))
    return best + 1, p[best].astype(np.float64)


def _calibration(p: Array, y: NDArray[np.int64], weight: Array) -> Calibration:
    """Vector scaling that makes the observed classes most likely (Guo et al. 2017, arXiv:1706.04599)."""
    from scipy.optimize import minimize

    z, k, share = np.log(np.clip(p, _LEAST, 1)), p.shape[1], weight / weight.sum()
    hit = np.eye(k)[y]

    def loss(x: Array) -> tuple[float, Array]:
        logits = z * x[:k] + x[k:]
        logits = logits - logits.max(axis=1, keepdims=True)
        q = np.exp(logits)
        q /= q.sum(axis=1, keepdims=True)
        gap = share[:, None] * (q - hit)
        gradient = np.concatenate([(gap * z).sum(axis=0), gap.sum(axis=0)])
        return float(-(share * np.log(np.maximum(q[np.arange(len(y)), y], 1e-300))).sum()), gradient

    best = minimize(loss, np.concatenate([np.ones(k), np.zeros(k)]), jac=True, method="L-BFGS-B",
                    bounds=[(0.05, 20.0)] * k + [(-20.0, 20.0)] * k)  # fmt: skip
    return Calibration(tuple(best.x[:k].tolist()), tuple((best.x[k:] - best.x[k:].mean()).tolist()))
