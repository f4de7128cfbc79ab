"""A tree ensemble as arrays: random forests and gradient boosting alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MEAN, LOGISTIC, SOFTMAX = LINKS = ("mean", "logistic", "softmax")


@dataclass(frozen=True)
class Calibration:
    """Vector scaling of probabilities p: softmax(scale * log(p) + bias), with a scale and a bias for each class."""

    scale: tuple[float, ...]
    bias: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Forest:
    """Trees of n nodes in all, and l rows of w leaf values each.

    A row of features x goes from node i to ``left[i]`` if ``x[feature[i]] <= threshold[i]``, compared as float32, or if
    it is NaN and ``missing_left[i]``; else to ``right[i]``. Children come after their parent. A leaf has the feature -1
    and the index of its values in ``left``. Several leaves may have the same values.

    Tree j begins at the node ``roots[j]``, and its w values are added to the outputs from number ``columns[j]`` on. The
    outputs are added to ``baseline``, one for each, and the link makes probabilities of them: ``mean`` divides by the
    number of trees; ``logistic`` takes one output, of the second of two classes; ``softmax`` takes one for each class.
    """

    link: str
    n_features: int
    n_classes: int
    baseline: tuple[float, ...]
    feature: NDArray[np.int16]
    threshold: NDArray[np.float32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    missing_left: NDArray[np.uint8]
    values: NDArray[np.float32]
    roots: NDArray[np.int32]
    columns: NDArray[np.int32]
    calibration: Calibration | None = None

    @property
    def n_outputs(self) -> int:
        """Number of sums that the trees add to."""
        return 1 if self.link == LOGISTIC else self.n_classes
