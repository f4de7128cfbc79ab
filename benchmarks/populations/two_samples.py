"""How well a classifier separates two samples: 0.5 is not at all, 1 always."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.inspection import permutation_importance
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold
from threadpoolctl import threadpool_limits

Array = NDArray[np.float64]
_FOLDS, _BOOTSTRAPS = 5, 400


@dataclass(frozen=True)
class Separation:
    """Area under the curve, its 95 % interval, and what the AUC loses when a feature is shuffled, largest first."""

    auc: float
    low: float
    high: float
    loss: dict[str, float]


def separation(
    real: list[dict[str, float]], made: list[dict[str, float]], *, groups: list[str] | None = None
) -> Separation:
    """Cross-validated AUC of real against simulated rows.

    The classifier is gradient boosting on the features of a row; the interval is a bootstrap over `groups` (the
    objects; default: each row its own).

    References
    ----------
    Lopez-Paz & Oquab 2017, ICLR, arXiv:1610.06545 (two-sample tests by a classifier).
    """
    names = list(real[0])
    x = np.array([[row[name] for name in names] for row in real + made])
    y = np.repeat([1, 0], [len(real), len(made)])
    group = np.unique(groups or np.arange(len(y)), return_inverse=True)[1]
    with threadpool_limits(1):  # many threads on few cores are slower than one
        score, loss = _held_out(x, y, group)
    low, high = _interval(y, score, group)
    order = np.argsort(-loss)
    return Separation(roc_auc_score(y, score), low, high, {names[k]: float(loss[k]) for k in order})


def _held_out(x: Array, y: NDArray, group: NDArray) -> tuple[Array, Array]:
    """Score of each row by a classifier that has not seen its group; mean loss of AUC by shuffling a feature."""
    score, losses = np.zeros(len(y)), []
    for train, test in StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=0).split(x, y, group):
        model = HistGradientBoostingClassifier(
            max_iter=150, learning_rate=0.05, max_leaf_nodes=8, min_samples_leaf=10, random_state=0
        ).fit(x[train], y[train])
        score[test] = model.predict_proba(x[test])[:, 1]
        losses.append(
            permutation_importance(
                model, x[test], y[test], scoring="roc_auc", n_repeats=3, random_state=0
            ).importances_mean
        )
    return score, np.mean(losses, axis=0)


def _interval(y: NDArray, score: Array, group: NDArray) -> tuple[float, float]:
    """95 % interval of the AUC by drawing groups with replacement, of each sample apart."""
    rng, found = np.random.default_rng(0), []
    sides = [_members(np.flatnonzero(y == side), group) for side in (0, 1)]
    for _ in range(_BOOTSTRAPS):
        drawn = np.concatenate([m[k] for m in sides for k in rng.integers(0, len(m), len(m))])
        found.append(roc_auc_score(y[drawn], score[drawn]))
    low, high = np.percentile(found, [2.5, 97.5])
    return float(low), float(high)


def _members(rows: NDArray, group: NDArray) -> list[NDArray]:
    return [rows[group[rows] == g] for g in np.unique(group[rows])]
