"""Files of trained models: tree ensembles in Redpoll's own format, or ONNX; checked before they are used."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from redpoll.errors import ModelError
from redpoll.plugin.forest_file import is_forest, read_forest
from redpoll.plugin.forest_model import ForestModel
from redpoll.plugin.isolation import error_text, outcome
from redpoll.plugin.model_card import ModelCard
from redpoll.plugin.node import Node
from redpoll.plugin.onnx_model import OnnxModel, onnx_session

MAX_MODEL_BYTES = 1 << 28
OpenModel = ForestModel | OnnxModel
_TRIED_ROWS = (1, 3)
_ROUNDING = 1e-3


def open_model(data: bytes, card: ModelCard, nodes: Sequence[Node]) -> OpenModel:
    """A model from the bytes of its file, opened with one thread and tried on zeros and on missing features.

    The first bytes say which format it is. Weights in files beside it are never read.

    Parameters
    ----------
    data
        The file.
    card
        Its card.
    nodes
        The modules that use it.

    Raises
    ------
    ModelError
        If it is broken or ONNX Runtime is missing, it does not fit the modules, its output on zeros is not a
        probability for each class, or its output on NaN is neither that nor NaN.
    """
    label = f"{card.name}@{card.version}"
    card.check(nodes)
    if not 0 < len(data) <= MAX_MODEL_BYTES:
        raise ModelError(f"{label}: a file of {len(data):,} bytes; expected 1 to {MAX_MODEL_BYTES:,}")
    model = _opened(data, card, label)
    for n in _TRIED_ROWS:
        _try(model, np.zeros((n, len(card.features)), np.float32), "zeros")
    _try(model, np.full((1, len(card.features)), np.nan, np.float32), "NaN")
    return model


def _opened(data: bytes, card: ModelCard, label: str) -> OpenModel:
    if is_forest(data):
        try:
            return _fitting(ForestModel(card.name, card.version, read_forest(data)), card)
        except ModelError as problem:
            raise ModelError(f"{label}: {problem}") from problem
    session, error = outcome(onnx_session, data=data)
    if isinstance(error, ModelError):
        raise error
    if error is not None:
        raise ModelError(f"{label}: not a model that ONNX Runtime can use: {error_text(error)}") from error
    return OnnxModel(card.name, card.version, len(card.classes), session)


def _fitting(model: ForestModel, card: ModelCard) -> ForestModel:
    """The model, if it has as many features and classes as the card."""
    has, needs = (model.forest.n_features, model.n_classes), (len(card.features), len(card.classes))
    if has != needs:
        raise ModelError(f"the file has (features, classes) = {has}; the card has {needs}")
    return model


def _try(model: OpenModel, X: np.ndarray, what: str) -> None:
    found, error = outcome(model.predict_proba, X=X)
    if isinstance(error, ModelError):
        raise error
    label = f"{model.name}@{model.version}"
    if error is not None:
        raise ModelError(f"{label} fails on {len(X)} rows of {X.shape[1]} {what}: {error_text(error)}") from error
    is_probability = (found >= -_ROUNDING) & (found <= 1 + _ROUNDING)  # of NaN, False
    if not (is_probability | (np.isnan(X[0, 0]) & np.isnan(found))).all():
        raise ModelError(f"{label}: its output on {what} is not a probability: {found[0].tolist()[:10]}")
