"""``redpoll label`` as a user types it, with its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from redpoll.cli import label
from redpoll.config import parse_config
from redpoll.errors import NotFound, StoreError, UsageError
from redpoll.ingest.files import open_sources
from redpoll.pipeline.run import run_night
from redpoll.store import open_store
from redpoll.store.app import LabelQuery, open_app
from redpoll.testing.store_rows import alert_rows

TNS = """"objid","name","ra","declination","type","internal_names"
"1","2021abc","10.0","20.0","{kind}","ZTF21aaaaaaa"
"""


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """An empty store."""
    open_store(tmp_path / "store", mode="write").close()
    return tmp_path / "store"


def run(store: Path, *words: str) -> Result:
    """Run a command on a store."""
    return CliRunner().invoke(label.command, [*words, "--store", str(store)])


@pytest.mark.parametrize("verb", ["add", "retract", "import", "list", "export", "conflicts"])
def test_every_verb_has_help_with_an_example(verb: str) -> None:
    done = CliRunner().invoke(label.command, [verb, "--help"])
    assert (done.exit_code, "Example: redpoll label" in done.output) == (0, True)


def test_labels_are_added_listed_in_conflict_and_taken_back(store: Path) -> None:
    assert "is SN Ia (class sn_ia)" in run(store, "add", "ZTF1", "SN Ia", "--survey", "ztf", "--by", "ada").stdout
    more = ["--source", "bot", "--by", "b", "--confidence", "0.5", "--alert", str(2**60)]
    run(store, "add", "ZTF1", "agn", "--survey", "ztf", *more)
    rows = json.loads(run(store, "list", "--json").stdout)
    assert [(r["label"], r["class"], r["by"], r["alert_id"]) for r in rows] == [
        ("SN Ia", "sn_ia", "ada", None), ("agn", "agn", "b", str(2**60)),
    ]  # fmt: skip
    found = json.loads(run(store, "conflicts", "--json").stdout)
    assert {(r["object_id"], r["label"], r["label_id"]) for r in found} == {("ZTF1", "SN Ia", 1), ("ZTF1", "agn", 2)}
    assert run(store, "retract", "2", "--by", "ada", "--note", "no").exit_code == 0
    assert run(store, "conflicts").stderr == "No conflicts.\n"
    assert len(json.loads(run(store, "list", "--all", "--json").stdout)) == 3
    assert json.loads(run(store, "list", "--source", "bot", "--json").stdout) == []


def test_a_word_that_is_no_class_is_kept_with_a_warning(store: Path) -> None:
    done = run(store, "add", "ZTF1", "sn_iaa", "--survey", "ztf")
    assert (done.exit_code, "is no class" in done.stderr, "near: sn_ia" in done.stderr) == (0, True, True)


def test_what_is_exported_is_imported_again_as_it_was(store: Path, tmp_path: Path) -> None:
    run(
        store, "add", "0170", "SN Ia", "--survey", "ztf", "--alert", str(2**62 + 1), "--note", 'a "b", c', "--by", "ada"
    )
    run(store, "add", "=1+1", "agn", "--survey", "rubin", "--confidence", "0.25", "--by", "ada")
    for ending in ("csv", "parquet"):
        out, other = tmp_path / f"labels.{ending}", tmp_path / f"other-{ending}"
        assert run(store, "export", "--out", str(out)).exit_code == 0
        open_store(other, mode="write").close()
        assert "2 labels added" in run(other, "import", str(out)).stdout
        with open_app(store) as one, open_app(other) as two:
            assert two.labels.table().drop_columns(["added"]) == one.labels.table().drop_columns(["added"])
        assert "0 labels added, 2 were there" in run(other, "import", str(out)).stdout


def test_what_tns_changes_is_taken_back_and_stays_on_record(store: Path, tmp_path: Path) -> None:
    file = tmp_path / "tns.csv"
    for kind, printed in [("SN I", "1 labels added, 0 were there, 0 taken back"),
                       ("SN I", "0 labels added, 1 were there, 0 taken back"),
                       ("SN Ic", "1 labels added, 0 were there, 1 taken back")]:  # fmt: skip
        file.write_text(TNS.format(kind=kind))
        assert printed in run(store, "import", str(file), "--tns").stdout
    with open_app(store) as app:
        assert app.labels.table()["label"].to_pylist() == ["SN Ic"]
        assert app.labels.table(LabelQuery(current=False))["retracts"].to_pylist() == [None, None, 1]


def test_an_import_that_was_cut_short_is_made_whole_by_the_next(store: Path, tmp_path: Path) -> None:
    file = tmp_path / "tns.csv"
    file.write_text(TNS.format(kind="SN I"))
    run(store, "import", str(file), "--tns")
    run(store, "add", "ZTF21aaaaaaa", "SN Ic", "--survey", "ztf", "--source", "TNS", "--by", "TNS")  # killed here
    file.write_text(TNS.format(kind="SN Ic"))
    assert "0 labels added, 1 were there, 1 taken back" in run(store, "import", str(file), "--tns").stdout


def test_catalogue_matches_of_stored_alerts_become_labels(tmp_path: Path, ztf_night: Path) -> None:
    config = parse_config("[run]\nworkers = 0")
    run_night(open_sources([str(ztf_night)]), tmp_path / "store", config)
    with open_store(tmp_path / "store") as opened:
        rows = alert_rows(opened, ["object_id", "sso_name"])
    expected = {row["object_id"]: row["sso_name"] for row in rows if row["sso_name"]}
    assert expected
    done = run(tmp_path / "store", "import", "--column", "sso_name", "--json")
    assert json.loads(done.stdout)["added"] == len(expected)
    labels = json.loads(run(tmp_path / "store", "list", "--json").stdout)
    assert {row["object_id"]: row["label"] for row in labels} == expected
    assert {(row["source"], row["by"]) for row in labels} == {("catalogue", "sso")}


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        (["import"], UsageError, "a FILE or a --column"),
        (["import", "--column", "x", "--tns"], UsageError, "--tns wants the FILE"),
        (["retract", "7"], NotFound, "no label 7"),
        (["add", "ZTF1", "", "--survey", "ztf"], UsageError, "label"),
        (["add", "ZTF1", "a\x07", "--survey", "ztf"], UsageError, "control characters"),
        (["add", "ZTF1", "agn", "--survey", "ztf", "--confidence", "nan"], UsageError, "confidence"),
    ],
)
def test_misuse_is_explained(store: Path, words: list[str], error: type, message: str) -> None:
    done = run(store, *words)
    assert isinstance(done.exception, error)
    assert message in str(done.exception)


def test_a_label_is_taken_back_once(store: Path) -> None:
    run(store, "add", "ZTF1", "agn", "--survey", "ztf")
    run(store, "retract", "1")
    for number in ("1", "2"):
        assert isinstance(run(store, "retract", number).exception, StoreError)
