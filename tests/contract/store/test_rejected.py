"""Alerts that cuts rejected, when something goes wrong: a kill, a damaged index, a count that does not fit."""

from __future__ import annotations

import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from redpoll.store import Store, open_store, rebuild_store, writer
from redpoll.store.rejected import insert_rejected
from redpoll.testing.store_rows import ledger_rows
from redpoll.testing.store_suite.rejected import REASON, reject, rejected_alert

ALERTS = [rejected_alert(i, position=str(i)) for i in range(1, 6)]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_kill_inside_the_commit_leaves_counts_equal_to_the_ledger(folder: Path, moment: str) -> None:
    with open_store(folder, mode="write") as store:
        store.runs.start("first")
        reject(store, ALERTS[:2])
    child = os.fork()
    if child == 0:

        def killed(connection: sqlite3.Connection, run: int, alerts: list[object]) -> None:
            if moment == "after":
                insert_rejected(connection, run, alerts)
            os.kill(os.getpid(), signal.SIGKILL)

        writer.insert_rejected = killed
        store = open_store(folder, mode="write")
        store.runs.start("killed")
        reject(store, ALERTS)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    with open_store(folder, mode="write") as store:
        assert (n_named(store), n_counted(store)) == (2, 2)
        store.runs.start("again")
        reject(store, ALERTS)
        assert (n_named(store), n_counted(store)) == (7, 7)
        assert store.maintenance.check().problems == ()


def n_named(store: Store) -> int:
    return sum(store.rejected.find(object_id="ZTF1")["n"].to_pylist())


def n_counted(store: Store) -> int:
    return sum(row["rejected"] for row in ledger_rows(store))


@pytest.mark.parametrize(
    ("sql", "counts"),
    [("DELETE FROM rejected WHERE alert_id = 3", "5 rejected by .* but 4"),
     ("DELETE FROM ledger", "0 rejected by .* but 5"),
     ("UPDATE rejected SET n = 3 WHERE alert_id = 1", "5 rejected by .* but 7")],
)  # fmt: skip
def test_a_count_that_does_not_fit_is_found_and_corrected_by_a_rebuild(folder: Path, sql: str, counts: str) -> None:
    with open_store(folder, mode="write") as store:
        store.runs.start("test")
        reject(store, ALERTS)
    with closing(sqlite3.connect(folder / "index.sqlite")) as index:
        index.execute(sql)
        index.commit()
    with open_store(folder) as store:
        (problem,) = store.maintenance.check().problems
    with pytest.raises(AssertionError, match=counts):
        raise AssertionError(problem)
    assert rebuild_store(folder).kept == ("runs", "ledger", "rejected", "positions", "revision_jobs")
    with open_store(folder) as store:
        assert store.maintenance.check().problems == ()
        reasons = ledger_rows(store)[0]["reasons"]
        assert reasons[REASON] == n_named(store)
        assert reasons.get(f"identifiers lost, {REASON}", 0) == (1 if "alert_id = 3" in sql else 0)
