from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from redpoll.store import Store, open_store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the store of the test is."""
    return tmp_path / "store"


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    """An empty store with a run open."""
    with open_store(folder, mode="write") as store:
        store.runs.start("test")
        yield store
