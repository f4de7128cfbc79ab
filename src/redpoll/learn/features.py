"""Training rows: the features of labelled alerts, in the order of the module that uses the model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.learn.cadence import cadence_rows
from redpoll.learn.context_columns import without_catalogues
from redpoll.learn.dataset import Dataset
from redpoll.learn.errors import DatasetError
from redpoll.learn.model_inputs import ModelInputs, column_values
from redpoll.plugin.node import Node
from redpoll.schema.light_curve import LightCurves

Texts = NDArray[np.str_]
CONTEXT = ("age", "n_points", "n_detections", "history_days", "rainbow_rise_phase", "shape_phase", "mag")
"""Columns that are kept beside the features; NaN where no module makes them."""


@dataclass(frozen=True)
class FeatureTable:
    """Features of labelled alerts: one row an alert in each array.

    Parameters
    ----------
    model, maker, names
        The model, the module that uses it as ``module@version``, and its features in their order.
    features
        float32 of shape (n, k); NaN where unknown.
    is_scored
        Whether the module asks its model for a score.
    labels, object_ids
        Class in the taxonomy, empty if unknown, and object.
    surveys, sources
        Survey of the alert, and name of the data set.
    mjd
        Time of the alert [MJD TAI].
    context
        Values of shape (n, len(CONTEXT)) that are no features.
    cadence
        Cadence and counts of the light curve, (n, len(CADENCE)).
    """

    model: str
    maker: str
    names: tuple[str, ...]
    features: NDArray[np.float32]
    is_scored: NDArray[np.bool_]
    labels: Texts
    object_ids: Texts
    surveys: Texts
    sources: Texts
    mjd: NDArray[np.float64]
    context: NDArray[np.float64]
    cadence: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.features)

    def take(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> FeatureTable:
        """Some of the rows, by number or by mask."""
        return FeatureTable(self.model, self.maker, self.names, *(getattr(self, name)[rows] for name in _ARRAYS))


_ARRAYS = (
    "features", "is_scored", "labels", "object_ids", "surveys", "sources", "mjd", "context", "cadence",
)  # fmt: skip


def feature_rows(dataset: Dataset, model: str, *, modules: Iterable[Node] | None = None) -> FeatureTable:
    """The features of a model for every alert of a data set, computed as in a run.

    Only the modules that the model's module depends on run, without cuts of quality and without cross-match: of
    catalogues a module sees what the data set has.

    Parameters
    ----------
    dataset
        Labelled alerts.
    model
        Name of a model, such as "early_sn_ia".
    modules
        Modules to choose from; by default the installed ones.

    Raises
    ------
    ModelError
        If no module uses the model, or a module fails.
    DatasetError
        If the data set has no alerts.

    Examples
    --------
    >>> from redpoll.learn.dataset import open_dataset
    >>> table = feature_rows(open_dataset("simulate://ztf?alerts=30"), "kilonova")
    >>> table.features.shape[1] == len(table.names), table.features.dtype.name, table.maker
    (True, 'float32', 'kilonova_score@1')
    """
    return features_of_models(dataset, [model], modules=modules)[0]


def features_of_models(
    dataset: Dataset, models: Sequence[str], *, modules: Iterable[Node] | None = None
) -> list[FeatureTable]:
    """The features of several models, in their order, as `feature_rows` gives them; the data set is read once."""
    nodes = None if modules is None else list(modules)
    inputs = [ModelInputs(model, nodes) for model in models]
    parts: list[list[FeatureTable]] = [[] for _ in models]
    for batch, labels, objects in dataset:
        for found, each, model in zip(parts, inputs, models, strict=True):
            if batch.num_rows:
                arrays = _rows(each, dataset.name, batch, labels, objects)
                found.append(FeatureTable(model, each.maker, each.names, *arrays))
    if not all(parts):
        raise DatasetError(f"{dataset.name}: has no labelled alerts; an object needs a detection to have one")
    return [joined_features(found) for found in parts]


def joined_features(tables: Sequence[FeatureTable]) -> FeatureTable:
    """The rows of several tables of one model, one after the other; DatasetError if their features differ."""
    first = tables[0]
    for table in tables[1:]:
        if (table.model, table.maker, table.names) != (first.model, first.maker, first.names):
            raise DatasetError(f"features of {table.maker} and of {first.maker} cannot be joined; compute them again")
    arrays = (np.concatenate([getattr(table, name) for table in tables]) for name in _ARRAYS)
    return FeatureTable(first.model, first.maker, first.names, *arrays)


def _rows(
    inputs: ModelInputs, source: str, batch: pa.RecordBatch, labels: Texts, objects: Texts
) -> tuple[NDArray, ...]:
    """The arrays of one batch, in the order of _ARRAYS."""
    features, is_scored, made = inputs(without_catalogues(batch))
    n = made.num_rows
    known = set(made.schema.names)
    context = [column_values(made[name]) if name in known else np.full(n, np.nan) for name in CONTEXT]
    return (
        features, is_scored, labels, objects, np.array(made["survey"].to_pylist()), np.full(n, source),
        column_values(made["mjd"]), np.column_stack(context), cadence_rows(LightCurves.from_arrow(made["light_curve"])),
    )  # fmt: skip
