"""Classifiers that are quick to fit, for experiments that fit them thousands of times."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from redpoll.errors import ModelError, UsageError, near
from redpoll.learn.extras import needing

Array = NDArray[np.float64]
Floats32 = NDArray[np.float32]
Ints = NDArray[np.int64]
_MEMBERS = 10


class Committee(Protocol):
    """A fitted classifier as a committee."""

    def __call__(self, X: Floats32) -> Array:
        """Probability of each class by each member, shape (m, n, k)."""
        ...


class Learner(Protocol):
    """Fits a classifier."""

    def __call__(self, X: Floats32, y: Ints, weight: Array, n_classes: int, seed: int, *, trees: int) -> Committee:
        """Fit features (n, f) and the number of the class of each row, of `n_classes`; rows have weights."""
        ...


def forest(X: Floats32, y: Ints, weight: Array, n_classes: int, seed: int, *, trees: int) -> Committee:
    """A random forest; its committee has ten members, each of a tenth of the trees.

    Single trees would vote for one class without doubt, and BALD could not tell disagreement from doubt.
    """
    from sklearn.ensemble import RandomForestClassifier

    fitted = RandomForestClassifier(trees, random_state=seed).fit(X, y, sample_weight=weight)
    classes, members = fitted.classes_, min(_MEMBERS, trees)
    groups = np.array_split(np.arange(trees), members)

    def probabilities(X: Floats32) -> Array:
        p = np.zeros((members, len(X), n_classes))
        for k, group in enumerate(groups):
            votes = sum(fitted.estimators_[tree].tree_.predict(X) for tree in group.tolist())
            p[k][:, classes] = votes / votes.sum(axis=1, keepdims=True)
        return p

    return probabilities


def boosting(X: Floats32, y: Ints, weight: Array, n_classes: int, seed: int, *, trees: int) -> Committee:
    """Boosted trees of eight leaves: a committee of one."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    fitted = HistGradientBoostingClassifier(
        max_iter=trees, max_leaf_nodes=8, min_samples_leaf=5, early_stopping=False, random_state=seed
    ).fit(X, y, sample_weight=weight)

    def probabilities(X: Floats32) -> Array:
        p = np.zeros((1, len(X), n_classes))
        p[0][:, fitted.classes_] = fitted.predict_proba(X)
        return p

    return probabilities


LEARNERS: Mapping[str, Learner] = {"forest": forest, "boosting": boosting}
"""Learners by name."""


def learner_of(name: str) -> Learner:
    """The learner of a name; UsageError if there is none, ModelError without scikit-learn."""
    if name not in LEARNERS:
        raise UsageError(f"there is no learner '{name}'{near(name, LEARNERS)}")
    with needing("learning", "scikit-learn", error=ModelError):
        import_module("sklearn")
    return LEARNERS[name]
