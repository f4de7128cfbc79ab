"""Trained models from a folder."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from redpoll import Column, science_module
from redpoll.errors import ConfigError
from redpoll.pipeline.models import load_models
from redpoll.plugin.scores import class_scores


@science_module(version="1", model="toy", outputs={"p_toy": Column("float32", doc="0..1", assigns="toy")})
def toy(age, mag, model):
    return class_scores(model, age, mag)


def write_model(folder: Path, weights=((0.0, 1.0), (0.0, 0.0)), **card: object) -> None:
    """A softmax of a linear map, and its card."""
    folder.mkdir(parents=True, exist_ok=True)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["X", "W"], ["z"]), helper.make_node("Softmax", ["z"], ["p"], axis=1)],
        "toy",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, 2])],
        [helper.make_tensor_value_info("p", TensorProto.FLOAT, [None, 2])],
        [helper.make_tensor("W", TensorProto.FLOAT, [2, 2], np.ravel(weights))],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, folder / "model.onnx")
    facts = {"version": "3", "features": ["age", "mag"], "classes": ["other", "toy"]}
    (folder / "card.json").write_text(json.dumps(facts | card))


def test_a_model_is_given_to_the_module_that_names_it(tmp_path):
    write_model(tmp_path / "toy")
    models = load_models(tmp_path, [toy])
    found = toy(np.array([0.0, 2.0, np.nan]), np.zeros(3), models["toy"])
    assert found[:2].tolist() == pytest.approx([0.5, 1 / (1 + np.exp(-2))]) and np.isnan(found[2])
    again = copy.copy(models["toy"])  # as workers get it
    assert again == models["toy"] and again.version == "3"


@pytest.mark.parametrize("place", ["", "no/such/folder"])
def test_without_a_model_there_is_none(tmp_path, place):
    assert load_models(tmp_path / place, [toy]) == {}


@pytest.mark.parametrize(
    "card, complaint",
    [
        ({"features": ["mag", "age"]}, "trained with features mag, age; module toy@1 has age, mag"),
        ({"classes": ["toy", "other"]}, "trained with classes other"),
        ({"classes": []}, "needs version"),
        ({"version": 3}, "needs version"),
        ({"features": "age"}, "needs version"),
        ({"classes": ["a", "b", "toy"]}, "answers of shape"),
    ],
)
def test_a_card_that_does_not_fit_is_refused(tmp_path, card, complaint):
    write_model(tmp_path / "toy", **card)
    with pytest.raises(ConfigError, match=complaint):
        load_models(tmp_path, [toy])


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b" " * (2 << 20)])
def test_a_card_that_is_none_is_refused(tmp_path, content):
    write_model(tmp_path / "toy")
    (tmp_path / "toy" / "card.json").write_bytes(content)
    with pytest.raises(ConfigError, match="card"):
        load_models(tmp_path, [toy])


@pytest.mark.parametrize("content", [None, b"", b"not a model" * 100])
def test_a_model_that_is_none_is_refused(tmp_path, content):
    write_model(tmp_path / "toy")
    path = tmp_path / "toy" / "model.onnx"
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"model\.onnx"):
        load_models(tmp_path, [toy])
