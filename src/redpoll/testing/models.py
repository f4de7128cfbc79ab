"""A stand-in for a trained model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class FakeModel:
    """A model that learned nothing: two classes, each row scored by itself, the same every time.

    >>> FakeModel().predict_proba([[0.0, 0.0]])
    array([[0.5, 0.5]])
    """

    version: str = "fake"

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probabilities of two classes, from the logistic function of the sum of each row."""
        total = np.clip(np.asarray(X, np.float64).sum(axis=1), -50, 50)
        p = 1 / (1 + np.exp(-total))
        return np.column_stack([1 - p, p])

    def predict(self, X: Any) -> NDArray[Any]:
        """The more probable class of each row, 0 or 1."""
        classes: NDArray[Any] = np.argmax(self.predict_proba(X), axis=1)
        return classes

    def score_samples(self, X: Any) -> NDArray[np.float64]:
        """A score for each row."""
        return self.predict_proba(X)[:, 1]
