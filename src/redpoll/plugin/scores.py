"""Class probabilities of a trained model for a batch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll.plugin.ports import Model


def class_scores(
    model: Model, *features: NDArray[Any], n_classes: int = 1, where: NDArray[np.bool_] | None = None
) -> NDArray[np.float32]:
    """Probabilities of the model's last `n_classes` classes; NaN for an alert that is not scored.

    Parameters
    ----------
    model
        The module's parameter ``model``.
    features
        One array per feature, in the order the model was trained with, each of length n; NaN where missing.
    where
        Which alerts to score, whatever features they miss, by a model that knows what to do with NaN, as tree
        ensembles do; by default those with all features.

    Returns
    -------
    Array of shape (n,), or (n, n_classes) for more than one class.

    Examples
    --------
    >>> from redpoll.testing.models import FakeModel
    >>> class_scores(FakeModel(), np.array([0.0, np.nan])).tolist()
    [0.5, nan]
    >>> class_scores(FakeModel(), np.array([0.0, np.nan]), where=np.array([False, True])).tolist()
    [nan, 0.5]
    """
    X = np.column_stack([np.asarray(feature, np.float32) for feature in features])
    known = np.isfinite(X).all(axis=1) if where is None else np.asarray(where, bool)
    scores = np.full((len(X), n_classes), np.nan, np.float32)
    if known.any():
        scores[known] = model.predict_proba(X[known])[:, -n_classes:]
    return scores[:, 0] if n_classes == 1 else scores
