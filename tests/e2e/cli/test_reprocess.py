"""``redpoll reprocess`` as a user gives it: plans, answers, hostile arguments; `why` and `run` beside it."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner

from redpoll.cli.main import redpoll
from redpoll.config import load_config
from redpoll.errors import RedpollError, UsageError
from redpoll.ingest.files import open_sources
from redpoll.pipeline.run import run_night
from redpoll.plugin.discovery import installed_filters, installed_modules
from redpoll.store import open_store

ON = ("is_good", "rise_rate")
MINE = """
from redpoll import Column, alert_filter, science_module

@science_module(version="1", outputs={"twice_mag": Column("float64", "mag", "Twice the magnitude.")})
def twice_mag(mag):
    "Twice the magnitude."
    return mag * 2.0

@alert_filter(topic="mine")
def mine(twice_mag):
    "Bright."
    return twice_mag < 37
"""


@pytest.fixture(scope="module")
def made(ztf_night, tmp_path_factory):
    """A folder with the store of a night, processed by two modules, and the configuration."""
    folder = tmp_path_factory.mktemp("reprocess")
    off = [
        json.dumps([n.name for n in nodes if n.name not in ON]) for nodes in (installed_modules(), installed_filters())
    ]
    (folder / "redpoll.toml").write_text(f"[modules]\noff = {off[0]}\n[filters]\noff = {off[1]}\n")
    (folder / "mine.py").write_text(MINE)
    run_night(open_sources([str(ztf_night)]), folder / "store", load_config(folder / "redpoll.toml"))
    return folder


@pytest.fixture
def folder(made, tmp_path):
    shutil.copytree(made, tmp_path / "copy")
    return tmp_path / "copy"


def call(folder, *words):
    """Exit code, standard output, and what is on stderr or the message of the error."""
    words = ["reprocess", *words, "--store", str(folder / "store"), "--config", str(folder / "redpoll.toml")]
    done = CliRunner().invoke(redpoll, words)
    assert done.exception is None or isinstance(done.exception, SystemExit | RedpollError), done.exception
    code = done.exit_code
    if isinstance(done.exception, RedpollError):  # as `redpoll.cli.main.main` does
        return 2 if isinstance(done.exception, UsageError) else 1, done.stdout, str(done.exception)
    return code, done.stdout, done.stderr


def test_a_file_and_an_expression_are_run_over_the_store(folder):
    code, out, _ = call(folder, "--module", str(folder / "mine.py"), "--filter", "faint = twice_mag > 40", "--json")
    report = json.loads(out)
    assert (code, report["status"]) == (0, "done")
    assert report["changed"]["twice_mag"] == report["alerts"] > 100
    with open_store(folder / "store") as store:
        assert store.ledger.topics()["mine"] == report["topics_gained"]["mine"]
        assert store.ledger.topics()["faint"] == report["topics_gained"]["faint"]
        assert store.runs.table().num_rows == 1


def test_the_report_has_values_topics_and_what_failed(folder):
    code, out, err = call(folder, "--module", str(folder / "mine.py"))
    assert code == 0, err
    assert "Reprocessing done" in out and "twice_mag" in out and "mine" in out and "gained" in out
    (folder / "mine.py").write_text(MINE.replace("return mag * 2.0", "raise ValueError('no luck')"))
    code, out, err = call(folder, "--module", str(folder / "mine.py"))
    assert code == 1
    assert "twice_mag failed on" in err and "no luck" in err and "the values before of mine were kept" in err


def test_a_dry_run_shows_the_plan_and_writes_nothing(folder):
    before = (folder / "store" / "index.sqlite").read_bytes()
    code, out, _ = call(folder, "--filter", str(folder / "mine.py"), "--dry-run")
    assert code == 0
    assert "twice_mag@1" in out and "twice_mag is not stored yet" in out and "alerts would be reprocessed" in out
    code, out, _ = call(folder, "--filter", str(folder / "mine.py"), "--dry-run", "--json", "--where", "mag < 18")
    plan = json.loads(out)
    assert [node["by"] for node in plan["nodes"]] == ["twice_mag@1", "mine@1"]
    assert 0 < plan["alerts"] < 300
    assert (folder / "store" / "index.sqlite").read_bytes() == before


def test_the_same_command_is_done_once(folder):
    assert call(folder, "--module", str(folder / "mine.py"))[0] == 0
    code, out, err = call(folder, "--module", str(folder / "mine.py"))
    assert (code, out) == (0, "")
    assert "done before" in err and "--again" in err
    code, out, _ = call(folder, "--module", str(folder / "mine.py"), "--again")
    assert code == 0 and "No value changed" in out + _


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--module", "no_such"], 2, "no module 'no_such'"),
        (["--module", "rise_ratee"], 2, "near: rise_rate"),
        (["--module", "\x1b[2J"], 2, "no module"),
        (["--module", "no_such.py"], 1, "there is no file"),
        (["--module", "broken.py"], 1, "broken.py, line 1"),
        (["--module", "empty.py"], 1, "defines no function"),
        (["--filter", "x = no_such < 3"], 1, "no_such"),
        (["--filter", "x = mag <"], 1, "topic 'x'"),
        (["--filter", "Xx = mag < 3"], 1, "Xx"),
        (["--filter", "mag < 3"], 2, "TOPIC=EXPR"),
        (["--filter", ""], 2, "no topic"),
        (["--filter", "__import__('os')"], 2, "no topic"),
        (["--catalog", "vsx"], 2, "redpoll catalog add vsx"),
        (["--catalog", "no_such"], 2, "no catalogue"),
        (["--skymap", "no_such"], 2, "no sky map"),
        (["--skymap", "no_such.fits"], 1, "cannot be read"),
        (["--skymap", "mine.py"], 1, "mine.py"),
        (["--skymap", "9.fits"], 2, "NAME=9.fits"),
        (["--where", "no_such < 3"], 2, "no_such"),
        (["--where", "mag <"], 2, "mag <"),
        (["--night", "tonight"], 2, "tonight"),
        (["--class", "no_such"], 2, "no_such"),
        (["--topic", "no_such"], 2, "no_such"),
        (["--cone", "1,2"], 2, "three numbers"),
        (["--survey", "lsst"], 2, "lsst"),
        (["--workers", "-1"], 2, "-1"),
    ],
)
def test_hostile_arguments_are_refused(words, code, message, made, monkeypatch):
    monkeypatch.chdir(made)
    (made / "broken.py").write_text("def (")
    (made / "empty.py").write_text("x = 1\n")
    found, _, err = call(made, *words)
    assert (found, message in err) == (code, True), err


def test_a_selection_of_nothing_says_so(made):
    code, _, err = call(made, "--module", "rise_rate", "--where", "mag < 1")
    assert (code, "No stored alert fulfils the conditions" in err) == (0, True)


def test_a_store_in_use_is_refused(folder):
    with open_store(folder / "store", mode="write"):
        code, _, err = call(folder, "--module", "rise_rate")
    assert (code, "is being written" in err) == (1, True), err


@pytest.mark.parametrize("number", [0, 99])
def test_a_store_of_another_schema_is_refused(number, folder):
    with sqlite3.connect(folder / "store" / "index.sqlite") as index:
        index.execute(f"PRAGMA user_version = {number}")
    code, _, err = call(folder, "--module", "rise_rate")
    assert code == 1
    assert "index.sqlite" in err or "schema" in err or "store" in err


def test_why_shows_replaced_values_and_saved_filters(folder):
    with open_store(folder / "store") as store:
        row = store.alerts.scan(["alert_id", "mag"], limit=1).to_table().to_pylist()[0]
        store.filters.save("saved", "mag < 1 and mag > 0", by="me")
        store.filters.save("switched_off", "mag < 1", by="me")
        store.filters.set_active("switched_off", False)
    call(folder, "--module", str(folder / "mine.py"))
    (folder / "mine.py").write_text(MINE.replace("mag * 2.0", "mag * 2.5").replace('version="1"', 'version="2"'))
    call(folder, "--module", str(folder / "mine.py"))
    words = ["why", str(row["alert_id"]), "--store", str(folder / "store"), "--config", str(folder / "redpoll.toml")]
    found = json.loads(CliRunner().invoke(redpoll, [*words, "--json"]).stdout)["stored"][0]
    answers = {answer["topic"]: answer["outcome"] for answer in found["filters"]}
    assert answers["saved"] == "nearly passed" and "switched_off" not in answers
    entry = next(entry for entry in found["revisions"] if entry["column"] == "twice_mag" and entry["value_before"])
    assert (entry["by_before"], entry["by_after"]) == ("twice_mag@1", "twice_mag@2")
    assert float(entry["value_after"]) == pytest.approx(2.5 * row["mag"])
    text = CliRunner().invoke(redpoll, words).stdout
    assert "Replaced values" in text and "twice_mag@1 -> twice_mag@2" in " ".join(text.replace("│", " ").split())


def test_a_run_of_stored_packets_points_here(folder, ztf_night):
    words = ["run", str(ztf_night), "--store", str(folder / "store"), "--config", str(folder / "redpoll.toml")]
    done = CliRunner().invoke(redpoll, [*words, "--workers", "0"])
    assert done.exit_code == 0
    assert "redpoll reprocess" in done.stderr and "packets were stored already" in done.stderr
    assert "No filter passed" not in done.stderr


def test_an_interrupted_reprocessing_ends_with_130_and_goes_on(folder):
    words = [sys.executable, "-m", "redpoll", "reprocess", "--module", str(folder / "slow.py"), "--batch-size", "5",
             "--workers", "0", "--store", str(folder / "store"), "--config", str(folder / "redpoll.toml"),
             "--json"]  # fmt: skip
    slow = MINE.replace("    return mag * 2.0", "    import time\n    time.sleep(0.1)\n    return mag * 2.0")
    (folder / "slow.py").write_text(slow)
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    revisions = folder / "store" / "archive" / "revisions"
    while process.poll() is None and not (revisions.is_dir() and len(list(revisions.iterdir())) > 2):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    first = json.loads(out)
    assert (process.returncode, first["status"]) == (130, "interrupted")
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    second = json.loads(done.stdout)
    assert second["is_resumed"] and second["before"] == first["alerts"] > 0
    with open_store(folder / "store") as store:
        values = store.alerts.scan(["twice_mag"]).to_table()["twice_mag"]
        assert values.null_count == 0
        assert first["alerts"] + second["alerts"] == len(values)
