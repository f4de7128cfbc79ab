"""The light curve of an object, which its stored history gives."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pytest

from redpoll.errors import StoreError
from redpoll.history.stage import HistoryStage
from redpoll.store import Store, open_store
from redpoll.store.rebuild import rebuild
from redpoll.store.records import no_progress
from redpoll.testing.store_batches import store_batch
from redpoll.testing.store_rows import alert_rows
from redpoll.testing.store_suite import add

NAME = "ZTFmade0003"


def change(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / "index.sqlite")) as connection, connection:
        connection.execute(statement)


def night(number: int) -> pa.RecordBatch:
    return store_batch(40, start=40 * number, objects=20, nights=(number,))


def test_it_is_read_from_the_index_alone(store: Store, folder: Path) -> None:
    add(store, night(0))
    before = store.objects.light_curve(NAME)
    shutil.rmtree(folder / "archive" / "segments")
    with open_store(folder) as reader:
        assert reader.objects.light_curve(NAME).equals(before)
    assert before.num_rows > 5


@pytest.mark.parametrize("join", [lambda store: HistoryStage(store.histories).join, lambda store: lambda batch: batch])
def test_it_has_every_point_of_every_packet_joined_or_not(store: Store, join: Callable[[Store], Callable]) -> None:
    for number in range(4):
        add(store, join(store)(night(number)))
    rows = alert_rows(store, ["mjd", "light_curve"], object_ids=[NAME])
    sent = {point["mjd"] for row in rows for point in row["light_curve"]}
    assert len(rows) == 8
    assert store.objects.light_curve(NAME)["mjd"].to_pylist() == sorted(sent)


def test_a_damaged_history_is_named_with_the_remedy(store: Store, folder: Path) -> None:
    add(store, night(0))
    change(folder, "UPDATE histories SET data = zeroblob(length(data))")
    with pytest.raises(StoreError, match=rf"history of {NAME} is damaged: `redpoll store rebuild`"):
        store.objects.light_curve(NAME)


def test_a_history_that_is_gone_is_found_by_the_check_and_made_anew_by_a_rebuild(store: Store, folder: Path) -> None:
    add(store, night(0))
    before = store.objects.light_curve(NAME)
    change(folder, "DELETE FROM histories")
    assert store.objects.light_curve(NAME).num_rows == 0
    problems = store.maintenance.check(deep=True).problems
    assert any(f"history of ztf {NAME} is gone" in problem for problem in problems)
    store.close()
    rebuild(folder, progress=no_progress)
    with open_store(folder) as reader:
        assert reader.objects.light_curve(NAME).equals(before)
        assert reader.maintenance.check(deep=True).ok


def test_compaction_leaves_it_alone(store: Store, folder: Path) -> None:
    add(store, night(0))
    before = store.objects.light_curve(NAME)
    store.maintenance.compact(rows_per_pixel=10)
    assert store.objects.light_curve(NAME).equals(before)
