"""``redpoll train`` and ``redpoll evaluate`` as a user types them: from light curves to scores of alerts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from redpoll.cli import evaluate, model, train
from redpoll.config import parse_config
from redpoll.errors import ModelError, NotFound, RedpollError
from redpoll.ingest.files import open_sources
from redpoll.pipeline.run import run_night
from redpoll.store import open_store
from redpoll.testing.store_rows import alert_rows

DATA = "simulate://ztf?alerts=1200&seed=5"
OTHER = "simulate://ztf?alerts=300&seed=6"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Result]:
    """A trained model, its card, and what the command printed."""
    folder = tmp_path_factory.mktemp("models")
    done = run(train, "early_sn_ia", "--dataset", DATA, "--trees", "30", "--out", str(folder))
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
    assert f"redpoll model register {file} --card {card_file}" in done.stdout
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
    assert isinstance(run(evaluate, "early_sn_ia", "--dataset", OTHER, *store).exception, NotFound)
    assert run(model, "register", str(file), "--card", str(card_file), *store).exit_code == 0
    assert run(model, "promote", "early_sn_ia", json.loads(card_file.read_text())["version"], *store).exit_code == 0
    run_night(open_sources([str(ztf_night)]), tmp_path / "store", parse_config("[run]\nworkers = 0"))
    with open_store(tmp_path / "store") as opened:
        scores = [row["p_early_sn_ia"] for row in alert_rows(opened, ["p_early_sn_ia"])]
    assert 0 < sum(p is not None for p in scores) < len(scores)
    in_store = json.loads(run(evaluate, "early_sn_ia", "--dataset", OTHER, "--json", *store).stdout)
    of_file = ["--file", str(file), "--card", str(card_file), "--html", str(tmp_path / "r.html")]
    in_file = json.loads(run(evaluate, "early_sn_ia", "--dataset", OTHER, "--json", *of_file).stdout)
    assert in_store == in_file
    assert "<h1>early_sn_ia" in (tmp_path / "r.html").read_text()


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
