"""A store of synthetic alerts, and its client."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

import redpoll
from redpoll.client import Client
from redpoll.store import open_store
from redpoll.testing.store_batches import store_batch
from redpoll.testing.store_suite import add

BIG = 2**62 + 1


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with 300 alerts of ZTF of three nights, and 40 of Rubin; identifiers beyond 2^62."""
    folder = tmp_path_factory.mktemp("client") / "store"
    with open_store(folder, mode="write") as store:
        store.runs.start("test")
        for n, survey in ((300, "ztf"), (40, "rubin")):
            batch = store_batch(n, survey=survey, nights=(0, 1, 5))
            at = batch.schema.get_field_index("alert_id")
            ids = pa.array([BIG + i for i in range(n)])
            add(store, batch.set_column(at, batch.schema.field("alert_id"), ids))
    return folder


@pytest.fixture(scope="session")
def client(folder: Path) -> Iterator[Client]:
    """The client of the store."""
    with redpoll.open(folder) as client:
        yield client
