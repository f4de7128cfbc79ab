"""``redpoll anomaly`` as a user types it, from the alerts of a store to scores of the next run."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from redpoll.cli import anomaly
from redpoll.config import parse_config
from redpoll.errors import NotFound, RedpollError, StoreError, UsageError
from redpoll.ingest.files import open_sources
from redpoll.learn.anomaly_rows import FEATURES, feature_matrix, stored_rows
from redpoll.learn.errors import DatasetError
from redpoll.pipeline.reprocess import reprocess
from redpoll.pipeline.reprocess_plan import Wanted
from redpoll.pipeline.run import run_night
from redpoll.plugin.forest_file import read_forest
from redpoll.plugin.forest_model import ForestModel
from redpoll.store import Selection, open_store
from redpoll.store.app import open_app
from redpoll.testing.store_rows import alert_rows

HERE = parse_config("[run]\nworkers = 0\nbatch_size = 100")
VERBS = ("create", "list", "top", "label", "undo", "history", "export")


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of a simulated night."""
    path = tmp_path_factory.mktemp("anomaly") / "store"
    run_night(open_sources(["simulate://ztf?alerts=400&seed=1"]), path, HERE)
    return path


@pytest.fixture
def store(tmp_path: Path, night: Path) -> Path:
    """A copy of it to change."""
    shutil.copytree(night, tmp_path / "store")
    return tmp_path / "store"


def run(store: Path, *words: str, user: str = "ada") -> Result:
    """Run a command on a store as a user."""
    return CliRunner().invoke(anomaly.command, [*words, "--store", str(store), "--user", user])


def answer(store: Path, *words: str, user: str = "ada"):
    """The data that a command prints; its exception is raised."""
    done = run(store, *words, "--json", user=user)
    if done.exception:
        raise done.exception
    return json.loads(done.stdout)


def objects(rows) -> list[str]:
    """Objects in their order."""
    return [row["object_id"] for row in rows]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example(verb: str) -> None:
    done = CliRunner().invoke(anomaly.command, [verb, "--help"])
    assert (done.exit_code, "Example: redpoll anomaly" in done.output) == (0, True)


def test_a_model_asks_learns_forgets_and_remembers(store: Path, tmp_path: Path) -> None:
    made = answer(store, "create", "odd")
    first = answer(store, "top", "odd", "-n", "5")
    assert (made["column"], made["n_anomalies"], len(first)) == ("anomaly_odd", 0, 5)
    assert [row["score"] for row in first] == sorted((row["score"] for row in first), reverse=True)
    assert {reason["feature"] for row in first for reason in row["pushed_by"]} <= set(FEATURES)
    answer(store, "label", "odd", "regular", *objects(first[:2]), "--note", "dwarf novae")
    fitted = answer(store, "label", "odd", "anomaly", first[2]["alert_id"])
    assert (fitted["n_anomalies"], fitted["n_regular"], fitted["label_ids"]) == (1, 2, [3])
    second = answer(store, "top", "odd", "-n", "1000")
    assert not set(objects(second)) & set(objects(first[:3])), "labelled objects are not asked again"
    assert objects(second)[:2] != objects(first)[3:]
    again = answer(store, "undo", "odd")
    assert again["label_id"] == 3 and first[2]["object_id"] in objects(answer(store, "top", "odd", "-n", "1000"))
    states = [(row["label_id"], row["label"], row["state"]) for row in answer(store, "history", "odd")]
    assert states == [(1, "regular", "counts"), (2, "regular", "counts"), (3, "anomaly", "undone"),
                      (4, "anomaly", "undoes 3")]  # fmt: skip
    assert run(store, "export", "odd", "--out", str(tmp_path / "out")).exit_code == 0
    stem = tmp_path / "out" / f"anomaly_odd-{again['version']}"
    assert read_forest(stem.with_suffix(".forest").read_bytes()).n_features == len(FEATURES)
    assert json.loads(stem.with_suffix(".json").read_text())["labels"] == {"anomaly": 0, "regular": 2}
    rows = [*csv.DictReader(Path(f"{stem}.labels.csv").read_text().splitlines())]
    assert [row["note"] for row in rows] == ["dwarf novae", "dwarf novae", "", ""]
    assert isinstance(run(store, "export", "odd", "--out", str(tmp_path / "out")).exception, UsageError)


def test_after_an_undo_the_version_of_before_scores_again(store: Path) -> None:
    before = answer(store, "create", "odd")["version"]
    ids = objects(answer(store, "top", "odd"))
    after = answer(store, "label", "odd", "anomaly", ids[0])["version"]
    assert answer(store, "undo", "odd")["version"] == before != after
    assert answer(store, "label", "odd", "anomaly", ids[0])["version"] == after


def test_an_alert_labelled_twice_has_its_last_label(store: Path) -> None:
    answer(store, "create", "odd")
    one = answer(store, "top", "odd")[0]["alert_id"]
    answer(store, "label", "odd", "anomaly", one)
    fitted = answer(store, "label", "odd", "regular", one)
    assert (fitted["n_anomalies"], fitted["n_regular"]) == (0, 1)


def test_users_do_not_change_each_others_models(store: Path) -> None:
    for name, user in (("odd", "ada"), ("flares", "bob")):
        answer(store, "create", name, user=user)
    before = answer(store, "top", "flares", "-n", "100", user="bob")
    answer(store, "label", "odd", "anomaly", *objects(before)[:5], user="ada")
    assert answer(store, "top", "flares", "-n", "100", user="bob") == before
    assert answer(store, "history", "flares", user="bob") == []
    assert [row["name"] for row in answer(store, "list", user="bob")] == ["flares"]
    for words in (["top"], ["history"], ["undo"], ["label"], ["export"]):
        more = ["anomaly", objects(before)[0]] if words == ["label"] else []
        refused = run(store, *words, "odd", *more, user="bob").exception
        assert isinstance(refused, NotFound) and "'bob' has no anomaly model 'odd'" in str(refused)
    assert isinstance(run(store, "create", "odd", user="bob").exception, StoreError)
    assert len(answer(store, "history", "odd", user="ada")) == 5


def test_the_next_run_has_the_column_and_the_topic_and_reprocessing_fills_what_was_before(store: Path) -> None:
    answer(store, "create", "odd")
    run_night(open_sources(["simulate://ztf?alerts=300&seed=2"]), store, HERE)
    reprocess(store, HERE, Wanted(modules=("score_anomaly_odd",)), Selection())
    with open_app(store) as app, open_store(store) as opened:
        forest = read_forest(app.models.read(app.models.champions()["sha256"][0].as_py()))
        rows = stored_rows(opened, FEATURES, Selection())
        newest = {row["alert_id"]: row for row in alert_rows(opened, ["alert_id", "anomaly_odd", "topics"])}
        p = ForestModel("m", "1", forest).predict_proba(rows.features)[:, 1]
    found = [newest[key["alert_id"]] for key in rows.keys]
    assert [row["anomaly_odd"] for row in found] == p.tolist()
    assert [("anomaly_odd" in row["topics"]) for row in found] == (p >= 0.5).tolist() and (p >= 0.5).any()
    assert any(row["anomaly_odd"] is None for row in newest.values()), "alerts with few detections have no score"


def test_a_run_that_goes_on_uses_a_label_from_the_next_batch_on(store: Path) -> None:
    before = answer(store, "create", "odd")["version"]
    labelled = objects(answer(store, "top", "odd"))[:6]
    versions = [before]

    def label_once(packets: object, dead_letters: object) -> None:
        if len(versions) == 1:
            versions.append(answer(store, "label", "odd", "regular", *labelled)["version"])

    run_night(open_sources(["simulate://ztf?alerts=300&seed=2"]), store, HERE, on_committed=label_once)
    with open_app(store) as app, open_store(store) as opened:
        files = {row["version"]: app.models.read(row["sha256"]) for row in app.models.versions().to_pylist()}
        models = [ForestModel("m", v, read_forest(files[v])) for v in versions]
        table = opened.alerts.scan(
            ["anomaly_odd", *FEATURES], Selection(where="anomaly_odd is not null")
        ).to_table().combine_chunks()  # fmt: skip
    X, score = feature_matrix(table.to_batches()[0], FEATURES), table["anomaly_odd"].to_numpy()
    fits = np.array([model.predict_proba(X)[:, 1] == score for model in models])
    assert fits.any(axis=0).all(), "each score is that of one of the versions"
    assert (fits[0] & ~fits[1]).any() and (fits[1] & ~fits[0]).any(), "both have scored alerts"


def test_a_run_whose_modules_are_off_goes_on_without_the_scores(store: Path, caplog) -> None:
    answer(store, "create", "odd")
    config = parse_config('[run]\nworkers = 0\n[modules]\noff = ["mag_slope"]')
    run_night(open_sources(["simulate://ztf?alerts=30&seed=3"]), store, config)
    assert "anomaly_odd has no scores in this run: nothing makes its features mag_slope" in caplog.text


def test_a_retired_model_has_no_column_and_the_next_label_brings_it_back(store: Path) -> None:
    answer(store, "create", "odd")
    one = objects(answer(store, "top", "odd"))[0]
    with open_app(store) as app:
        app.models.retire("anomaly_odd", by="ada")
    assert isinstance(run(store, "top", "odd").exception, NotFound)
    answer(store, "label", "odd", "anomaly", one)
    assert len(answer(store, "top", "odd", "--object", one)) == 1


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["create", "../odd"], UsageError), (["create", "n_points"], UsageError), (["create", "features"], UsageError),
        (["create", "Odd"], UsageError), (["create", "x'; DROP TABLE bases"], UsageError),
        (["create", "odd", "--night", "19990101"], DatasetError), (["top", "odd"], NotFound),
        (["undo", "odd"], NotFound), (["history", "\ud800"], RedpollError),
    ],
)  # fmt: skip
def test_misuse_is_an_error_and_leaves_no_model(store: Path, words: list[str], error: type[Exception]) -> None:
    assert isinstance(run(store, *words).exception, error)
    assert answer(store, "list") == []


def test_an_unknown_alert_gets_no_label(store: Path) -> None:
    answer(store, "create", "odd")
    for wrong in ("ZTF99nothing", "9" * 30, "x\x00y"):
        assert isinstance(run(store, "label", "odd", "anomaly", wrong).exception, RedpollError)
    assert run(store, "label", "odd", "interesting", "1").exit_code == 2
    assert run(store, "label", "odd", "anomaly").exit_code == 2
    assert answer(store, "history", "odd") == []
