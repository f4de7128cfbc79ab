"""kill -9 at random moments of a reprocessing, then the same command: the store of one that was not disturbed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time

import pytest

from redpoll.config import load_config
from redpoll.ingest.files import open_sources
from redpoll.pipeline.run import run_night
from redpoll.plugin.discovery import installed_filters, installed_modules
from redpoll.store import open_store
from redpoll.testing.kills import run_and_kill
from redpoll.testing.store_contents import contents

KILLS = int(os.environ.get("REDPOLL_KILLS", "5"))
MODULE = """
import time
from redpoll import Column, alert_filter, science_module

@science_module(version="1", outputs={"n_seen": Column("int32", doc="Points.", aggregate="max"),
                                      "p_x": Column("float32", doc="A score.", assigns="agn")}, per="object")
def seen(light_curve, alert_id):
    "Points of the light curve."
    time.sleep(0.005)
    return len(light_curve.mjd), (alert_id % 10) / 10

@alert_filter(topic="well_seen")
def well_seen(n_seen):
    "Many points."
    return n_seen > 20
"""


@pytest.fixture(scope="module")
def made(ztf_night, tmp_path_factory):
    """A folder with a store, a configuration and a module that is not in it."""
    folder = tmp_path_factory.mktemp("reprocess-kill")
    off = [json.dumps([node.name for node in nodes]) for nodes in (installed_modules(), installed_filters())]
    (folder / "redpoll.toml").write_text(f"[modules]\noff = {off[0]}\n[filters]\noff = {off[1]}\n")
    (folder / "seen.py").write_text(MODULE)
    run_night(open_sources([str(ztf_night)]), folder / "store", load_config(folder / "redpoll.toml"))
    return folder


def command(folder, store, workers):
    words = ["reprocess", "--module", str(folder / "seen.py"), "--store", str(store), "--batch-size", "10", "--json",
             "--workers", str(workers), "--config", str(folder / "redpoll.toml")]  # fmt: skip
    return [sys.executable, "-m", "redpoll", *words]


def everything(path):
    with open_store(path) as store:
        report = store.maintenance.check()
        return report.problems, contents(store)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_a_killed_reprocessing_goes_on_where_it_was(workers, made, tmp_path):
    for name in ("killed", "undisturbed"):
        shutil.copytree(made / "store", tmp_path / name)
    start = time.monotonic()
    subprocess.run(command(made, tmp_path / "undisturbed", workers), check=True, capture_output=True)
    seconds = time.monotonic() - start
    run_and_kill(command(made, tmp_path / "killed", workers), KILLS, (0.3 * seconds, 1.0 * seconds), seed=3)
    done = subprocess.run(command(made, tmp_path / "killed", workers), check=True, capture_output=True, text=True)
    assert json.loads(done.stdout)["status"] in ("done", "done before")
    problems, found = everything(tmp_path / "killed")
    assert problems == ()
    assert found == everything(tmp_path / "undisturbed")[1]
    with open_store(tmp_path / "killed") as store:
        (job,) = store.revisions.jobs().to_pylist()
        assert (job["status"], job["n_alerts"]) == ("done", len(found["alerts"]))
        row = store.alerts.scan(["survey", "alert_id"], limit=1).to_rows()[0]
        columns = store.revisions.of_alert(row["alert_id"], row["survey"])["column"].to_pylist()
        assert sorted(columns) == sorted(set(columns))  # no value was replaced twice
