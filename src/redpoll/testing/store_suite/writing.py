"""What commits do to a store."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from redpoll.errors import StoreError, StoreLocked
from redpoll.store import Commit, DeadLetter, LedgerEntry, Store, indexed_columns
from redpoll.testing.store_batches import store_batch
from redpoll.testing.store_rows import alert_rows, full_alert, ledger_rows, object_row
from redpoll.testing.store_suite.cases import StoreCases, add


class WritingCases(StoreCases):
    """What commits do."""

    def test_an_archived_segment_counts_only_once_committed(self, store: Store) -> None:
        batch = store_batch(5)
        segment = store.segments.write(batch)
        assert alert_rows(store) == []
        store.runs.commit(Commit(indexed_columns(batch), segment))
        assert len(alert_rows(store)) == 5

    def test_the_same_alerts_again_are_duplicates(self, store: Store) -> None:
        add(store, store_batch(10))
        assert add(store, store_batch(10, start=5)) == 5
        assert len(alert_rows(store, limit=100)) == 15
        assert full_alert(store, 10**15 + 12, "ztf", ["alert_id", "packet"])["packet"]["candid"] == 12
        (row,) = ledger_rows(store)
        assert (row["received"], row["stored"], row["duplicate"]) == (20, 15, 5)

    def test_a_commit_of_stored_alerts_alone_adds_nothing(self, store: Store) -> None:
        add(store, store_batch(10))
        before = object_row(store, "ZTFmade0003")
        assert add(store, store_batch(10)) == 0
        assert object_row(store, "ZTFmade0003") == before

    def test_an_alert_twice_in_one_batch_counts_once(self, store: Store) -> None:
        batch = store_batch(4)
        twice = pa.Table.from_batches([batch, batch]).combine_chunks().to_batches()[0]
        assert add(store, twice) == 4
        assert len(alert_rows(store)) == 4

    def test_alerts_keep_the_positions_of_their_packets_whatever_is_left_out(self, store: Store) -> None:
        add(store, store_batch(5), positions=[("a.avro", f"record {i}") for i in range(5)])
        batch = store_batch(5, start=3)  # two are stored already, and all stand twice
        twice = pa.Table.from_batches([batch, batch]).combine_chunks().to_batches()[0]
        assert add(store, twice, positions=[(f"{i % 2}.avro", f"record {i}") for i in range(10)]) == 3
        seen = [store.ledger.origin(10**15 + i, "ztf").to_pylist()[0] for i in range(8)]
        expected = [("a.avro", f"record {i}") for i in range(5)]
        expected += [("0.avro", "record 2"), ("1.avro", "record 3"), ("0.avro", "record 4")]
        assert [(row["source"], row["position"]) for row in seen] == expected
        assert store.maintenance.check().problems == ()

    def test_positions_that_are_not_those_of_the_alerts_are_refused(self, store: Store) -> None:
        with pytest.raises(StoreError, match="2 positions"):
            add(store, store_batch(3), positions=[("a", "1"), ("a", "2")])
        assert alert_rows(store) == []

    def test_a_position_that_is_not_given_is_unknown(self, store: Store) -> None:
        add(store, store_batch(1))
        (row,) = store.ledger.origin(10**15, "ztf").to_pylist()
        assert (row["source"], row["position"]) == (None, None)

    def test_a_retried_packet_is_counted_once_with_its_last_outcome(self, store: Store) -> None:
        bad = LedgerEntry(None, None, "rejected", "unreadable: N bytes", 2)
        store.runs.commit(Commit(None, None, ledger=[bad]))
        reasons = [("ends early: 7 bytes", "unreadable: N bytes")]
        add(store, store_batch(1), retried=reasons)
        rows = ledger_rows(store)
        assert [(row["received"], row["stored"], row["rejected"]) for row in rows] == [(1, 1, 0), (1, 0, 1)]
        again = LedgerEntry(None, None, "rejected", "unreadable: N bytes", 1)
        for _ in range(3):
            store.runs.commit(Commit(None, None, ledger=[again], retried=reasons))
        assert sum(row["received"] for row in ledger_rows(store)) == 2
        add(store, store_batch(2, start=1), retried=reasons * 5)  # no count is taken back that is not there
        assert [(row["received"], row["stored"], row["rejected"]) for row in ledger_rows(store)] == [(3, 3, 0)]
        assert store.maintenance.check().problems == ()

    def test_one_number_in_two_surveys_is_two_alerts(self, store: Store) -> None:
        assert add(store, store_batch(3)) == add(store, store_batch(3, survey="rubin")) == 3
        assert full_alert(store, 10**15, "rubin", ["survey"]) == {"survey": "rubin"}
        assert store.alerts.exists("rubin", np.array([10**15, 7])).tolist() == [True, False]

    def test_exists_is_true_for_stored_alerts(self, store: Store) -> None:
        assert store.alerts.exists("ztf", np.array([10**15])).tolist() == [False]
        add(store, store_batch(3))
        assert store.alerts.exists("ztf", 10**15 + np.array([5, 0, 2])).tolist() == [False, True, True]
        assert store.alerts.exists("ztf", np.array([], np.int64)).tolist() == []

    def test_a_refused_commit_leaves_nothing(self, store: Store) -> None:
        batch = store_batch(5)
        wrong = [LedgerEntry("ztf", 20200101, "stored", "", 4)]
        with pytest.raises(StoreError, match="ledger has stored"):
            add(store, batch, ledger=wrong, dead_letters=[DeadLetter(b"x", "f", "0", "bad")])
        assert (alert_rows(store), ledger_rows(store), store.dead_letters.table().to_pylist()) == ([], [], [])

    def test_a_segment_must_hold_the_alerts_of_its_commit(self, store: Store) -> None:
        segment = store.segments.write(store_batch(5))
        with pytest.raises(StoreError, match="does not hold"):
            store.runs.commit(Commit(indexed_columns(store_batch(5, start=1)), segment))

    def test_columns_of_a_new_module_are_unknown_for_older_alerts(self, store: Store) -> None:
        add(store, store_batch(2))
        batch = store_batch(2, start=2)
        field = pa.field("age", pa.float32(), metadata={"indexed": "1", "by": "age@1", "unit": "d"})
        add(store, batch.append_column(field, pa.array([1.5, None], pa.float32())))
        assert [row["age"] for row in alert_rows(store)] == [None, 1.5, None, None]
        assert store.alerts.schema().field("age").metadata[b"unit"] == b"d"

    def test_a_column_that_is_no_identifier_is_refused(self, store: Store) -> None:
        batch = store_batch(2).append_column(pa.field('a"b', pa.float32()), pa.nulls(2, pa.float32()))
        with pytest.raises(StoreError, match="cannot be stored"):
            store.segments.write(batch)

    def test_an_empty_batch_is_refused(self, store: Store) -> None:
        with pytest.raises(StoreError, match="one survey"):
            store.segments.write(store_batch(0))

    def test_a_second_writer_is_refused_and_the_first_named(self, store: Store) -> None:
        with pytest.raises(StoreLocked, match=r"process \d+"):
            self.open(store.url, "write")

    def test_a_reader_cannot_write(self, store: Store) -> None:
        with self.open(store.url, "read") as reader, pytest.raises(StoreError, match="open for reading"):
            reader.runs.start("x")

    def test_runs_are_listed_newest_first(self, store: Store) -> None:
        store.runs.end("done")
        second = store.runs.start("again")
        statuses = [(run["run"], run["command"], run["status"]) for run in store.runs.table().to_pylist()]
        assert statuses == [(second, "again", "running"), (second - 1, "test", "done")]

    def test_a_run_that_never_ended_is_marked(self, store: Store) -> None:
        url = store.url
        store.close()
        with self.open(url, "write") as again:
            again.runs.start("next")
            assert [run["status"] for run in again.runs.table().to_pylist()] == ["running", "crashed"]
