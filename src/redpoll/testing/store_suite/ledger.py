"""What happened to every packet."""

from __future__ import annotations

from collections import Counter

import pytest

from redpoll.errors import NotFound, StoreError
from redpoll.store import Commit, DeadLetter, LedgerEntry, Store
from redpoll.testing.store_batches import store_batch
from redpoll.testing.store_rows import alert_rows, ledger_rows
from redpoll.testing.store_suite.cases import StoreCases, add


class LedgerCases(StoreCases):
    """What happened to every packet."""

    def test_the_ledger_adds_up(self, store: Store) -> None:
        rejected = LedgerEntry("ztf", 20200101, "rejected", "too faint", 4)
        add(store, store_batch(10, nights=(0, 1)), ledger=[rejected])
        store.runs.commit(Commit(None, None, ledger=[rejected, LedgerEntry(None, None, "rejected", "not Avro", 2)]))
        nights = {row["night"]: row for row in ledger_rows(store)}
        assert [row["received"] for row in ledger_rows(store)] == [5, 13, 2]
        assert nights[20200101]["reasons"] == {"too faint": 8}
        for row in [*ledger_rows(store), *ledger_rows(store, by="run")]:
            assert row["received"] == row["stored"] + row["duplicate"] + row["rejected"]
        assert sum(row["received"] for row in ledger_rows(store, by="run")) == 20

    def test_stored_without_alerts_is_refused(self, store: Store) -> None:
        with pytest.raises(StoreError, match="no alerts"):
            store.runs.commit(Commit(None, None, ledger=[LedgerEntry("ztf", 1, "stored", "", 1)]))

    def test_a_stored_alert_has_its_run_and_segment(self, store: Store) -> None:
        add(store, store_batch(4))
        (row,) = store.ledger.origin(10**15 + 2, "ztf").to_pylist()
        assert (row["run"], row["row"]) == (store.runs.table()["run"][0].as_py(), 2)
        assert row["segment"].startswith("ztf-")
        for alert_id, survey in ((10**15 + 2, "rubin"), (7, "ztf"), (2**70, "ztf"), (-(2**63) - 1, "ztf")):
            with pytest.raises(NotFound):
                store.ledger.origin(alert_id, survey)

    def test_topics_are_counted(self, store: Store) -> None:
        add(store, store_batch(30, nights=(0, 1)))
        assert store.ledger.topics() == {"bright": 3, "rising": 10}
        assert store.ledger.topics(night=20200101) == {"bright": 3, "rising": 5}
        assert store.ledger.topics(night=20190101) == {}

    def test_classes_are_counted_as_they_are_assigned(self, store: Store) -> None:
        add(store, store_batch(30, nights=(0, 1)))
        assigned = [(row["night"], {one["name"] for one in row["classes"]}) for row in alert_rows(store, limit=100)]
        assert store.ledger.classes() == Counter(name for _, names in assigned for name in names)
        assert store.ledger.classes(night=20200101) == Counter(
            n for night, names in assigned if night == 20200101 for n in names
        )
        assert set(store.ledger.classes()) == {"agn", "rr_lyrae_ab", "sn_ia"}
        assert store.ledger.classes(night=20190101) == {}

    def test_a_dead_letter_is_kept_once_with_its_bytes(self, store: Store) -> None:
        letters = [DeadLetter(b"\x00bad", "night.tar", "7", "truncated"), DeadLetter(b"", "night.tar", "9", "empty")]
        for _ in range(2):
            store.runs.commit(Commit(None, None, dead_letters=letters))
        rows = store.dead_letters.table().to_pylist()
        assert [(row["position"], row["n_bytes"]) for row in rows] == [("9", 0), ("7", 4)]
        assert [row["position"] for row in store.dead_letters.table(reason="truncated").to_pylist()] == ["7"]
        assert store.dead_letters.get(rows[1]["id"]).data == b"\x00bad"
        assert [letter.data for letter in store.dead_letters.stream()] == [b"\x00bad", b""]
        store.dead_letters.remove([rows[0]["id"]])
        assert len(store.dead_letters.table().to_pylist()) == 1
        with pytest.raises(NotFound):
            store.dead_letters.get(rows[0]["id"])
        assert store.dead_letters.remove(reason="another reason") == 0
        assert store.dead_letters.remove() == 1
        assert store.dead_letters.table().num_rows == 0
