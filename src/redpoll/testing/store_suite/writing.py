"""What commits do to a store."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from redpoll.errors import StoreError, StoreLocked
from redpoll.store import Commit, DeadLetter, LedgerEntry, Store, indexed_columns
from redpoll.testing.store_batches import store_batch
from redpoll.testing.store_suite.cases import StoreCases, add


class WritingCases(StoreCases):
    """What commits do."""

    def test_an_archived_part_counts_only_once_committed(self, store: Store) -> None:
        batch = store_batch(5)
        segment = store.archive(batch)
        assert store.latest() == []
        store.commit(Commit(indexed_columns(batch), segment))
        assert len(store.latest()) == 5

    def test_the_same_alerts_again_are_duplicates(self, store: Store) -> None:
        add(store, store_batch(10))
        assert add(store, store_batch(10, start=5)) == 5
        assert len(store.latest(limit=100)) == 15
        assert store.get_alert(10**15 + 12, "ztf", ["alert_id", "packet"])["packet"]["candid"] == 12
        (row,) = store.ledger()
        assert (row["received"], row["stored"], row["duplicate"]) == (20, 15, 5)

    def test_a_commit_of_known_alerts_alone_adds_nothing(self, store: Store) -> None:
        add(store, store_batch(10))
        before = store.object("ZTFmade0003")
        assert add(store, store_batch(10)) == 0
        assert store.object("ZTFmade0003") == before

    def test_an_alert_twice_in_one_batch_counts_once(self, store: Store) -> None:
        batch = store_batch(4)
        twice = pa.Table.from_batches([batch, batch]).combine_chunks().to_batches()[0]
        assert add(store, twice) == 4
        assert len(store.latest()) == 4

    def test_one_number_in_two_surveys_is_two_alerts(self, store: Store) -> None:
        assert add(store, store_batch(3)) == add(store, store_batch(3, survey="rubin")) == 3
        assert store.get_alert(10**15, "rubin", ["survey"]) == {"survey": "rubin"}
        assert store.exists("rubin", np.array([10**15, 7])).tolist() == [True, False]

    def test_known_says_which_alerts_are_stored(self, store: Store) -> None:
        assert store.exists("ztf", np.array([10**15])).tolist() == [False]
        add(store, store_batch(3))
        assert store.exists("ztf", 10**15 + np.array([5, 0, 2])).tolist() == [False, True, True]
        assert store.exists("ztf", np.array([], np.int64)).tolist() == []

    def test_a_refused_commit_leaves_nothing(self, store: Store) -> None:
        batch = store_batch(5)
        wrong = [LedgerEntry("ztf", 20200101, "stored", "", 4)]
        with pytest.raises(StoreError, match="ledger says stored"):
            add(store, batch, ledger=wrong, dead_letters=[DeadLetter(b"x", "f", "0", "bad")])
        assert (store.latest(), store.ledger(), store.dead_letters()) == ([], [], [])

    def test_a_part_must_hold_the_alerts_of_its_commit(self, store: Store) -> None:
        segment = store.archive(store_batch(5))
        with pytest.raises(StoreError, match="does not hold"):
            store.commit(Commit(indexed_columns(store_batch(5, start=1)), segment))

    def test_columns_of_a_new_module_are_unknown_for_older_alerts(self, store: Store) -> None:
        add(store, store_batch(2))
        batch = store_batch(2, start=2)
        field = pa.field("age", pa.float32(), metadata={"indexed": "1", "by": "age@1", "unit": "d"})
        add(store, batch.append_column(field, pa.array([1.5, None], pa.float32())))
        assert [row["age"] for row in store.latest()] == [None, 1.5, None, None]
        assert [c["unit"] for c in store.columns() if c["name"] == "age"] == ["d"]

    def test_a_column_that_is_no_identifier_is_refused(self, store: Store) -> None:
        batch = store_batch(2).append_column(pa.field('a"b', pa.float32()), pa.nulls(2, pa.float32()))
        with pytest.raises(StoreError, match="cannot be stored"):
            store.archive(batch)

    def test_an_empty_batch_is_refused(self, store: Store) -> None:
        with pytest.raises(StoreError, match="one survey"):
            store.archive(store_batch(0))

    def test_a_second_writer_is_told_who_writes(self, store: Store) -> None:
        with pytest.raises(StoreLocked, match=r"process \d+"):
            self.open(store.path, "write")

    def test_a_reader_cannot_write(self, store: Store) -> None:
        with self.open(store.path, "read") as reader, pytest.raises(StoreError, match="open for reading"):
            reader.start_run("x")

    def test_runs_are_listed_newest_first(self, store: Store) -> None:
        store.end_run("done")
        second = store.start_run("again")
        statuses = [(run["run"], run["command"], run["status"]) for run in store.runs()]
        assert statuses == [(second, "again", "running"), (second - 1, "test", "done")]

    def test_a_run_that_never_ended_is_marked(self, store: Store) -> None:
        path = store.path
        store.close()
        with self.open(path, "write") as again:
            again.start_run("next")
            assert [run["status"] for run in again.runs()] == ["running", "crashed"]
