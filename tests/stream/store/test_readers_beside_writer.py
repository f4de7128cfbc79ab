"""Readers beside a writer that commits and compacts all the time: every answer is whole."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from redpoll.store import Store, open_store
from redpoll.testing.store_rows import alert_rows, full_alert, ledger_rows, object_row

SECONDS = 4.0
WRITER = """
import sys
from redpoll.store import Commit, indexed_columns, open_store
from redpoll.testing.store_batches import store_batch

with open_store(sys.argv[1], mode="write") as store:
    store.runs.start("write")
    for i in range(100_000):
        batch = store_batch(40, start=i * 40, objects=30, nights=(i, i + 1))
        store.runs.commit(Commit(indexed_columns(batch), store.segments.write(batch)))
        if i % 3 == 2:
            store.maintenance.compact(rows_per_pixel=100)
        if not i:
            print("ready", flush=True)
"""


def ask(store: Store) -> int:
    """One round of questions whose answers must fit together; returns the number of alerts seen."""
    rows = alert_rows(store, limit=50)
    assert rows == sorted(rows, key=lambda row: (row["mjd"], row["alert_id"]), reverse=True)
    newest = rows[0]
    whole = full_alert(store, newest["alert_id"], "ztf")
    assert whole["packet"]["candid"] == newest["alert_id"] - 10**15
    assert whole["cutout_science"].startswith(b"cutout_science%d." % whole["packet"]["candid"])
    oldest = alert_rows(store, object_ids=[newest["object_id"]])[-1]
    assert full_alert(store, oldest["alert_id"], "ztf", ["mjd"]) == {"mjd": oldest["mjd"]}
    times = set(store.objects.light_curve(newest["object_id"])["mjd"].to_pylist())
    assert {newest["mjd"], oldest["mjd"]} <= times
    assert object_row(store, newest["object_id"])["n_alerts"] >= 1
    (total,) = {row["stored"] for row in ledger_rows(store, by="run")}
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
