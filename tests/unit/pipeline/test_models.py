"""Trained models of the registry: what is refused, what a worker opens, and what it keeps out."""

from __future__ import annotations

import contextlib
import json
import sys

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from redpoll import Column, science_module
from redpoll.errors import ModelError, NotFound, RedpollError, StoreError
from redpoll.pipeline.models import Champions, Generation, model_validator
from redpoll.pipeline.shipped import ModelFile, adopt, known_versions, model_of, shipped_models
from redpoll.plugin.discovery import installed_modules
from redpoll.plugin.forest import Forest
from redpoll.plugin.forest_file import write_forest
from redpoll.plugin.model_card import MAX_CARD_BYTES, parse_card
from redpoll.plugin.model_file import open_model
from redpoll.plugin.scores import class_scores
from redpoll.store import open_store
from redpoll.store.app import NewModel, open_app
from redpoll.testing.models import linear_onnx

FACTS = {"name": "toy", "version": "3", "features": ["age", "mag"], "classes": ["other", "toy"]}
GOOD = linear_onnx([[0, 1], [0, 0]], [0, 0])


@science_module(version="1", model="toy", outputs={"p_toy": Column("float32", doc="0..1", assigns="toy")})
def toy(age, mag, model):
    return class_scores(model, age, mag)


@science_module(version="1", model="toy", outputs={"p_other_toy": Column("float32", doc="0..1", assigns="toy")})
def other_toy(age, mag, model):
    return class_scores(model, age, mag)


def forest(**changes):
    """File of a forest of one leaf, of two features and two classes."""
    one = np.zeros(1, np.int32)
    facts = {
        "link": "mean", "n_features": 2, "n_classes": 2, "baseline": (0.0, 0.0), "feature": np.array([-1], np.int16),
        "threshold": np.zeros(1, np.float32), "left": one, "right": one, "missing_left": np.zeros(1, np.uint8),
        "values": np.array([[0.25, 0.75]], np.float32), "roots": one, "columns": one,
    }  # fmt: skip
    return write_forest(Forest(**facts | changes))


def card(**facts):
    return parse_card(json.dumps(FACTS | facts))


def onnx_file(*nodes, outputs=(None, 2), inputs=(None, 2), kind=TensorProto.FLOAT, weights=()):
    """A model from X to p, by default of two features and two classes."""
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("X", kind, inputs)],
        [helper.make_tensor_value_info("p", kind, outputs)], weights,
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString()


def external_weights(location):
    """A model whose weights are in another file."""
    W = helper.make_tensor("W", TensorProto.FLOAT, [2, 2], [0] * 4)
    W.ClearField("float_data")
    W.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, "offset": "0", "length": "16"}.items():
        entry = W.external_data.add()
        entry.key, entry.value = key, value
    return onnx_file(helper.make_node("MatMul", ["X", "W"], ["p"]), weights=[W])


def test_a_model_scores_the_alerts_of_its_module():
    found = toy(np.array([0.0, 2.0, np.nan]), np.zeros(3), open_model(GOOD, card(), [toy]))
    assert found[:2].tolist() == pytest.approx([0.5, 1 / (1 + np.exp(-2))]) and np.isnan(found[2])


@pytest.mark.parametrize(
    "facts, complaint",
    [
        ({"features": ["mag", "age"]}, "trained with features mag, age; module toy@1 has age, mag"),
        ({"features": ["age"]}, "trained with features age"),
        ({"classes": ["toy", "other"]}, "trained with classes other"),
        ({"classes": ["a", "b", "toy"]}, "output of shape"),
    ],
)
def test_a_model_of_other_features_or_classes_is_refused(facts, complaint):
    with pytest.raises(ModelError, match=complaint):
        open_model(GOOD, card(**facts), [toy, other_toy])


@pytest.mark.parametrize(
    "data, complaint",
    [
        pytest.param(b"", "0 bytes", id="empty"),
        pytest.param(b"not a model" * 100, "not a model", id="text"),
        pytest.param(GOOD[: len(GOOD) // 2], "not a model", id="truncated"),
        pytest.param(linear_onnx([[0, 1]], [0, 0]), "fails on 1 rows", id="one feature"),
        pytest.param(linear_onnx([[0] * 3] * 2, [0] * 3), "output of shape", id="three classes"),
        pytest.param(linear_onnx([[0, 0]] * 2, [np.nan, 0]), "not a probability", id="NaN"),
        pytest.param(onnx_file(helper.make_node("Exp", ["X"], ["p"]), kind=TensorProto.DOUBLE), "fails", id="double"),
        pytest.param(
            onnx_file(helper.make_node("Exp", ["X"], ["p"]), outputs=(1, 2), inputs=(1, 2)), "fails on 3", id="one row"
        ),
        pytest.param(onnx_file(helper.make_node("Log", ["X"], ["p"])), "not a probability", id="infinite"),
        pytest.param(onnx_file(helper.make_node("Own", ["X"], ["p"], domain="evil")), "not a model", id="custom"),
        pytest.param(
            onnx_file(helper.make_node("Shape", ["X"], ["p"]), outputs=(2,)), "not a model|fails|shape", id="shape"
        ),
        pytest.param(forest(n_features=1), r"toy@3: the file has \(features, classes\) = \(1, 2\)", id="forest of one"),
        pytest.param(forest()[:-1], "toy@3: not a file of a tree ensemble: it ends before", id="forest truncated"),
        pytest.param(external_weights("/etc/passwd"), "not a model", id="weights elsewhere"),
        pytest.param(external_weights("weights.bin"), "not a model", id="weights beside"),
    ],
)
def test_a_broken_file_is_refused(data, complaint, tmp_path, monkeypatch):
    (tmp_path / "weights.bin").write_bytes(bytes(16))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match=complaint):
        open_model(data, card(), [toy])


def test_the_first_bytes_say_which_format_a_file_has(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    found = toy(np.array([0.0, np.nan]), np.zeros(2), open_model(forest(), card(), [toy]))
    assert found.tolist() == pytest.approx([0.75, np.nan], nan_ok=True)
    with pytest.raises(ModelError, match=r"need ONNX Runtime: pip install 'redpoll\[models\]'"):
        open_model(GOOD, card(), [toy])


def test_a_model_whose_answer_to_nan_is_no_probability_is_refused():
    nan_is_two = [
        helper.make_node("IsNaN", ["X"], ["m"]),
        helper.make_node("Cast", ["m"], ["c"], to=TensorProto.FLOAT),
        helper.make_node("Add", ["c", "c"], ["p"]),
    ]
    with pytest.raises(ModelError, match=r"output on NaN is not a probability: \[2.0, 2.0\]"):
        open_model(onnx_file(*nan_is_two), card(), [toy])


def test_a_file_too_large_is_refused_before_the_library_reads_it(monkeypatch):
    monkeypatch.setattr("redpoll.plugin.model_file.MAX_MODEL_BYTES", 100)
    monkeypatch.setattr("redpoll.plugin.model_file.onnx_session", lambda data: pytest.fail("was read"))
    with pytest.raises(ModelError, match="expected 1 to 100"):
        open_model(GOOD, card(), [toy])


def test_a_model_that_no_module_uses_is_refused():
    with pytest.raises(ModelError, match="no module uses a model named 'toi'; models that modules use: toy"):
        model_validator(card(name="toi"), [toy])


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]", b"\xff", b"[" * 100_000, b" " * (MAX_CARD_BYTES + 1), b"null", b'{"name": "toy"}',
        *(
            json.dumps(FACTS | change).encode()
            for change in (
                {"version": 3}, {"version": ""}, {"version": "1, tde@2"}, {"name": "../toy"}, {"name": "a" * 101},
                {"features": "age"}, {"features": []}, {"features": ["age", "age"]}, {"features": ["a\nb"]},
                {"classes": [None]}, {"classes": ["x" * 201]}, {"auc": float("nan")}, {"features": ["f"] * 20_000},
            )
        ),
        (json.dumps(FACTS)[:-1] + ', "n": ' + "9" * 5000 + "}").encode(),
    ],
)  # fmt: skip
def test_a_card_that_is_none_is_refused(content):
    with pytest.raises(ModelError, match="model card"):
        parse_card(content)


@given(st.binary(max_size=300) | st.recursive(st.none() | st.text(), lambda x: st.lists(x) | st.dictionaries(
    st.sampled_from([*FACTS, "x"]), x)).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_any_bytes_are_a_card_or_refused(data):
    with contextlib.suppress(ModelError):
        assert parse_card(data).features


@pytest.fixture
def app(tmp_path):
    open_store(tmp_path / "store", mode="write").close()
    with open_app(tmp_path / "store") as app:
        yield app


def add(app, version, bias=0.0):
    """Register and promote a version; returns the generation and the file's hash."""
    facts = card(version=version)
    model = NewModel("toy", version, linear_onnx([[0, 0]] * 2, [0, bias]), facts.content, "ada")
    sha256 = app.models.register(model, model_validator(facts, [toy]))
    return app.models.promote("toy", version, by="ada"), sha256


def test_the_models_of_a_generation_are_the_same_whenever_it_is_opened(app):
    generations = [add(app, version)[0] for version in "123"] + [app.models.rollback("toy", by="ada")]
    found = []
    for generation in generations:
        champions = Champions(app.models, [toy])
        champions.change_to(generation)
        found.append(champions.models["toy"].version)
    assert (generations, found) == ([1, 2, 3, 4], ["1", "2", "3", "2"])
    assert app.models.champions(0).num_rows == 0


def test_a_session_is_opened_once_a_generation_and_kept_while_its_version_is(app):
    champions = Champions(app.models, [toy])
    assert not champions.change_to(0) and not champions.models
    add(app, "1")
    assert champions.change_to(1)
    first = champions.models["toy"]
    assert not champions.change_to(1)
    app.models.register(NewModel("else", "1", b"x", {}, "ada"), bytes.strip)
    assert not champions.change_to(app.models.promote("else", "1", by="ada"))
    assert champions.models["toy"] is first
    assert champions.change_to(add(app, "2")[0]) and champions.models["toy"].version == "2"


@pytest.mark.parametrize("damage", ["changed", "gone", "other features"])
def test_a_damaged_champion_is_kept_out_and_the_former_goes_on(app, tmp_path, damage):
    old, fresh = Champions(app.models, [toy]), Champions(app.models, [toy])
    old.change_to(add(app, "1")[0])
    if damage == "other features":
        model = NewModel("toy", "2", GOOD, card(version="2", features=["a", "b"]).content, "ada")
        app.models.register(model, bytes.strip)
        generation = app.models.promote("toy", "2", by="ada")
    else:
        generation, sha256 = add(app, "2", 1.0)
        file = tmp_path / "store" / "models" / sha256
        file.unlink() if damage == "gone" else file.write_bytes(b"x" + file.read_bytes()[1:])
    assert not old.change_to(generation)
    assert old.models["toy"].version == "1" and "toy@1 goes on" in old.unusable["toy@2"]
    assert not fresh.change_to(generation)
    assert fresh.models == {} and "columns are null" in fresh.unusable["toy@2"]
    assert old.change_to(add(app, "3", 2.0)[0]) and not old.unusable


class BrokenRegistry:
    """A registry that works once."""

    n = 0

    def generation(self):
        self.n += 1
        if self.n > 1:
            raise StoreError("app.sqlite is damaged")
        return 5

    def champions(self, generation):
        raise StoreError("app.sqlite is damaged")

    def chosen(self, generation):
        raise StoreError("app.sqlite is damaged")


def test_a_registry_that_breaks_leaves_the_run_its_models(caplog):
    generation = Generation(BrokenRegistry())
    assert [generation(), generation()] == [5, 5]
    assert caplog.text.count("cannot be read") == 1
    champions = Champions(BrokenRegistry(), [toy])
    assert not champions.change_to(5) and "damaged" in champions.unusable["registry"]
    with pytest.raises(RedpollError):
        BrokenRegistry().champions(1)


def test_onnx_accepts_what_the_test_makes():
    onnx.checker.check_model(onnx.load_from_string(GOOD))


@pytest.fixture
def shipped(monkeypatch):
    """A release that comes with version "9" of the model of `toy`."""
    models = {"toy": ModelFile(card(version="9"), forest())}
    for place in ("models", "shipped"):
        monkeypatch.setattr(f"redpoll.pipeline.{place}.shipped_models", lambda: models)
    return models


def test_a_shipped_model_scores_until_another_is_chosen_and_comes_back(app, shipped):
    champions = Champions(app.models, [toy])
    seen = []

    def now():
        champions.change_to()
        seen.append(champions.models["toy"].version if champions.models else None)

    now()
    adopt(app.models, "toy"), now()
    add(app, "1"), now()
    app.models.rollback("toy", by="ada"), now()
    app.models.retire("toy", by="ada"), now()
    app.models.rollback("toy", by="ada"), now()
    assert seen == ["9", "9", "1", "9", None, "9"]
    assert [row["action"] for row in app.models.promotions("toy").to_pylist()] == [
        "promote", "promote", "rollback", "retire", "rollback",
    ]  # fmt: skip


def test_a_shipped_model_scores_without_a_store_but_only_for_its_own_module(shipped):
    alone = Champions(None, [toy])
    assert alone.change_to() and alone.models["toy"].version == "9"

    @science_module(version="2", model="toy", outputs={"p_toy": Column("float32", doc="0..1", assigns="toy")})
    def changed(mag, model):
        return class_scores(model, mag)

    other = Champions(None, [changed])
    assert not other.change_to() and not other.models and not other.unusable


def test_a_version_is_found_whether_shipped_or_registered(app, shipped):
    assert model_of(app.models, "toy").card.version == model_of(app.models, "toy", "9").card.version == "9"
    assert [(row["version"], row["stage"]) for row in known_versions(app.models)] == [("9", "champion")]
    add(app, "1")
    assert model_of(app.models, "toy").card.version == "1"
    assert [(row["version"], row["stage"]) for row in known_versions(app.models, "toy")] == [
        ("9", "candidate"), ("1", "champion"),
    ]  # fmt: skip
    app.models.retire("toy", by="ada")
    for wanted in (None, "2"):
        with pytest.raises(NotFound):
            model_of(app.models, "toy", wanted)


def test_what_ships_fits_the_installed_modules():
    nodes = list(installed_modules())
    champions = Champions(None, nodes)
    champions.change_to()
    assert set(champions.models) == set(shipped_models()) == {"early_sn_ia", "sn_vs_rest"}
    assert sum(len(model.data) for model in shipped_models().values()) < 15_000_000
    assert all(len(model.data) < 3_000_000 for model in shipped_models().values())
