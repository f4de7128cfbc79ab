from __future__ import annotations

from pathlib import Path

from redpoll.store import Store, open_store
from redpoll.testing.store_suite import StoreSuite


class TestEmbeddedStore(StoreSuite):
    def url(self, tmp_path: Path) -> str:
        return str(tmp_path / "store")

    def open(self, url: str, mode: str) -> Store:
        return open_store(url, mode=mode)
