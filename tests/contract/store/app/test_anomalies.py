"""Personal anomaly models in a store: append-only labels, and users who do not see each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from redpoll.errors import NotFound, StoreError, UsageError
from redpoll.store import open_store
from redpoll.store.app import AnomalyLabel, App, BaseRows, open_app

BASE = BaseRows("f" * 64, ("a", "b"), 16, b"rows")
LABEL = AnomalyLabel("ztf", "ZTF20aaaaaaa", 2**62 + 1, "anomaly", b"\x00" * 8, "odd")


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """A store with a model of ada's."""
    open_store(tmp_path / "store", mode="write").close()
    with open_app(tmp_path / "store") as app:
        app.anomalies.create("novae", BASE, owner="ada", kind="aad", seed=7)
        yield app


def test_a_model_and_its_base_come_back(app: App) -> None:
    (model,) = app.anomalies.models("ada")
    assert (model.name, model.owner, model.kind, model.seed, model.base) == ("novae", "ada", "aad", 7, BASE.sha256)
    assert app.anomalies.model("novae", owner="ada") == model
    assert app.anomalies.base(model) == BASE


def test_labels_are_kept_and_undone_by_new_rows(app: App) -> None:
    assert app.anomalies.add("novae", [LABEL, replace(LABEL, label="regular")], owner="ada") == [1, 2]
    assert app.anomalies.undo("novae", owner="ada") == 2
    first, *rest = app.anomalies.labels("novae", owner="ada").to_pylist()
    assert {name: first[name] for name in LABEL.__dict__} == LABEL.__dict__ and not rest
    everything = app.anomalies.labels("novae", owner="ada", current=False).to_pylist()
    assert [(row["label_id"], row["label"], row["undoes"]) for row in everything] == [
        (1, "anomaly", None), (2, "regular", None), (3, "regular", 2),
    ]  # fmt: skip
    assert app.anomalies.undo("novae", owner="ada") == 1
    with pytest.raises(NotFound, match="no label to undo"):
        app.anomalies.undo("novae", owner="ada")


def test_another_user_can_neither_see_nor_change_a_model(app: App) -> None:
    app.anomalies.add("novae", [LABEL], owner="ada")
    for act in (
        lambda: app.anomalies.model("novae", owner="bob"),
        lambda: app.anomalies.labels("novae", owner="bob"),
        lambda: app.anomalies.add("novae", [LABEL], owner="bob"),
        lambda: app.anomalies.undo("novae", owner="bob"),
    ):
        with pytest.raises(NotFound, match="'bob' has no anomaly model 'novae'"):
            act()
    assert app.anomalies.models("bob") == []
    assert app.anomalies.labels("novae", owner="ada").num_rows == 1


def test_labels_of_one_model_are_not_those_of_another(app: App) -> None:
    app.anomalies.create("flares", BASE, owner="bob", kind="aad", seed=7)
    app.anomalies.add("flares", [LABEL], owner="bob")
    assert app.anomalies.labels("novae", owner="ada").num_rows == 0
    with pytest.raises(NotFound):
        app.anomalies.undo("novae", owner="ada")
    assert app.anomalies.labels("flares", owner="bob").num_rows == 1


@pytest.mark.parametrize("owner", ["ada", "bob"])
def test_a_name_is_taken_once(app: App, owner: str) -> None:
    with pytest.raises(StoreError, match="exists"):
        app.anomalies.create("novae", BASE, owner=owner, kind="aad", seed=1)


@pytest.mark.parametrize(
    "name", ["", "Novae", "../novae", "a b", "x'; DROP TABLE bases; --", "1a", "a" * 60, "é", None]
)
def test_a_name_that_cannot_name_a_column_is_misuse(app: App, name: str) -> None:
    with pytest.raises(UsageError, match="small letters"):
        app.anomalies.create(name, BASE, owner="ada", kind="aad", seed=1)


@pytest.mark.parametrize("owner", ["", "../ada", "a\x00b", "x" * 101, "\ud800"])
def test_a_hostile_user_is_misuse(app: App, owner: str) -> None:
    with pytest.raises(UsageError):
        app.anomalies.create("other", BASE, owner=owner, kind="aad", seed=1)
    with pytest.raises(UsageError):
        app.anomalies.models(owner)


@pytest.mark.parametrize(
    "change",
    [
        {"label": "sn_ia"}, {"label": ""}, {"survey": "../x"}, {"object_id": ""}, {"object_id": "a\x00"},
        {"alert_id": 2**63}, {"note": "n" * 5000}, {"note": "\ud800"},
    ],
)  # fmt: skip
def test_a_spoilt_label_is_misuse_and_nothing_is_kept(app: App, change: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        app.anomalies.add("novae", [LABEL, replace(LABEL, **change)], owner="ada")
    assert app.anomalies.labels("novae", owner="ada").num_rows == 0


def test_a_store_that_has_no_models_reads_as_none(tmp_path: Path) -> None:
    open_store(tmp_path / "store", mode="write").close()
    with open_app(tmp_path / "store") as app:
        assert app.anomalies.models("ada") == []
