"""Answers of a store as plain dicts, for pages and for tests that compare rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from redpoll.schema.table_rows import Row, table_rows
from redpoll.store.composition import Store

__all__ = ["Row", "classification_rows", "full_alert", "ledger_rows", "object_row"]


def full_alert(store: Store, alert_id: int, survey: str, columns: Sequence[str] | None = None) -> Row:
    """One alert from the archive; NotFound if there is none."""
    return dict(store.alerts.get(alert_id, survey, columns).to_pylist()[0])


def object_row(store: Store, object_id: str) -> Row:
    """Summary of an object; NotFound if there is none."""
    return store.objects.get(object_id).to_rows()[0]


def classification_rows(store: Store, object_id: str) -> list[Row]:
    """Classifications of an object; NotFound if there is none."""
    return store.objects.classifications(object_id).to_rows()


def ledger_rows(store: Store, by: Literal["night", "run"] = "night") -> list[Row]:
    """Rows of the ledger, reasons as a dict."""
    return table_rows(store.ledger.table(by=by))
