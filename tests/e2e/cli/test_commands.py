"""The command as a user types it: exit codes, data on stdout, words on stderr."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from redpoll.cli.main import VERBS
from redpoll.store import open_store


def redpoll(*words, cwd=None):
    command = [sys.executable, "-m", "redpoll", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=120)


@pytest.fixture(scope="module")
def store(ztf_night, tmp_path_factory):
    path = tmp_path_factory.mktemp("store")
    assert redpoll("run", ztf_night, "--store", path).returncode == 0
    return path


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example(verb):
    done = redpoll(verb, "--help")
    assert done.returncode == 0
    assert "Example: redpoll" in done.stdout


@pytest.mark.parametrize(
    "words",
    [[], ["rnu"], ["run"], ["run", "x", "--workers", "-1"], ["ledger", "--by", "week"], ["fetch", "ztf", "tomorrow"]],
)
def test_misuse_is_exit_code_2(words):
    done = redpoll(*words)
    assert done.returncode == 2
    assert not done.stdout.startswith("Traceback")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "words",
    [["run", "no-such-file"], ["ledger", "--store", "nowhere"], ["dead-letters", "show", "9", "--store", "nowhere"]],
)
def test_failure_is_exit_code_1_and_one_line(words, tmp_path):
    done = redpoll(*words, cwd=tmp_path)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1


def test_run_and_ledger_print_data_that_adds_up(store):
    (row,) = json.loads(redpoll("ledger", "--store", store, "--json").stdout)
    assert row["received"] == row["stored"] + row["duplicate"] + row["rejected"] == 300


@pytest.mark.parametrize(("verb", "name"), [("modules", "rise_rate"), ("filters", "fast_risers")])
def test_one_module_or_filter_is_shown_in_full(verb, name):
    shown = redpoll(verb, name).stdout
    assert "Inputs" in shown and "Settings" in shown and "mag/d" in shown
    data = json.loads(redpoll(verb, name, "--json").stdout)
    assert data["version"] and all(fact["doc"] for fact in data["inputs"].values())


def test_an_unknown_module_is_misuse_that_names_the_near_ones():
    done = redpoll("modules", "rise_rat")
    assert done.returncode == 2 and "rise_rate" in done.stderr


def test_the_ledger_ends_with_the_newest_night_and_a_total(store):
    shown = redpoll("ledger", "--store", store, "--last", "1").stdout
    assert redpoll("ledger", "--store", store, "--last", "0").returncode == 2
    assert "= stored" in shown


def test_modules_and_filters_list_what_is_installed():
    modules = {row["name"] for row in json.loads(redpoll("modules", "--json").stdout)}
    topics = {row["name"] for row in json.loads(redpoll("filters", "--json").stdout)}
    assert {"light_curve_statistics", "colour", "age", "roid", "rise_rate"} <= modules
    assert {"bright_new_transients", "fast_risers", "lost_and_found", "solar_system_candidates"} <= topics


def test_the_printed_configuration_is_one(tmp_path, ztf_night):
    (tmp_path / "c.toml").write_text(redpoll("config").stdout)
    done = redpoll("run", ztf_night, "--store", tmp_path / "s", "--config", tmp_path / "c.toml", "--json")
    assert (done.returncode, json.loads(done.stdout)["received"]) == (0, 300)


def test_an_unknown_key_in_the_configuration_is_misuse(tmp_path):
    (tmp_path / "c.toml").write_text("[runn]\nworkers = 1")
    done = redpoll("modules", "--config", tmp_path / "c.toml")
    assert (done.returncode, "near: run" in done.stderr) == (2, True)


def test_dead_letters_are_listed_shown_and_replayed(tmp_path):
    (tmp_path / "bad.avro").write_bytes(b"Obj\x01 this is no packet")
    store = tmp_path / "s"
    assert redpoll("run", tmp_path / "bad.avro", "--store", store).returncode == 1
    (letter,) = json.loads(redpoll("dead-letters", "list", "--store", store, "--json").stdout)
    command = [
        sys.executable,
        "-m",
        "redpoll",
        "dead-letters",
        "show",
        str(letter["id"]),
        "--raw",
        "--store",
        str(store),
    ]
    assert subprocess.run(command, capture_output=True).stdout == b"Obj\x01 this is no packet"
    assert letter["reason"] in redpoll("dead-letters", "show", letter["id"], "--store", store).stdout
    replayed = json.loads(redpoll("dead-letters", "replay", "--store", store, "--json").stdout)
    assert (replayed["received"], replayed["rejected"]) == (1, 1)
    assert len(json.loads(redpoll("dead-letters", "list", "--store", store, "--json").stdout)) == 1


def test_try_runs_a_file_without_packaging(ztf_night, tmp_path):
    (tmp_path / "mine.py").write_text(
        '''"""Mine."""
import numpy as np
from redpoll import Column, alert_filter, science_module


@science_module(version="1", per="object", outputs={"my_rate": Column("float32", "mag/day", "Rate.")})
def my_rate(mjd, band, mag):
    """Slope of the last two detections in the band of the newest one; null if fewer."""
    same = band == band[-1]
    if same.sum() < 2:
        return None
    (t0, t1), (m0, m1) = mjd[same][-2:], mag[same][-2:]
    return (m1 - m0) / (t1 - t0)


@alert_filter(topic="my_risers")
def my_risers(my_rate, real_bogus, *, max_rate=-0.1):
    """Rising and real."""
    return (my_rate < max_rate) & (real_bogus > 0.5)
'''
    )
    done = redpoll("try", tmp_path / "mine.py", "--alerts", ztf_night, "--json")
    data = json.loads(done.stdout)
    assert done.returncode == 0
    assert [row["column"] for row in data["summary"]] == ["my_rate", "pass_my_risers"]
    assert any(row["my_rate"] is not None for row in data["rows"])


@pytest.mark.parametrize(
    ("text", "message"),
    [("def f(:", "line 1"), ("x = 1", "defines no"), ("raise ValueError('boo')", "boo")],
)
def test_try_says_what_is_wrong_with_a_file(text, message, ztf_night, tmp_path):
    (tmp_path / "mine.py").write_text(text)
    done = redpoll("try", tmp_path / "mine.py", "--alerts", ztf_night)
    assert (done.returncode, message in done.stderr) == (1, True), done.stderr


def test_store_commands_prove_rebuild_and_sort(store):
    assert json.loads(redpoll("store", "check", "--store", store, "--json").stdout)["ok"]
    assert redpoll("store", "rebuild", "--store", store).returncode == 0
    assert json.loads(redpoll("store", "compact", "--store", store, "--json").stdout)[0]["survey"] == "ztf"
    assert json.loads(redpoll("store", "check", "--store", store, "--json").stdout)["ok"]


def test_demo_without_serving_ends_by_itself(tmp_path):
    done = redpoll("demo", "--no-serve", "--alerts", 200, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Latest candidates" in done.stdout
    again = redpoll("demo", "--no-serve", "--alerts", 200, cwd=tmp_path)
    assert (again.returncode, "already stored" in again.stdout) == (0, True)


def test_the_ledger_says_that_the_newest_run_left_a_sink_parked(tmp_path):
    with open_store(tmp_path / "s", mode="write") as store:
        store.runs.start("run")
        store.runs.end("done; parked: fake (3 messages in its spool)")
    assert "Run 1, the newest: done; parked: fake (3 messages" in redpoll("ledger", "--store", tmp_path / "s").stderr


def test_a_parked_sink_gives_exit_code_1_and_its_messages_come_with_the_next_run(ztf_night, tmp_path):
    (tmp_path / "blocked").write_text("a file where a folder is needed")
    config = tmp_path / "c.toml"
    config.write_text(
        f'[filters.expressions]\nall = "mjd > 0"\n[delivery]\nretries = 0\n[sinks.json_lines]\n'
        f'path = "{tmp_path}/blocked/{{topic}}.jsonl"\ntopics = ["all"]\n'
    )
    first = redpoll("run", ztf_night, "--store", tmp_path / "s", "--config", config)
    assert (first.returncode, "is parked" in first.stderr) == (1, True)
    (tmp_path / "blocked").unlink()
    again = redpoll("run", ztf_night, "--store", tmp_path / "s", "--config", config, "--json")
    assert (again.returncode, json.loads(again.stdout)["stored"]) == (0, 0)
    lines = (tmp_path / "blocked" / "all.jsonl").read_text().splitlines()
    with open_store(tmp_path / "s") as store:
        assert len(lines) == store.alerts.scan(["alert_id"]).to_table().num_rows > 100


def test_an_expression_is_tried_and_only_the_alerts_that_pass_are_shown(ztf_night):
    words = ["try", "--expr", "mag < 18", "--passing", "--alerts", ztf_night, "--limit", "100", "--json"]
    done = redpoll(*words, "--rows", "100")
    rows = json.loads(done.stdout)["rows"]
    assert done.returncode == 0 and rows and all(row["pass_expr"] and row["mag"] < 18 for row in rows)


def test_nothing_to_try_is_a_misuse(ztf_night):
    assert redpoll("try", "--alerts", ztf_night).returncode == 2
