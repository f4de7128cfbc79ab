"""Whether cadence and counts alone betray the source of photometry."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from redpoll.learn.errors import DatasetError
from redpoll.learn.extras import needing

_FOLDS = 5
_MIN_OBJECTS = 2
_TREES = 60


def leakage(
    cadence: NDArray[np.float64], sources: NDArray[np.str_], object_ids: NDArray[np.str_], *, seed: int = 0
) -> dict[str, float]:
    """For each source, the AUC with which boosted trees tell its rows from all others, cross-validated by object.

    A source with fewer than two objects, or alone, has NaN: nothing can be measured.

    Parameters
    ----------
    cadence
        Values of shape (n, k); NaN where unknown (`redpoll.learn.cadence.cadence_rows`).
    sources, object_ids
        Source and object of each row.
    seed
        Seed of the folds and of the classifier.

    Raises
    ------
    DatasetError
        If the arrays have different lengths, or scikit-learn is not installed.
    """
    if not len(cadence) == len(sources) == len(object_ids):
        raise DatasetError(f"{len(cadence)} rows of cadence, {len(sources)} sources and {len(object_ids)} objects")
    names = [str(name) for name in np.unique(sources)]
    if len(names) == 2:  # what tells one tells the other
        return dict.fromkeys(names, _auc(cadence, sources == names[0], object_ids, seed))
    return {name: _auc(cadence, sources == name, object_ids, seed) for name in names}


def _auc(cadence: NDArray[np.float64], is_source: NDArray[np.bool_], object_ids: NDArray[np.str_], seed: int) -> float:
    with needing("the test of leakage", "scikit-learn", error=DatasetError):
        from sklearn.ensemble import HistGradientBoostingClassifier
        from sklearn.metrics import roc_auc_score
        from sklearn.model_selection import StratifiedGroupKFold
        from threadpoolctl import threadpool_limits
    n_objects = min(len(np.unique(object_ids[is_source])), len(np.unique(object_ids[~is_source])))
    if n_objects < _MIN_OBJECTS:
        return float("nan")
    folds = StratifiedGroupKFold(min(_FOLDS, n_objects), shuffle=True, random_state=seed)
    score = np.full(len(cadence), np.nan)
    classifier = HistGradientBoostingClassifier(max_iter=_TREES, min_samples_leaf=5, random_state=seed)
    with threadpool_limits(1):  # its threads wait for each other where processors are busy
        for train, test in folds.split(cadence, is_source, object_ids):
            if len(np.unique(is_source[train])) == 2:
                score[test] = classifier.fit(cadence[train], is_source[train]).predict_proba(cadence[test])[:, 1]
    is_known = np.isfinite(score)
    if len(np.unique(is_source[is_known])) < 2:
        return float("nan")
    return float(roc_auc_score(is_source[is_known], score[is_known]))
