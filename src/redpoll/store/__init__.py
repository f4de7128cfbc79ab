"""Alerts, objects, light curves and cutouts on disk: ports, and the embedded adapter (SQLite and Parquet)."""

from __future__ import annotations

from redpoll.store.answer import StoredRows
from redpoll.store.columns import indexed_columns
from redpoll.store.composition import Store
from redpoll.store.opening import open_store, rebuild_store
from redpoll.store.pool import query_time
from redpoll.store.records import Commit, DeadLetter, LedgerEntry, RejectedAlert, Revision
from redpoll.store.scan import Scan
from redpoll.store.selection import Cone, Selection

__all__ = [
    "Commit",
    "Cone",
    "DeadLetter",
    "LedgerEntry",
    "RejectedAlert",
    "Revision",
    "Scan",
    "Selection",
    "Store",
    "StoredRows",
    "indexed_columns",
    "open_store",
    "query_time",
    "rebuild_store",
]
