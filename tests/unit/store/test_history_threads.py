"""The histories of many objects, which several threads read at once."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from redpoll.errors import StoreError, StoreTimeout
from redpoll.history.stage import open_history
from redpoll.store import Commit, Store, histories, indexed_columns, open_store, query_time
from redpoll.store.histories import DISK_THREADS, Histories
from redpoll.testing.store_batches import store_batch

N = 700


@pytest.fixture(autouse=True)
def slow_disk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every query of a store taken for a slow one."""
    if "full" in request.fixturenames:
        monkeypatch.setattr(histories, "_SLOW", 0.0)


@pytest.fixture
def full(store: Store, folder: Path) -> tuple[Store, list[str]]:
    """A store with a history for each of 700 objects, and their names."""
    batch = open_history(folder).join(store_batch(N, objects=N, points=4))
    store.runs.commit(Commit(indexed_columns(batch), store.segments.write(batch)))
    return store, batch["object_id"].to_pylist()


def test_many_objects_have_the_histories_that_each_has_alone(full: tuple[Store, list[str]]) -> None:
    store, names = full
    wanted = [*reversed(names), "unknown", *names[:50]]
    together = store.histories.read("ztf", wanted).to_arrow()
    assert together.to_pylist() == [store.histories.read("ztf", [name]).to_arrow()[0].as_py() for name in wanted]
    assert sum(map(len, together.to_pylist())) > N


@pytest.mark.parametrize("seconds", [0.0, 0.1])
def test_the_questions_are_asked_at_the_same_time_where_the_first_takes_long(
    seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, seconds])
    monkeypatch.setattr(histories, "time", SimpleNamespace(perf_counter=partial(next, clock)))
    barrier, threads, n = threading.Barrier(DISK_THREADS, timeout=20.0), [], 32 + DISK_THREADS * 128

    def execute(sql: str, parameters: object) -> list[object]:
        threads.append(threading.get_ident())
        return []

    def from_disk(sql: str, parameters: object) -> list[object]:
        threads.append(threading.get_ident())
        barrier.wait()
        return []

    found = Histories(execute, from_disk).read("ztf", [str(i) for i in range(n)])
    assert len(found) == n and not len(found.mjd)
    assert len(threads) == 1 + DISK_THREADS and len(set(threads)) == (1 + DISK_THREADS if seconds else 1)


def test_a_damaged_history_is_an_error_that_names_the_object(full: tuple[Store, list[str]], folder: Path) -> None:
    store, names = full
    with closing(sqlite3.connect(folder / "index.sqlite")) as connection, connection:
        connection.execute("UPDATE histories SET data = x'00' WHERE _id = (SELECT max(_id) FROM histories)")
    with pytest.raises(StoreError, match=r"history of ztf .* is damaged"):
        store.histories.read("ztf", names)


def test_the_time_of_a_query_holds_in_all_threads(full: tuple[Store, list[str]], folder: Path) -> None:
    store, names = full
    with query_time(0.0), pytest.raises(StoreTimeout):
        store.histories.read("ztf", names)
    assert len(np.unique(store.histories.read("ztf", names).offsets)) == N + 1
    with open_store(folder) as other:
        other.close()
        with pytest.raises(StoreError, match="is closed"):
            other.histories.read("ztf", names)
