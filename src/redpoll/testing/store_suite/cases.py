"""What the cases of a store share: how one is opened, and how alerts come into it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from redpoll.astro.sky import hpx29
from redpoll.store import Commit, Store, indexed_columns

NEWEST = itemgetter("mjd", "alert_id")


def add(store: Store, batch: pa.RecordBatch, **extra: Any) -> int:
    """Archive and commit a batch, as the pipeline does; returns how many alerts were new."""
    return store.commit(Commit(indexed_columns(batch), store.archive(batch), **extra))


def moved_to(batch: pa.RecordBatch, ra: Sequence[float], dec: Sequence[float]) -> pa.RecordBatch:
    """The batch with its alerts at other places."""
    for name, values in (("ra", ra), ("dec", dec), ("hpx29", hpx29(ra, dec))):
        batch = batch.set_column(batch.schema.get_field_index(name), batch.schema.field(name), pa.array(values))
    return batch


class StoreCases:
    """Cases of the contract; a subclass defines `open`."""

    def open(self, path: Path, mode: str) -> Store:
        """Open the store in a folder, for "read" or "write"."""
        raise NotImplementedError

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        """An empty store with a run open."""
        with self.open(tmp_path / "store", "write") as store:
            store.start_run("test")
            yield store
