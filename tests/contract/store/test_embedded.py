from __future__ import annotations

from pathlib import Path

from redpoll.store import Store, open_store
from redpoll.testing.store_suite import StoreSuite


class TestEmbeddedStore(StoreSuite):
    def open(self, path: Path, mode: str) -> Store:
        return open_store(path, mode=mode)
