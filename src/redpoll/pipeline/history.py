"""The history stage: what the store already has of each object, joined to the packet's own light curve."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from redpoll.config import Config
from redpoll.schema.column import Column


class History(Protocol):
    """Joins stored measurements to the light curves of a batch."""

    @property
    def name(self) -> str:
        """Under which its time is reported."""
        ...

    @property
    def columns(self) -> Mapping[str, Column]:
        """The columns it adds."""
        ...

    def join(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with its columns added and ``light_curve`` replaced by the joined one."""
        ...


class NoHistory:
    """Passes every batch through: the light curve is the packet's own."""

    name = "history"
    columns: Mapping[str, Column] = {}

    def join(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The same batch."""
        return batch


def history_columns() -> Mapping[str, Column]:
    """The columns that the stage adds, whether there is a store or not."""
    return NoHistory.columns


def open_history(config: Config, store: Path | None) -> History:
    """The stage with the histories of a store; without a store, one that passes every batch through."""
    return NoHistory()
