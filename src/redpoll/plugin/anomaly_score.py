"""The score of a personal anomaly model as a column, and which alerts have one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.plugin.columns import Columns
from redpoll.plugin.expression_filter import ExpressionFilter, expression_filter
from redpoll.plugin.model_card import ModelCard
from redpoll.plugin.node import Attempt, unguarded
from redpoll.plugin.scores import class_scores
from redpoll.plugin.signature import check_inputs
from redpoll.schema.column import Column

PREFIX = "anomaly_"
"""Beginning of the names of features of a light curve, and of columns, topics and models of personal anomaly models."""
REGULAR = "regular"
"""The other class of such a model; the first of its card."""
THRESHOLD = 0.5


@dataclass(frozen=True)
class AnomalyScore:
    """A science module that gives the score of one personal anomaly model; used in a graph like any other module.

    Parameters
    ----------
    column
        Name of the column, and of the model in the registry.
    features
        Columns of numbers, in the order of the model.
    """

    column: str
    features: tuple[str, ...]
    version: ClassVar[str] = "1"
    compile_group: ClassVar[None] = None
    is_module: ClassVar[bool] = True
    settings: ClassVar[Mapping[str, Any]] = MappingProxyType({})

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"

    @property
    def name(self) -> str:
        """``score_<column>``: the topic has the name of the column."""
        return f"score_{self.column}"

    @property
    def model(self) -> str:
        """Name of its model: the column."""
        return self.column

    @property
    def doc(self) -> str:
        """What it does."""
        return f"Score of the personal anomaly model '{self.column.removeprefix(PREFIX)}'."

    @property
    def inputs(self) -> tuple[str, ...]:
        """The features."""
        return self.features

    @property
    def reads(self) -> tuple[str, ...]:
        """The features."""
        return self.features

    @property
    def outputs(self) -> Mapping[str, Column]:
        """The column of the score."""
        doc = "0 to 1; 0.5 is exceeded by one in a hundred of the alerts it was made from; null with few detections."
        return {self.column: Column("float32", doc=doc, aggregate="max")}

    def check(self, columns: Mapping[str, Column]) -> None:
        """Raise UnknownColumn if a feature is not among these columns."""
        check_inputs(self.name, self.features, columns)

    def compute(
        self, columns: Columns, settings: Mapping[str, Any], model: Any = None, attempt: Attempt = unguarded
    ) -> dict[str, pa.Array]:
        """The scores of a batch."""
        with np.errstate(all="ignore"):
            X = np.column_stack([np.asarray(columns.numpy(name), np.float32) for name in self.features])
        X[~np.isfinite(X)] = np.nan
        score = class_scores(model, *X.T, where=has_curve(self.features, X))
        return {self.column: pa.array(score, from_pandas=True)}


def has_curve(features: Sequence[str], X: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which rows of X, of shape (n, k), have a score: those with a feature of the light curve, if there are such.

    >>> has_curve(("anomaly_skew", "mag"), np.array([[0.1, np.nan], [np.nan, 18.0]], np.float32)).tolist()
    [True, False]
    """
    of_curve = [i for i, name in enumerate(features) if name.startswith(PREFIX)]
    known = np.isfinite(X[:, of_curve] if of_curve else X)
    return np.asarray(known.any(axis=1))


def personal_node(card: ModelCard) -> AnomalyScore | None:
    """The module of a model's card; None if it is not that of a personal anomaly model."""
    is_personal = card.name.startswith(PREFIX) and card.classes == (REGULAR, card.name)
    return AnomalyScore(card.name, card.features) if is_personal else None


def personal_filter(node: AnomalyScore) -> ExpressionFilter:
    """The filter of the alerts whose score is at least 0.5; its topic is the name of the column."""
    return expression_filter(node.column, f"{node.column} >= {THRESHOLD}")
