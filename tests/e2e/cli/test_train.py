"""``redpoll train`` and ``redpoll evaluate`` as a user types them: from light curves to scores of alerts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from sklearn.ensemble import RandomForestClassifier

from redpoll.cli import evaluate, models, train
from redpoll.config import parse_config
from redpoll.errors import ModelError, NotFound, RedpollError, StoreError, UsageError
from redpoll.ingest.files import open_sources
from redpoll.learn.forests import forest_file
from redpoll.pipeline.run import run_night
from redpoll.store import open_store
from redpoll.testing.store_rows import alert_rows

DATA = "simulate://ztf?alerts=1200&seed=5"
OTHER = "simulate://ztf?alerts=300&seed=6"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Result]:
    """A trained model, its card, and what the command printed."""
    folder = tmp_path_factory.mktemp("models")
    done = run(train, "early_sn_ia", "--dataset", DATA, "--rounds", "30", "--out", str(folder))
    (file,) = folder.glob("*.forest")
    return file, file.with_suffix(".json"), done


def run(verb: object, *words: str) -> Result:
    return CliRunner().invoke(verb.command, words)


@pytest.mark.parametrize("verb", [train, evaluate])
def test_help_has_an_example(verb: object) -> None:
    assert "Example: redpoll" in run(verb, "--help").output


def test_a_model_is_trained_with_a_card_that_says_how(made: tuple[Path, Path, Result]) -> None:
    file, card_file, done = made
    card = json.loads(card_file.read_text())
    assert done.exit_code == 0
    assert f"redpoll models import {file} --card {card_file}" in done.stdout
    assert card["command"].startswith(f"redpoll train early_sn_ia --dataset '{DATA}'")
    assert card["classes"] == ["other", "sn_ia"]
    assert card["judged"]["classes"]["sn_ia"]["metrics"]["AUC"][0] > 0.7
    assert len(card["training_set"]["sha256"]) == 64


def test_a_trained_model_scores_alerts_and_is_judged_in_the_store(
    made: tuple[Path, Path, Result], tmp_path: Path, ztf_night: Path
) -> None:
    file, card_file, _ = made
    store = ["--store", str(tmp_path / "store")]
    open_store(tmp_path / "store", mode="write").close()
    assert run(models, "retire", "early_sn_ia", *store).exit_code == 0
    assert isinstance(run(evaluate, "early_sn_ia", "--dataset", OTHER, *store).exception, NotFound)
    assert run(models, "import", str(file), "--card", str(card_file), *store).exit_code == 0
    assert run(models, "promote", "early_sn_ia", json.loads(card_file.read_text())["version"], *store).exit_code == 0
    run_night(open_sources([str(ztf_night)]), tmp_path / "store", parse_config("[run]\nworkers = 0"))
    with open_store(tmp_path / "store") as opened:
        scores = [row["p_early_sn_ia"] for row in alert_rows(opened, ["p_early_sn_ia"])]
    assert 0 < sum(p is not None for p in scores) < len(scores)
    in_store = json.loads(run(evaluate, "early_sn_ia", "--dataset", OTHER, "--json", *store).stdout)
    of_file = ["--file", str(file), "--card", str(card_file), "--html", str(tmp_path / "r.html")]
    in_file = json.loads(run(evaluate, "early_sn_ia", "--dataset", OTHER, "--json", *of_file).stdout)
    assert in_store == in_file
    assert "<h1>early_sn_ia" in (tmp_path / "r.html").read_text()


def test_versions_are_compared_and_the_better_one_alone_is_promoted(
    made: tuple[Path, Path, Result], tmp_path: Path
) -> None:
    """Version "flat" says the same of every alert; judged on the objects that the other was trained on, it is worse."""
    file, card_file, _ = made
    card = json.loads(card_file.read_text())
    flat = RandomForestClassifier(2, max_depth=1, random_state=1).fit(
        np.zeros((20, len(card["features"]))), [0, 1] * 10
    )
    (tmp_path / "flat.forest").write_bytes(forest_file(flat))
    (tmp_path / "flat.json").write_text(json.dumps(card | {"version": "flat"}))
    store, data = ["--store", str(tmp_path / "store")], ["--dataset", DATA]
    open_store(tmp_path / "store", mode="write").close()
    for each in (file, tmp_path / "flat.forest"):
        assert run(models, "import", str(each), *store).exit_code == 0
    found = json.loads(run(models, "compare", "early_sn_ia", "flat", card["version"], *data, "--json", *store).stdout)
    assert found["sn_ia"]["AUC"]["first"][0] == 0.5 and found["sn_ia"]["AUC"]["says"] == "better"
    assert found["sn_ia"]["Brier score"]["difference"][2] < 0 and found["sn_ia"]["Brier score"]["says"] == "better"
    assert run(models, "promote", "early_sn_ia", "flat", *store).exit_code == 0
    rule = ["--if-better", "AUC", *data, *store]
    assert run(models, "promote", "early_sn_ia", card["version"], *rule).exit_code == 0
    refused = run(models, "promote", "early_sn_ia", "flat", *rule).exception
    assert isinstance(refused, ModelError) and "is not better in AUC" in str(refused)
    assert isinstance(run(models, "promote", "early_sn_ia", "flat", "--if-better", "AUC", *store).exception, UsageError)
    out = tmp_path / "out"
    assert run(models, "export", "early_sn_ia", "--out", str(out), *store).exit_code == 0
    assert (out / f"early_sn_ia-{card['version']}.forest").read_bytes() == file.read_bytes()
    assert json.loads((out / f"early_sn_ia-{card['version']}.json").read_text()) == card
    assert run(models, "export", "early_sn_ia", "--out", str(out), *store).exception is not None
    assert run(models, "export", "early_sn_ia", "--onnx", "--force", "--out", str(out), *store).exit_code == 0
    assert run(models, "import", str(out / f"early_sn_ia-{card['version']}.onnx"), *store).exception is not None
    assert run(models, "show", "early_sn_ia", "--html", str(tmp_path / "card.html"), *store).exit_code == 0
    assert "<h1>early_sn_ia" in (tmp_path / "card.html").read_text()
    assert run(models, "retire", "early_sn_ia", *store).exit_code == 0
    assert isinstance(run(models, "retire", "early_sn_ia", *store).exception, StoreError)
    assert json.loads(run(models, "rollback", "early_sn_ia", "--json", *store).stdout)["version"] == card["version"]


def test_kept_out_objects_are_those_of_the_card(made: tuple[Path, Path, Result]) -> None:
    file, card_file, _ = made
    of_file = ["--file", str(file), "--card", str(card_file), "--kept-out", "0.25", "--json"]
    found = json.loads(run(evaluate, "early_sn_ia", "--dataset", DATA, *of_file).stdout)
    judged = json.loads(card_file.read_text())["judged"]
    assert {key: found[key] for key in judged} == judged


def test_misuse_is_explained(made: tuple[Path, Path, Result], tmp_path: Path) -> None:
    file, card_file, _ = made
    wrong = run(evaluate, "kilonova", "--dataset", OTHER, "--file", str(file), "--card", str(card_file)).exception
    assert isinstance(wrong, ModelError) and "is the card of the model 'early_sn_ia'" in str(wrong)
    half = run(evaluate, "kilonova", "--dataset", OTHER, "--file", str(file)).exception
    assert isinstance(half, ModelError) and "needs both" in str(half)
    unknown = run(train, "no_model", "--dataset", OTHER, "--out", str(tmp_path)).exception
    assert isinstance(unknown, RedpollError) and "no module uses a model 'no_model'" in str(unknown)
    assert list(tmp_path.iterdir()) == []
