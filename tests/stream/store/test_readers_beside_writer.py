"""Readers beside a writer that commits and compacts all the time: every answer is whole."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from redpoll.store import Store, open_store

SECONDS = 4.0
WRITER = """
import sys
from redpoll.store import Commit, indexed_columns, open_store
from redpoll.testing.store_batches import store_batch

with open_store(sys.argv[1], mode="write") as store:
    store.start_run("write")
    for i in range(100_000):
        batch = store_batch(40, start=i * 40, objects=30, nights=(i, i + 1))
        store.commit(Commit(indexed_columns(batch), store.archive(batch)))
        if i % 3 == 2:
            store.compact(rows_per_pixel=100)
        if not i:
            print("ready", flush=True)
"""


def ask(store: Store) -> int:
    """One round of questions whose answers must fit together; returns the number of alerts seen."""
    rows = store.latest(limit=50)
    assert rows == sorted(rows, key=lambda row: (row["mjd"], row["alert_id"]), reverse=True)
    newest = rows[0]
    whole = store.get_alert(newest["alert_id"], "ztf")
    assert whole["packet"]["candid"] == newest["alert_id"] - 10**15
    assert whole["cutout_science"].startswith(b"cutout_science%d." % whole["packet"]["candid"])
    oldest = store.alerts_of(newest["object_id"])[-1]
    assert store.get_alert(oldest["alert_id"], "ztf", ["mjd"]) == {"mjd": oldest["mjd"]}
    times = set(store.light_curve(newest["object_id"])["mjd"].to_pylist())
    assert {newest["mjd"], oldest["mjd"]} <= times
    assert store.object(newest["object_id"])["n_alerts"] >= 1
    (total,) = {row["stored"] for row in store.ledger(by="run")}
    return int(total)


@pytest.mark.slow
def test_answers_stay_whole_while_a_writer_commits_and_compacts(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path / "store")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
        seen: list[int] = []
        try:
            with open_store(tmp_path / "store") as store:
                stop = time.monotonic() + SECONDS
                while time.monotonic() < stop:
                    seen.append(ask(store))
        finally:
            writer.kill()
    assert seen == sorted(seen)
    assert seen[-1] > seen[0]
