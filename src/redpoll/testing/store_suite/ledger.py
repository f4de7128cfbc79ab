"""What happened to every packet."""

from __future__ import annotations

from collections import Counter

import pytest

from redpoll.errors import NotFound, StoreError
from redpoll.store import Commit, DeadLetter, LedgerEntry, Store
from redpoll.testing.store_batches import store_batch
from redpoll.testing.store_suite.cases import StoreCases, add


class LedgerCases(StoreCases):
    """What happened to every packet."""

    def test_the_ledger_adds_up(self, store: Store) -> None:
        rejected = LedgerEntry("ztf", 20200101, "rejected", "too faint", 4)
        add(store, store_batch(10, nights=(0, 1)), ledger=[rejected])
        store.commit(Commit(None, None, ledger=[rejected, LedgerEntry(None, None, "rejected", "not Avro", 2)]))
        nights = {row["night"]: row for row in store.ledger()}
        assert [row["received"] for row in store.ledger()] == [5, 13, 2]
        assert nights[20200101]["reasons"] == {"too faint": 8}
        for row in [*store.ledger(), *store.ledger(by="run")]:
            assert row["received"] == row["stored"] + row["duplicate"] + row["rejected"]
        assert sum(row["received"] for row in store.ledger(by="run")) == 20

    def test_stored_without_alerts_is_refused(self, store: Store) -> None:
        with pytest.raises(StoreError, match="no alerts"):
            store.commit(Commit(None, None, ledger=[LedgerEntry("ztf", 1, "stored", "", 1)]))

    def test_topics_are_counted(self, store: Store) -> None:
        add(store, store_batch(30, nights=(0, 1)))
        assert store.topics() == {"bright": 3, "rising": 10}
        assert store.topics(night=20200101) == {"bright": 3, "rising": 5}
        assert store.topics(night=20190101) == {}

    def test_classes_are_counted_as_they_are_said(self, store: Store) -> None:
        add(store, store_batch(30, nights=(0, 1)))
        said = [(row["night"], {tag["name"] for tag in row["classes"]}) for row in store.latest(limit=100)]
        assert store.classes() == Counter(name for _, names in said for name in names)
        assert store.classes(night=20200101) == Counter(n for night, names in said if night == 20200101 for n in names)
        assert set(store.classes()) == {"agn", "rr_lyrae_ab", "sn_ia"}
        assert store.classes(night=20190101) == {}

    def test_a_dead_letter_is_kept_once_with_its_bytes(self, store: Store) -> None:
        letters = [DeadLetter(b"\x00bad", "night.tar", "7", "truncated"), DeadLetter(b"", "night.tar", "9", "empty")]
        for _ in range(2):
            store.commit(Commit(None, None, dead_letters=letters))
        rows = store.dead_letters()
        assert [(row["position"], row["n_bytes"]) for row in rows] == [("9", 0), ("7", 4)]
        assert [row["position"] for row in store.dead_letters(reason="truncated")] == ["7"]
        assert store.dead_letter(rows[1]["id"]).data == b"\x00bad"
        assert [letter.data for letter in store.iter_dead_letters()] == [b"\x00bad", b""]
        store.remove_dead_letters([rows[0]["id"]])
        assert len(store.dead_letters()) == 1
        with pytest.raises(NotFound):
            store.dead_letter(rows[0]["id"])
