"""Alerts, objects, light curves and cutouts on disk: ports, and the embedded adapter (SQLite and Parquet)."""

from __future__ import annotations

from redpoll.store.archive import Archive
from redpoll.store.columns import indexed_columns
from redpoll.store.embedded import Store, open_store, rebuild_store
from redpoll.store.ports import Commit, DeadLetter, LedgerEntry

__all__ = ["Archive", "Commit", "DeadLetter", "LedgerEntry", "Store", "indexed_columns", "open_store", "rebuild_store"]
