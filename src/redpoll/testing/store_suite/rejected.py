"""Alerts that a quality cut rejected."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from redpoll.errors import StoreError
from redpoll.store import Commit, LedgerEntry, RejectedAlert, Store
from redpoll.testing.store_batches import store_batch
from redpoll.testing.store_suite.cases import StoreCases, add

REASON = "cut: real_bogus < 0.55"


def rejected_alert(
    alert_id: int = 7, object_id: str = "ZTF1", position: str = "member 7", **other: str
) -> RejectedAlert:
    """An alert that a cut rejected."""
    survey, reason = other.get("survey", "ztf"), other.get("reason", REASON)
    value, source = other.get("value", "0.41"), other.get("source", "night.tar")
    return RejectedAlert(survey, alert_id, object_id, 20200101, 58849.5, reason, value, source, position)


def reject(store: Store, alerts: Sequence[RejectedAlert]) -> None:
    """Commit rejected alerts with their counts in the ledger."""
    entries = [LedgerEntry(alert.survey, alert.night, "rejected", alert.reason, 1) for alert in alerts]
    store.runs.commit(Commit(None, None, ledger=entries, rejected=alerts))


class RejectedCases(StoreCases):
    """Alerts that a quality cut rejected."""

    def test_a_rejected_alert_is_found_by_its_identifier_and_by_its_object(self, store: Store) -> None:
        reject(store, [rejected_alert(), rejected_alert(8), rejected_alert(9, "ZTF2")])
        (row,) = store.rejected.find(alert_id=7).to_pylist()
        assert (row["object_id"], row["reason"], row["value"], row["n"]) == ("ZTF1", REASON, "0.41", 1)
        assert (row["source"], row["position"]) == ("night.tar", "member 7")
        assert row["run"] == store.runs.table()["run"][0].as_py()
        assert store.rejected.find(object_id="ZTF1")["alert_id"].to_pylist() == [8, 7]
        assert store.rejected.find(object_id="ZTF1", limit=1)["alert_id"].to_pylist() == [8]
        assert store.rejected.find(alert_id=7, survey="rubin").num_rows == 0

    def test_all_rejected_alerts_are_found_without_an_identifier(self, store: Store) -> None:
        assert store.rejected.find().num_rows == 0
        reject(store, [rejected_alert(), rejected_alert(8), rejected_alert(9, "ZTF2")])
        assert store.rejected.find()["alert_id"].to_pylist() == [9, 8, 7]
        assert store.rejected.find(limit=2)["alert_id"].to_pylist() == [9, 8]
        assert store.rejected.find(survey="rubin").num_rows == 0

    def test_the_same_packet_again_is_counted_and_not_doubled(self, store: Store) -> None:
        for position in ("1", "2"):
            reject(store, [rejected_alert(position=position)])
        (row,) = store.rejected.find(alert_id=7).to_pylist()
        assert (row["n"], row["position"]) == (2, "2")
        assert store.maintenance.check().problems == ()

    def test_rejected_alerts_come_with_stored_ones(self, store: Store) -> None:
        entry = LedgerEntry("ztf", 20200101, "rejected", REASON, 1)
        add(store, store_batch(3), ledger=[entry], rejected=[rejected_alert()])
        assert store.rejected.find(alert_id=7).num_rows == 1
        assert store.maintenance.check().problems == ()

    def test_counts_that_do_not_agree_with_the_named_alerts_are_refused(self, store: Store) -> None:
        entry = LedgerEntry("ztf", 20200101, "rejected", REASON, 2)
        with pytest.raises(StoreError, match="rejected by cuts"):
            store.runs.commit(Commit(None, None, ledger=[entry], rejected=[rejected_alert()]))
        assert store.rejected.find(alert_id=7).num_rows == 0

    @pytest.mark.parametrize(
        "text", ["x" * 100_000, "'; DROP TABLE rejected; --", "\x1b[2J[bold]", "", "\U0001f600" * 400]
    )
    def test_hostile_texts_are_kept_bounded(self, store: Store, text: str) -> None:
        reject(store, [rejected_alert(object_id=text, value=text, source=text, position=text)])
        (row,) = store.rejected.find(object_id=text).to_pylist()
        kept = (row["object_id"], row["value"], row["source"], row["position"])
        assert kept == (text[:300], text[:300], text[-300:], text[-300:])

    @pytest.mark.parametrize("alert_id", [2**63, -(2**70), 0])
    def test_identifiers_that_no_alert_has_find_nothing(self, store: Store, alert_id: int) -> None:
        assert store.rejected.find(alert_id=alert_id).num_rows == 0
