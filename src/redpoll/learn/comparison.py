"""Whether one model is better than another on the same labelled alerts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll.errors import UsageError
from redpoll.learn.features import FeatureTable
from redpoll.learn.judging import Predict, plain_figures
from redpoll.learn.metrics import ERRORS, METRICS, differences, figures

BETTER, WORSE, EVEN = "better", "worse", "no difference"
"""What a comparison of one metric says of the second model."""


def compared(
    first: Predict, second: Predict, table: FeatureTable, target: NDArray[np.str_], classes: tuple[str, ...]
) -> dict[str, Any]:
    """The metrics of two models for each class, and their difference, each with its 95 % interval.

    Parameters
    ----------
    first, second
        Give the probability of each class, "other" first, then `classes`.
    table
        Features of alerts that neither model was trained on.
    target
        The class of each, "other" among them.
    classes
        The classes that the module assigns.

    Returns
    -------
    For each class and metric ``first``, ``second``, ``difference`` (second minus first), each as value, low and high;
    and ``says``: "better" or "worse" of the second if the interval of the difference is above or below zero (for errors
    the reverse), else "no difference".
    """
    if not len(table):
        raise UsageError(f"no labelled alert has the features of {table.model}: there is nothing to compare by")
    p, q = (np.asarray(predict(table.features), np.float64)[:, -len(classes) :] for predict in (first, second))
    return {name: _of_class(target == name, p[:, k], q[:, k], table.object_ids) for k, name in enumerate(classes)}


def _of_class(
    is_class: NDArray[np.bool_], p: NDArray[np.float64], q: NDArray[np.float64], objects: NDArray[np.str_]
) -> dict[str, Any]:
    a, b = (plain_figures(figures(is_class, each, objects)) for each in (p, q))
    difference = plain_figures(differences(is_class, p, q, objects))
    return {
        name: {"first": a[name], "second": b[name], "difference": difference[name],
               "says": verdict(name, difference[name])}
        for name in METRICS
    }  # fmt: skip


def verdict(metric: str, difference: list[float | None]) -> str:
    """What the interval of a difference says of the second model.

    >>> verdict("AUC", [0.02, 0.01, 0.03]), verdict("Brier score", [0.02, 0.01, 0.03]), verdict("AUC", [0.0, -0.1, 0.1])
    ('better', 'worse', 'no difference')
    """
    _, low, high = difference
    sign = -1 if metric in ERRORS else 1
    if low is None or high is None or low <= 0 <= high:
        return EVEN
    return BETTER if sign * low > 0 else WORSE


def is_better(found: Mapping[str, Any], metric: str) -> bool:
    """Whether the second model is better in a metric of one class at least, and worse in that of none."""
    says = {each[metric]["says"] for each in found.values()}
    return BETTER in says and WORSE not in says
