"""Trained models from a folder: ``<name>/model.onnx`` and ``<name>/card.json``, checked against who uses them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll.errors import ConfigError
from redpoll.plugin.node import Node

_CARD_BYTES = 1 << 20
_MODEL_BYTES = 1 << 30


@dataclass(frozen=True)
class OnnxModel:
    """A classifier in ONNX format: float32 features of shape (n, k) in, class probabilities out.

    It travels to worker processes by its path; each opens a session of its own, with one thread.
    """

    path: Path
    version: str
    features: tuple[str, ...]
    classes: tuple[str, ...]

    def predict_proba(self, X: NDArray[Any]) -> NDArray[np.float32]:
        """Class probabilities, one row per row of X."""
        session = self._session
        name = session.get_inputs()[0].name
        found = np.asarray(session.run(None, {name: np.ascontiguousarray(X, np.float32)})[-1], np.float32)
        if found.shape != (len(X), len(self.classes)):
            raise ConfigError(
                f"{self.path}: answers of shape {found.shape} for {len(X)} rows, {len(self.classes)} classes"
            )
        return found

    @cached_property
    def _session(self) -> Any:
        runtime = _onnxruntime(self.path)
        options = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        try:
            return runtime.InferenceSession(str(self.path), options)
        except _errors(runtime) as error:
            raise ConfigError(f"{self.path}: not a model that ONNX Runtime can use: {error}") from error

    def __reduce__(self) -> tuple[Any, ...]:
        return OnnxModel, (self.path, self.version, self.features, self.classes)


def load_models(folder: Path, nodes: Iterable[Node]) -> dict[str, OnnxModel]:
    """The models that these modules ask for and the folder has; none if there is no folder.

    Raises
    ------
    ConfigError
        If a model's card or file cannot be used, or was trained with other features or classes than its module has.
    """
    wanted = {node.model: node for node in nodes if node.model}
    return {
        name: _load(folder / name, node)
        for name, node in sorted(wanted.items())
        if (folder / name / "card.json").is_file()
    }


def _load(folder: Path, node: Node) -> OnnxModel:
    card = _card(folder / "card.json")
    path = folder / "model.onnx"
    if not path.is_file() or path.stat().st_size > _MODEL_BYTES:
        raise ConfigError(
            f"{path}: no such model, or larger than {_MODEL_BYTES >> 30} GB; train it again or remove {folder}"
        )
    model = OnnxModel(path, card["version"], tuple(card["features"]), tuple(card["classes"]))
    _check(folder, "features", model.features, node.features, node)
    says = tuple(column.assigns or name for name, column in node.outputs.items())
    _check(folder, "classes", model.classes[-len(says) :], says, node)
    model.predict_proba(np.zeros((1, len(model.features)), np.float32))
    return model


def _check(folder: Path, what: str, has: tuple[str, ...], needs: tuple[str, ...], node: Node) -> None:
    if has != needs:
        raise ConfigError(
            f"{folder}: trained with {what} {', '.join(has)}; module {node.name}@{node.version} has "
            f"{', '.join(needs)}; train it again"
        )


def _card(path: Path) -> Mapping[str, Any]:
    """The card of a model: version, features, classes; whatever else it says is for people."""
    try:
        if path.stat().st_size > _CARD_BYTES:
            raise ConfigError(f"{path}: larger than a model card can be")
        card: Any = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: no readable model card: {error}") from error
    lists = isinstance(card, dict) and all(_is_words(card.get(key)) for key in ("features", "classes"))
    if not lists or not isinstance(card.get("version"), str) or not card["version"].isprintable():
        raise ConfigError(f"{path}: a model card needs version (text), features and classes (lists of text)")
    return dict(card)


def _is_words(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(word, str) and word for word in value)


def _onnxruntime(path: Path) -> Any:
    try:
        import onnxruntime  # some 80 MB, needed only where there is a model
    except ImportError as error:
        raise ConfigError(f"{path}: to run it, pip install 'redpoll[models]'") from error
    return onnxruntime


def _errors(runtime: Any) -> tuple[type[Exception], ...]:
    """What ONNX Runtime raises for a file that it cannot use."""
    state = runtime.capi.onnxruntime_pybind11_state
    return state.Fail, state.InvalidProtobuf, state.InvalidGraph, state.InvalidArgument, state.NoSuchFile, RuntimeError
