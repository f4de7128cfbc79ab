"""A writer killed at random moments, then run again: nothing lost, nothing doubled, every file accounted for."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from redpoll.store import open_store
from redpoll.testing.store_rows import ledger_rows, object_row

KILLS = int(os.environ.get("REDPOLL_KILLS", "8"))
BATCHES, ROWS = 60, 30
WRITER = f"""
import sys
import numpy as np
from redpoll.store import Commit, DeadLetter, LedgerEntry, indexed_columns, open_store
from redpoll.testing.store_batches import store_batch

with open_store(sys.argv[1], mode="write") as store:
    store.runs.start("write")
    print("ready", flush=True)
    for i in range({BATCHES}):
        batch = store_batch({ROWS}, start=i * {ROWS}, objects=50, nights=(i // 7, i // 7 + 1))
        ids = batch["alert_id"].to_numpy()
        if store.alerts.exists("ztf", ids).all():
            continue
        letter = DeadLetter(b"bad" * i, "night.tar", str(i), "truncated")
        entry = LedgerEntry("ztf", None, "rejected", "truncated", 1)
        store.runs.commit(Commit(indexed_columns(batch), store.segments.write(batch), [letter], [entry]))
        if i % 9 == 8:
            store.maintenance.compact(rows_per_pixel=100)
    store.runs.end("done")
"""


def run_and_kill(folder: Path, seconds: float) -> bool:
    """Run the writer, and kill it after some time; returns whether it got to its end."""
    command = [sys.executable, "-c", WRITER, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
        try:
            return writer.wait(seconds) == 0
        except subprocess.TimeoutExpired:
            writer.kill()
            return False


@pytest.mark.slow
def test_kill_and_rerun_loses_and_doubles_nothing(tmp_path: Path) -> None:
    chance, folder, kills = random.Random(20201), tmp_path / "store", 0
    while kills < KILLS:
        if run_and_kill(folder, chance.uniform(0.01, 0.5)):
            folder = tmp_path / f"store{kills}"  # it was done before the kill: begin another
            continue
        kills += 1
        with open_store(folder) as store:
            counted = store.maintenance.check()
            lost = [p for p in counted.problems if "not in the index" not in p and "next run" not in p]
            assert lost == []
            assert counted.alerts % ROWS == 0
            letters = counted.alerts // ROWS  # one more if it was killed between the letters and the ledger
            assert counted.dead_letters in (letters, letters + 1)
    started = time.monotonic()
    assert run_and_kill(folder, 120), f"the last run did not end in {time.monotonic() - started:.0f} s"
    with open_store(folder) as store:
        report = store.maintenance.check()
        assert report.problems == ()
        assert (report.alerts, report.dead_letters, report.segments) == (BATCHES * ROWS, BATCHES, BATCHES)
        assert store.alerts.exists("ztf", 10**15 + np.arange(BATCHES * ROWS)).all()
        assert sum(object_row(store, f"ZTFmade{i:04d}")["n_alerts"] for i in range(50)) == BATCHES * ROWS
        assert sum(row["stored"] for row in ledger_rows(store)) == BATCHES * ROWS
        assert store.runs.table().to_pylist()[0]["status"] == "done"
