"""kill -9 at random moments, then a rerun: nothing lost, nothing doubled, every archive file accounted for.

``REDPOLL_KILLS`` says how many times; `make bench` does it a hundred times.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from redpoll.store import open_store
from redpoll.testing.kills import run_and_kill
from redpoll.testing.store_rows import alert_rows, object_row

KILLS = int(os.environ.get("REDPOLL_KILLS", "5"))
BATCH = "15"


CONFIG = """
[filters.expressions]
every_alert = "mjd > 0"
[sinks.json_lines]
path = "{folder}/candidates-{{topic}}.jsonl"
topics = ["every_alert"]
"""


def command(night, store, workers):
    config = store.with_suffix(".toml")
    config.write_text(CONFIG.format(folder=store.parent))
    verbs = ["run", str(night), "--store", str(store), "--batch-size", BATCH, "--workers", str(workers), "--json",
             "--config", str(config)]  # fmt: skip
    return [sys.executable, "-m", "redpoll", *verbs]


def run_to_the_end(night, store, workers=0):
    subprocess.run(command(night, store, workers), check=True, capture_output=True)


def contents(path):
    with open_store(path) as store:
        report = store.maintenance.check()
        alerts = {(row["survey"], row["alert_id"]): row for row in alert_rows(store, limit=100_000)}
        objects = {row["object_id"]: object_row(store, row["object_id"]) for row in alerts.values()}
    return report, alerts, objects


@pytest.fixture(scope="module")
def clean(ztf_night, tmp_path_factory):
    """What one undisturbed run stores, and the seconds it takes."""
    store = tmp_path_factory.mktemp("clean") / "store"
    start = time.monotonic()
    run_to_the_end(ztf_night, store)
    return contents(store), time.monotonic() - start


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_a_run_killed_at_any_moment_is_made_whole_by_the_next(workers, ztf_night, clean, tmp_path):
    (_, alerts, objects), seconds = clean
    run_and_kill(command(ztf_night, tmp_path / "store", workers), KILLS, (0.3 * seconds, 1.1 * seconds), seed=7)
    run_to_the_end(ztf_night, tmp_path / "store", workers)
    report, found, found_objects = contents(tmp_path / "store")
    assert report.problems == ()
    assert found == alerts
    lines = (tmp_path / "candidates-every_alert.jsonl").read_text().splitlines()
    sent = [(row["survey"], int(row["alert_id"])) for row in map(json.loads, lines)]
    assert sorted(sent) == sorted(alerts)
    assert found_objects == objects


@pytest.mark.slow
def test_an_interrupt_finishes_the_batch_and_ends_clean(ztf_night, clean, tmp_path):
    run = subprocess.Popen(
        command(ztf_night, tmp_path / "store", 0), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    segments = tmp_path / "store" / "archive" / "segments"
    while not segments.is_dir() or not any(segments.iterdir()):
        time.sleep(0.01)
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=60)
    assert (run.returncode, '"status": "interrupted"' in out) == (130, True), err
    report, found, _ = contents(tmp_path / "store")
    assert report.problems == ()
    assert 0 < len(found) < len(clean[0][1])
