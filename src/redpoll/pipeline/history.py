"""The history stage: what the store already has of each object, joined to the packet's own light curve."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import pyarrow as pa

from redpoll.config import Config
from redpoll.history import stage


class History(Protocol):
    """Joins stored measurements to the light curves of a batch."""

    def join(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with ``light_curve`` replaced by the joined one, and the columns of the stage added."""
        ...


class NoHistory:
    """Passes every batch through: the light curve is the packet's own."""

    def join(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The same batch."""
        return batch


def open_stored_history(store: Path) -> History:
    """The stage that joins the histories of a store again to alerts that are stored in it."""
    return stage.open_stored_history(store)


def open_history(config: Config, store: Path | None) -> History:
    """The stage with the histories of a store; without a store, one that passes every batch through."""
    return NoHistory() if store is None else stage.open_history(store)
