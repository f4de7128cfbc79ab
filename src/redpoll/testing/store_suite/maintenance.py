"""Compaction and check."""

from __future__ import annotations

from typing import Any

from redpoll.store import DeadLetter, Store
from redpoll.testing.store_batches import store_batch
from redpoll.testing.store_rows import alert_rows, classification_rows, full_alert, ledger_rows, object_row
from redpoll.testing.store_suite.cases import StoreCases, add


class MaintenanceCases(StoreCases):
    """Compaction and check."""

    def test_compaction_changes_no_answer(self, store: Store) -> None:
        for i in range(4):
            add(store, store_batch(50, start=50 * i, nights=(i, i + 1), version=str(i // 2)))
        add(store, store_batch(30, survey="rubin"))
        before = self._answers(store)
        for rows_per_pixel in (20, 1000):
            store.maintenance.compact(rows_per_pixel=rows_per_pixel)
            assert self._answers(store) == before
            assert store.maintenance.check().problems == ()
            add(store, store_batch(10, start=200, nights=(9,)))
            before = self._answers(store)

    def test_compacting_twice_does_nothing_the_second_time(self, store: Store) -> None:
        add(store, store_batch(50))
        assert [done.alerts for done in store.maintenance.compact()] == [50]
        assert store.maintenance.compact() == []

    def test_a_used_store_passes_the_check(self, store: Store) -> None:
        add(store, store_batch(50), dead_letters=[DeadLetter(b"x", "f", "0", "bad")])
        add(store, store_batch(50, start=30))
        report = store.maintenance.check()
        assert report.ok
        assert (report.alerts, report.objects, report.dead_letters) == (80, 20, 1)

    def _answers(self, store: Store) -> list[Any]:
        names = ["ZTFmade0003", "ZTFmade0011"]
        asked: list[Any] = [
            alert_rows(store, limit=1000),
            ledger_rows(store),
            store.ledger.topics(),
            store.alerts.schema(),
        ]
        asked += [
            [object_row(store, name), alert_rows(store, object_ids=[name]), store.objects.light_curve(name).to_pylist()]
            for name in names
        ]
        asked += [classification_rows(store, name) for name in names] + [alert_rows(store, class_="sn", night=20200102)]
        asked += [full_alert(store, row["alert_id"], row["survey"]) for row in alert_rows(store, limit=1000)[::17]]
        return asked
