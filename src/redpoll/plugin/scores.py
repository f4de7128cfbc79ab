"""Class probabilities of a trained model for a batch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll.plugin.ports import Model


def class_scores(model: Model, *features: NDArray[Any], n_classes: int = 1) -> NDArray[np.float32]:
    """Probabilities of the model's last `n_classes` classes; NaN for an alert with a missing feature.

    Parameters
    ----------
    model
        The module's parameter ``model``.
    features
        One array per feature, in the order the model was trained with, each of length n.

    Returns
    -------
    Array of shape (n,), or (n, n_classes) for more than one class.

    Examples
    --------
    >>> from redpoll.testing.models import FakeModel
    >>> class_scores(FakeModel(), np.array([0.0, np.nan])).tolist()
    [0.5, nan]
    """
    X = np.column_stack([np.asarray(feature, np.float32) for feature in features])
    known = np.isfinite(X).all(axis=1)
    scores = np.full((len(X), n_classes), np.nan, np.float32)
    if known.any():
        scores[known] = model.predict_proba(X[known])[:, -n_classes:]
    return scores[:, 0] if n_classes == 1 else scores
