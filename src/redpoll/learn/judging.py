"""How good a model is on labelled alerts: figures of each class, by magnitude and age, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll.errors import UsageError
from redpoll.learn.features import CONTEXT, FeatureTable
from redpoll.learn.metrics import Figure, equal_weights, figures, reliability

_BY = {"n_points": (0, 6, 10, 20, 10_000), "age": (0, 5, 15, 40, 100_000)}
"""Columns by which the figures are given apart, and the edges of their bins."""
_MIN_OBJECTS = 10
Predict = Callable[[NDArray[Any]], NDArray[Any]]


def judged(predict_proba: Predict, table: FeatureTable, target: NDArray[np.str_]) -> dict[str, Any]:
    """Figures of a model, as a card holds them: plain numbers, each with its 95 % interval by bootstrap over objects.

    Parameters
    ----------
    predict_proba
        Gives the probability of each class, "other" first, then those that the module assigns.
    table
        Features of alerts that the model was not trained on; all are scored.
    target
        The model's class of each.

    Returns
    -------
    ``classes``: for each class its metrics, reliability and the same metrics in bins of `n_points` and `age`;
    ``accuracy``; ``confusion``: rows by true class, counted in objects (each weighs one).
    """
    if not len(table):
        raise UsageError(f"no labelled alert has the features of {table.model}: there is nothing to judge by")
    p = np.asarray(predict_proba(table.features), np.float64)
    names = _names(table, target, p.shape[1])
    weight = equal_weights(table.object_ids)
    chosen = p.argmax(axis=1)
    truth = np.array([names.index(name) for name in target.tolist()])
    return {
        "alerts": len(table), "objects": len(np.unique(table.object_ids)),
        "accuracy": float(np.average(chosen == truth, weights=weight)),
        "classes": {name: _of_class(table, truth == k, p[:, k]) for k, name in enumerate(names) if k},
        "confusion": {
            "classes": names,
            "objects": [
                [round(float(weight[(truth == i) & (chosen == j)].sum()), 1) for j in range(len(names))]
                for i in range(len(names))
            ],
        },
    }  # fmt: skip


def _names(table: FeatureTable, target: NDArray[np.str_], n: int) -> list[str]:
    from redpoll.learn.model_inputs import ModelInputs

    outputs = ModelInputs(table.model).module.outputs.items()
    names = ["other", *(column.assigns or name for name, column in outputs)]
    if len(names) != n or set(target.tolist()) - set(names):
        raise UsageError(f"a model of {n} classes cannot be judged by {', '.join(names)}")
    return names


def _of_class(table: FeatureTable, is_class: NDArray[np.bool_], p: NDArray[np.float64]) -> dict[str, Any]:
    objects = table.object_ids
    found: dict[str, Any] = {"metrics": plain_figures(figures(is_class, p, objects)),
                             "reliability": reliability(is_class, p, objects), "by": {}}  # fmt: skip
    for name, edges in _BY.items():
        values = table.context[:, CONTEXT.index(name)]
        parts = {f"{low} to {high}": (values >= low) & (values < high) for low, high in pairwise(edges)}
        found["by"][name] = {
            label: plain_figures(figures(is_class[rows], p[rows], objects[rows])) | {"objects": n}
            for label, rows in parts.items()
            if (n := len(np.unique(objects[rows]))) >= _MIN_OBJECTS
        }
    return found


def plain_figures(found: Mapping[str, Figure]) -> dict[str, list[float | None]]:
    """Numbers as JSON holds them: null where there is none."""
    return {
        name: [None if np.isnan(x) else round(x, 4) for x in (figure.value, figure.low, figure.high)]
        for name, figure in found.items()
    }
