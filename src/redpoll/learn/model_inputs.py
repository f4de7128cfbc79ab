"""The inputs of a trained model: the modules that compute them, and what the module passes to its model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.crossmatch.known_columns import known_columns
from redpoll.errors import ModelError, near
from redpoll.plugin.discovery import installed_modules
from redpoll.plugin.graph import Graph
from redpoll.plugin.node import Node
from redpoll.schema.alert import COLUMNS

Floats32 = NDArray[np.float32]
_SCALE = 2.0**-24
"""Whole numbers below 2**24 times this are exact in float32, and look like probabilities."""


class _Recorder:
    """A model that keeps the rows it is asked to score; their scores are their numbers, scaled."""

    version = "recorder"

    def __init__(self, n_classes: int) -> None:
        self._n_classes = n_classes
        self._rows: list[Floats32] = []
        self._n = 0

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """The number of each row in every class."""
        rows = np.array(X, np.float32)
        numbers = np.arange(self._n, self._n + len(rows))
        self._rows.append(rows)
        self._n += len(rows)
        return np.repeat(numbers[:, None] * _SCALE, self._n_classes, axis=1)

    def take(self) -> Floats32:
        """The rows since the last call, of shape (n, features); none if nothing was scored."""
        rows, self._rows, self._n = self._rows, [], 0
        return np.concatenate(rows) if rows else np.zeros((0, 0), np.float32)


class ModelInputs:
    """Computes the features of a model with the modules that they depend on, and no others.

    Parameters
    ----------
    model
        Name of the model, such as "early_sn_ia".
    modules
        The modules to choose from; by default the installed ones.

    Raises
    ------
    ModelError
        If no module uses a model of this name.

    Examples
    --------
    >>> inputs = ModelInputs("sn_types")
    >>> inputs.maker, inputs.names[:1], [node.name for node in inputs.graph.nodes][-2:]
    ('sn_types@2', ('shape_rise_time',), ['rise_rate', 'sn_types'])
    """

    def __init__(self, model: str, modules: Iterable[Node] | None = None) -> None:
        nodes: list[Node] = list(installed_modules() if modules is None else modules)
        self.module = _user(model, nodes)
        self.names = self.module.features
        self.maker = f"{self.module.name}@{self.module.version}"
        self._recorder = _Recorder(len(self.module.outputs) + 1)
        columns = {**COLUMNS, **known_columns()}
        self.graph = Graph.build(
            needed_modules(self.module, nodes), [], columns=columns, models={model: self._recorder}
        )

    def __call__(self, batch: pa.RecordBatch) -> tuple[Floats32, NDArray[np.bool_], pa.RecordBatch]:
        """Features (n, k), whether the module scores each alert, and the batch with the columns of the modules.

        The features of a scored alert are those that the module passes to the model. Of others they are the columns of
        these names, NaN where null; all NaN if the module computes its features itself.

        Raises
        ------
        ModelError
            If a module failed, or this one changes the scores of its model.
        """
        run = self.graph.run(batch)
        recorded = self._recorder.take()
        if run.failures:
            raise ModelError(
                f"features of {self.maker}: " + "; ".join(f"{n}: {why}" for n, why in run.failures.items())
            )
        features = np.full((batch.num_rows, len(self.names)), np.nan, np.float32)
        if set(self.names) <= set(run.batch.schema.names):
            features = np.column_stack([column_values(run.batch[name]) for name in self.names]).astype(np.float32)
        number = self._numbers(run.batch, len(recorded))
        is_scored = number >= 0
        if is_scored.any():
            features[is_scored] = recorded[number[is_scored]]
        return features, is_scored, run.batch

    def _numbers(self, batch: pa.RecordBatch, n: int) -> NDArray[np.int64]:
        """Which recorded row each alert's score is of; -1 without a score."""
        name = next((name for name in self.module.outputs if pa.types.is_floating(batch.schema.field(name).type)), None)
        if name is None:
            raise ModelError(f"features of {self.maker}: it has no output of floats, so that its scores are not known")
        score = column_values(batch[name]) / _SCALE
        is_known = np.isfinite(score)
        number = np.where(is_known, np.nan_to_num(score), -1)
        whole = number.astype(np.int64)
        if (whole != number).any() or whole.max(initial=-1) >= n or len(set(whole[is_known])) != is_known.sum():
            raise ModelError(f"features of {self.maker}: '{name}' is not the score of its model; pass it on unchanged")
        return whole


def column_values(array: pa.Array) -> NDArray[np.float64]:
    """A column of numbers or booleans as float64, NaN where it is null."""
    return np.asarray(array.cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)


def _user(model: str, nodes: Sequence[Node]) -> Node:
    users = [node for node in nodes if node.model == model]
    if not users:
        known = sorted({node.model for node in nodes if node.model})
        raise ModelError(f"no module uses a model '{model}'{near(model, known)}")
    return users[0]


def needed_modules(module: Node, nodes: Sequence[Node]) -> list[Node]:
    """Those of the nodes that are the module or that it depends on."""
    makers = {output: node for node in nodes for output in node.outputs}
    found: dict[str, Node] = {}
    waiting = [module]
    while waiting:
        node = waiting.pop()
        if node.name not in found:
            found[node.name] = node
            waiting += [makers[name] for name in node.inputs if name in makers]
    return [node for node in nodes if node.name in found]
