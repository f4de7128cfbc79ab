"""``redpoll models`` as a user types it, with its exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from sklearn.ensemble import RandomForestClassifier

from redpoll.cli import models
from redpoll.errors import ModelError, NotFound, StoreError
from redpoll.learn.forests import forest_file
from redpoll.plugin.discovery import installed_filters, installed_modules
from redpoll.store import open_store
from redpoll.testing.models import linear_onnx

MODULE = """
from redpoll import class_scores, probability, science_module

@science_module(version="1", model="toy", outputs={"p_toy": probability("0..1.", assigns="variable_star")})
def toy(mag, model):
    "A score."
    return class_scores(model, mag)
"""


def run(folder: Path, *words: str) -> Result:
    """Run a command on the store in the folder."""
    more = ["--store", str(folder / "store"), "--config", str(folder / "redpoll.toml")]
    return CliRunner().invoke(models.command, [*words, *more])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a store, a module, and a model in two versions with cards."""
    open_store(tmp_path / "store", mode="write").close()
    (tmp_path / "toy.py").write_text(MODULE)
    (tmp_path / "redpoll.toml").write_text(f'plugins = ["{tmp_path / "toy.py"}"]\n')
    for version in "12":
        card = {"name": "toy", "version": version, "features": ["mag"], "classes": ["other", "variable_star"]}
        (tmp_path / f"{version}.json").write_text(json.dumps(card | {"auc": 0.9}))
        (tmp_path / f"{version}.onnx").write_bytes(linear_onnx([[0, 0]], [0, float(version)]))
    return tmp_path


def register(folder: Path, file: str, card: str) -> Result:
    return run(folder, "import", str(folder / file), "--card", str(folder / card), "--by", "ada", "--json")


@pytest.mark.parametrize("verb", ["list", "show", "import", "export", "compare", "promote", "rollback", "retire"])
def test_every_verb_has_help_with_an_example(verb: str) -> None:
    done = CliRunner().invoke(models.command, [verb, "--help"])
    assert (done.exit_code, "Example: redpoll model" in done.output) == (0, True)


def test_versions_are_registered_promoted_shown_and_rolled_back(folder: Path) -> None:
    for version in "12":
        assert json.loads(register(folder, f"{version}.onnx", f"{version}.json").stdout)["version"] == version
        assert f"toy {version} is the champion" in run(folder, "promote", "toy", version).stdout
    shown = json.loads(run(folder, "show", "toy", "--json").stdout)
    assert (shown["version"], shown["card"]["auc"], len(shown["promotions"])) == ("2", 0.9, 2)
    assert json.loads(run(folder, "rollback", "toy", "--json").stdout) == {
        "name": "toy", "version": "1", "generation": 3,
    }  # fmt: skip
    rows = json.loads(run(folder, "list", "toy", "--json").stdout)
    assert [(row["version"], row["stage"], row["by"]) for row in rows] == [
        ("1", "champion", "ada"), ("2", "retired", "ada"),
    ]  # fmt: skip
    assert "retired" in run(folder, "list", "toy").stdout and "rollback" in run(folder, "show", "toy", "2").stdout


def test_what_cannot_be_used_is_refused_and_not_kept(folder: Path) -> None:
    (folder / "bad.onnx").write_bytes(b"none")
    (folder / "bad.json").write_text('{"name": "else", "version": "1", "features": ["mag"], "classes": ["x"]}')
    os.mkfifo(folder / "pipe")
    for file, card in [("bad.onnx", "1.json"), ("1.onnx", "bad.json"), ("1.onnx", "1.onnx"), ("pipe", "1.json")]:
        assert isinstance(register(folder, file, card).exception, ModelError)
    assert isinstance(run(folder, "promote", "toy", "1").exception, NotFound)
    assert isinstance(run(folder, "show", "toy").exception, NotFound)
    assert isinstance(run(folder, "rollback", "toy").exception, StoreError)
    assert json.loads(run(folder, "list", "toy", "--json").stdout) == []
    shipped = json.loads(run(folder, "list", "--json").stdout)
    assert {row["by"] for row in shipped} == {"Redpoll"} and {row["stage"] for row in shipped} == {"champion"}


def test_a_version_cannot_be_registered_with_another_file(folder: Path) -> None:
    register(folder, "1.onnx", "1.json")
    assert register(folder, "1.onnx", "1.json").exit_code == 0
    assert isinstance(register(folder, "2.onnx", "1.json").exception, StoreError)


def test_a_forest_scores_a_night_without_onnx_runtime(
    folder: Path, ztf_night: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In no process of the run: one that imported it would fail."""
    (folder / "none").mkdir()
    (folder / "none" / "onnxruntime.py").write_text('raise ImportError("not here")\n')
    off = {kind: [each.name for each in nodes] for kind, nodes in
           (("modules", installed_modules()), ("filters", installed_filters()))}  # fmt: skip
    with (folder / "redpoll.toml").open("a") as config:
        config.writelines(f"[{kind}]\noff = {json.dumps(names)}\n" for kind, names in off.items())
    forest = RandomForestClassifier(5, random_state=1).fit(np.arange(15, 25)[:, None], np.arange(10) % 2)
    (folder / "1.forest").write_bytes(forest_file(forest))

    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert register(folder, "1.forest", "1.json").exit_code == 0
    assert run(folder, "promote", "toy", "1").exit_code == 0
    paths = os.pathsep.join([str(folder / "none"), *sys.path])
    command = [sys.executable, "-m", "redpoll", "run", str(ztf_night), "--store", str(folder / "store"),
               "--config", str(folder / "redpoll.toml")]  # fmt: skip
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with open_store(folder / "store") as store:
        rows = store.alerts.scan(["alert_id", "mag", "p_toy"]).to_table().to_pylist()
        by = store.alerts.provenance(rows[0]["alert_id"], "ztf")["p_toy"]
    expected = forest.predict_proba([[row["mag"]] for row in rows])[:, 1]
    assert by == "toy@1, toy@1"
    np.testing.assert_allclose([row["p_toy"] for row in rows], expected, rtol=0, atol=1e-6)
    assert len(rows) > 100 and len(set(expected)) > 2
