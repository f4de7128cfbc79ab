"""Answers of a store as plain dicts, for tests that compare rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from redpoll.schema.table_rows import Row, table_rows
from redpoll.store import Selection, Store

__all__ = [
    "Row",
    "alert_pages",
    "alert_rows",
    "classification_rows",
    "full_alert",
    "ledger_rows",
    "object_row",
]


def alert_rows(
    store: Store,
    columns: Sequence[str] | None = None,
    *,
    limit: int | None = None,
    order_by: Any = None,
    **selection: Any,
) -> list[Row]:
    """Rows of a scan of the alerts that fulfil the given fields of a `Selection`."""
    scan = store.alerts.scan(columns, Selection(**selection), order_by=order_by, limit=limit)
    return scan.to_rows()


def alert_pages(store: Store, limit: int, *, order_by: Any = None, **selection: Any) -> list[Row]:
    """The same rows, page by page."""
    rows: list[Row] = []
    after: str | None = None
    while True:
        scan = store.alerts.scan(None, Selection(**selection), order_by=order_by, after=after, limit=limit)
        rows += scan.to_rows()
        after = scan.after
        if after is None:
            return rows


def full_alert(store: Store, alert_id: int, survey: str, columns: Sequence[str] | None = None) -> Row:
    """One alert from the archive."""
    return dict(store.alerts.get(alert_id, survey, columns).to_pylist()[0])


def object_row(store: Store, object_id: str) -> Row:
    """Summary of an object."""
    return store.objects.get(object_id).to_rows()[0]


def classification_rows(store: Store, object_id: str) -> list[Row]:
    """Classifications of an object."""
    return store.objects.classifications(object_id).to_rows()


def ledger_rows(store: Store, *, by: Literal["night", "run"] = "night") -> list[Row]:
    """Rows of the ledger, reasons as a dict."""
    return table_rows(store.ledger.table(by=by))
