"""Fakes of trained models: as an object, and as an ONNX file with its card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class FakeModel:
    """A deterministic model of a few classes that scores each row independently.

    >>> FakeModel().predict_proba([[0.0, 0.0]])
    array([[0.5, 0.5]])
    """

    version: str = "fake"
    n_classes: int = 2

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Class probabilities, increasing with the sum of the row for later classes; NaN counts as 0."""
        total = np.clip(np.nansum(np.asarray(X, np.float64), axis=1), -50, 50)
        weight = np.exp(np.outer(total, np.arange(self.n_classes) / (self.n_classes - 1)))
        return np.asarray(weight / weight.sum(axis=1, keepdims=True))


def linear_onnx(weights: Sequence[Sequence[float]], bias: Sequence[float]) -> bytes:
    """ONNX file of ``softmax(X @ weights + bias)``, of k rows and as many columns as classes; it needs ``onnx``.

    Zero weights give the same probabilities for every alert:

    >>> len(linear_onnx([[0, 0]], [0, 1])) > 100
    True
    """
    from onnx import TensorProto, helper

    W = np.asarray(weights, np.float32)
    shapes = [
        helper.make_tensor_value_info(n, TensorProto.FLOAT, [None, k]) for n, k in zip("Xp", W.shape, strict=True)
    ]
    graph = helper.make_graph(
        [helper.make_node("Gemm", ["X", "W", "b"], ["z"]), helper.make_node("Softmax", ["z"], ["p"], axis=1)],
        "linear",
        shapes[:1],
        shapes[1:],
        [helper.make_tensor("W", TensorProto.FLOAT, W.shape, W.ravel()),
         helper.make_tensor("b", TensorProto.FLOAT, W.shape[1:], np.asarray(bias, np.float32))],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    data: bytes = model.SerializeToString()
    return data
