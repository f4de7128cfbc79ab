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
    return store.runs.commit(Commit(indexed_columns(batch), store.segments.write(batch), **extra))


def moved_to(batch: pa.RecordBatch, ra: Sequence[float], dec: Sequence[float]) -> pa.RecordBatch:
    """The batch with its alerts at other positions."""
    for name, values in (("ra", ra), ("dec", dec), ("hpx29", hpx29(ra, dec))):
        batch = batch.set_column(batch.schema.get_field_index(name), batch.schema.field(name), pa.array(values))
    return batch


class StoreCases:
    """Cases of the contract; a subclass defines `url` and `open`."""

    def url(self, tmp_path: Path) -> str:
        """URL of a store that does not exist yet."""
        raise NotImplementedError

    def open(self, url: str, mode: str) -> Store:
        """Open a store for "read" or "write"; a new one is made."""
        raise NotImplementedError

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        """An empty store with a run open."""
        with self.open(self.url(tmp_path), "write") as store:
            store.runs.start("test")
            yield store
