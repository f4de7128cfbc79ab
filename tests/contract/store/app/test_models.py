from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from redpoll.errors import NotFound, StoreError, UsageError
from redpoll.store import open_store
from redpoll.store.app import App, NewModel, open_app


def model(version: str, data: bytes = b"weights", **card: object) -> NewModel:
    return NewModel("early_ia", version, data + version.encode(), card, "ada")


def accept(_: bytes) -> None:
    """Take any file."""


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """The labels, models, filters and watchlists of an empty store."""
    open_store(tmp_path / "store", mode="write").close()
    with open_app(tmp_path / "store") as app:
        yield app


def test_a_registered_model_is_a_candidate_and_its_bytes_come_back(app: App) -> None:
    sha256 = app.models.register(model("1", auc=0.93), accept)
    (row,) = app.models.versions().to_pylist()
    assert (row["stage"], row["card"], row["sha256"]) == ("candidate", '{"auc": 0.93}', sha256)
    assert app.models.read(sha256) == b"weights1"
    assert (app.models.generation(), app.models.champions().num_rows) == (0, 0)


def test_a_broken_file_is_refused_at_registration_and_nothing_is_kept(app: App, tmp_path: Path) -> None:
    def refuse(data: bytes) -> None:
        raise StoreError(f"{len(data)} bytes that are no ONNX model")

    with pytest.raises(StoreError, match="no ONNX"):
        app.models.register(model("1"), refuse)
    assert app.models.versions().num_rows == 0
    assert not list((tmp_path / "store").glob("models/*"))


def test_three_promotions_and_two_rollbacks(app: App) -> None:
    for version in "123":
        app.models.register(model(version), accept)
    assert [app.models.promote("early_ia", version, by="ada") for version in "123"] == [1, 2, 3]
    assert app.models.promote("early_ia", "3", by="ada") == 3
    assert app.models.rollback("early_ia", by="bob") == 4
    assert app.models.champions()["version"].to_pylist() == ["2"]
    assert app.models.rollback("early_ia", by="bob") == 5
    assert app.models.champions()["version"].to_pylist() == ["1"]
    with pytest.raises(StoreError, match="no earlier"):
        app.models.rollback("early_ia", by="bob")
    assert app.models.promotions()["action"].to_pylist() == ["promote"] * 3 + ["rollback"] * 2
    assert app.models.generation() == 5


def test_one_model_does_not_touch_another(app: App) -> None:
    app.models.register(model("1"), accept)
    app.models.register(NewModel("tde", "1", b"t", {}, "ada"), accept)
    app.models.promote("early_ia", "1", by="ada")
    app.models.promote("tde", "1", by="ada")
    assert app.models.champions()["name"].to_pylist() == ["early_ia", "tde"]


def test_a_version_is_registered_once_but_the_same_again_is_harmless(app: App) -> None:
    assert app.models.register(model("1"), accept) == app.models.register(model("1"), accept)
    with pytest.raises(StoreError, match="already"):
        app.models.register(NewModel("early_ia", "1", b"others", {}, "ada"), accept)
    assert app.models.versions().num_rows == 1


@pytest.mark.parametrize("card", [{"x": float("nan")}, {"x": object()}], ids=["nan", "object"])
def test_a_card_that_is_not_json_is_refused(app: App, card: dict) -> None:
    with pytest.raises(UsageError, match="card"):
        app.models.register(NewModel("m", "1", b"x", card, "ada"), accept)


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "a\nb", "x" * 101])
def test_a_name_that_is_no_name_is_refused(app: App, name: str) -> None:
    with pytest.raises(UsageError):
        app.models.register(NewModel(name, "1", b"x", {}, "ada"), accept)


def test_a_file_that_changed_is_not_read(app: App, tmp_path: Path) -> None:
    sha256 = app.models.register(model("1"), accept)
    (tmp_path / "store" / "models" / sha256).write_bytes(b"weights2")
    with pytest.raises(StoreError, match="changed"):
        app.models.read(sha256)
    app.models.register(model("1"), accept)
    assert app.models.read(sha256) == b"weights1"
    with pytest.raises(NotFound):
        app.models.read("../app.sqlite")


def test_the_generation_is_read_in_microseconds_and_a_rollback_in_less_than_a_second(app: App) -> None:
    for version in "12":
        app.models.register(model(version), accept)
        app.models.promote("early_ia", version, by="ada")
    app.models.generation()
    fastest = float("inf")
    for _ in range(200):
        start = time.perf_counter()
        app.models.generation()
        fastest = min(fastest, time.perf_counter() - start)
    assert fastest < 200e-6
    start = time.perf_counter()
    app.models.rollback("early_ia", by="ada")
    assert time.perf_counter() - start < 1


class Registry(RuleBasedStateMachine):
    """Any order of registering, promoting, retiring and rolling back, against a list of champions."""

    def __init__(self) -> None:
        super().__init__()
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        open_store(self.folder.name, mode="write").close()
        self.app = open_app(self.folder.name)
        self.registered: set[str] = set()
        self.champions: list[str] = []
        self.is_retired = False
        self.changes = 0

    @rule(version=st.sampled_from("123"))
    def register(self, version: str) -> None:
        self.app.models.register(model(version), accept)
        self.registered.add(version)

    @precondition(lambda self: self.registered)
    @rule(data=st.data())
    def promote(self, data: st.DataObject) -> None:
        version = data.draw(st.sampled_from(sorted(self.registered)))
        self.app.models.promote("early_ia", version, by="ada")
        if self.is_retired or self.champions[-1:] != [version]:
            self.champions.append(version)
            self.is_retired = False
            self.changes += 1

    @precondition(lambda self: len(self.champions) > 1 or self.is_retired)
    @rule()
    def rollback(self) -> None:
        self.app.models.rollback("early_ia", by="ada")
        if self.is_retired:
            self.is_retired = False
        else:
            self.champions.pop()
        self.changes += 1

    @precondition(lambda self: self.champions and not self.is_retired)
    @rule()
    def retire(self) -> None:
        self.app.models.retire("early_ia", by="ada")
        self.is_retired = True
        self.changes += 1

    @invariant()
    def the_last_champion_is_in_use(self) -> None:
        used = [] if self.is_retired else self.champions[-1:]
        assert self.app.models.champions()["version"].to_pylist() == used
        assert self.app.models.generation() == self.changes

    def teardown(self) -> None:
        self.app.close()
        self.folder.cleanup()


TestRegistry = Registry.TestCase
TestRegistry.settings = settings(max_examples=10, stateful_step_count=12, deadline=None)
