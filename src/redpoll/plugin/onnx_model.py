"""Trained models in ONNX format, checked before they are used."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll.errors import ModelError
from redpoll.plugin.isolation import error_text, outcome
from redpoll.plugin.model_card import ModelCard
from redpoll.plugin.node import Node

MAX_MODEL_BYTES = 1 << 28
_TRIED_ROWS = (1, 3)
_ROUNDING = 1e-3


@dataclass(frozen=True, eq=False)
class OnnxModel:
    """A classifier: float32 features of shape (n, k) in, class probabilities of shape (n, classes) out."""

    name: str
    version: str
    n_classes: int
    session: Any = field(repr=False)

    def predict_proba(self, X: NDArray[Any]) -> NDArray[np.float32]:
        """Class probabilities, one row per row of X; ModelError if the output has another shape."""
        name = self.session.get_inputs()[0].name
        found = np.asarray(self.session.run(None, {name: np.ascontiguousarray(X, np.float32)})[-1], np.float32)
        if found.shape != (len(X), self.n_classes):
            raise ModelError(
                f"{self.name}@{self.version} has an output of shape {found.shape} for {len(X)} rows and "
                f"{self.n_classes} classes"
            )
        return found


def open_model(data: bytes, card: ModelCard, nodes: Sequence[Node]) -> OnnxModel:
    """A model from the bytes of its file, opened with one thread and tried on zeros.

    Weights in files beside it are never read.

    Parameters
    ----------
    data
        The ONNX file.
    card
        Its card.
    nodes
        The modules that use it.

    Raises
    ------
    ModelError
        If ONNX Runtime is missing or cannot run it, it does not fit the modules, or its output on zeros is not a
        probability for each class.
    """
    label = f"{card.name}@{card.version}"
    card.check(nodes)
    if not 0 < len(data) <= MAX_MODEL_BYTES:
        raise ModelError(f"{label}: a file of {len(data):,} bytes; expected 1 to {MAX_MODEL_BYTES:,}")
    session, error = outcome(_session, data=data)
    if isinstance(error, ModelError):
        raise error
    if error is not None:
        raise ModelError(f"{label}: not a model that ONNX Runtime can use: {error_text(error)}") from error
    model = OnnxModel(card.name, card.version, len(card.classes), session)
    for n in _TRIED_ROWS:
        _try_zeros(model, n, len(card.features))
    return model


def _try_zeros(model: OnnxModel, n: int, n_features: int) -> None:
    found, error = outcome(model.predict_proba, X=np.zeros((n, n_features), np.float32))
    if isinstance(error, ModelError):
        raise error
    label = f"{model.name}@{model.version}"
    if error is not None:
        raise ModelError(f"{label} fails on {n} rows of {n_features} zeros: {error_text(error)}") from error
    if not ((found >= -_ROUNDING) & (found <= 1 + _ROUNDING)).all():  # NaN too
        raise ModelError(f"{label}: its output on zeros is not a probability: {found[0].tolist()[:10]}")


def _session(data: bytes) -> Any:
    try:
        import onnxruntime  # some 80 MB, needed only where there is a model
    except ImportError as error:
        raise ModelError("trained models need ONNX Runtime: pip install 'redpoll[models]'") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    nowhere = f"{os.devnull}/none"
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", nowhere)
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
