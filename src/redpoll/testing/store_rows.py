"""Answers of a store as plain dicts, for tests that compare rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redpoll.store import Selection, Store
from redpoll.store.row_answers import Row, classification_rows, full_alert, ledger_rows, object_row

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
