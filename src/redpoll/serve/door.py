"""The door to the store: opened late, once, for reading only."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from redpoll.errors import StoreError
from redpoll.store import Store, open_store

Reader = Store


class StoreNotReady(StoreError):
    """There is no store at this path yet, or it cannot be opened."""


class StoreDoor:
    """The one reader of the server, opened at the first request.

    The server starts before the store exists, and opens it once it does. The store bounds its own connections.

    Parameters
    ----------
    path
        Folder of the store.
    opener
        Opens the store at a path for reading; raises StoreError or OSError where it cannot.
    """

    def __init__(self, path: Path, opener: Callable[[Path], Reader] | None = None) -> None:
        self.path = path
        self._opener = opener or _open_for_reading
        self._lock = threading.Lock()
        self._reader: Reader | None = None

    def reader(self) -> Reader:
        """The reader; StoreNotReady if there is no store to read."""
        with self._lock:
            if self._reader is None:
                self._reader = self._open()
            return self._reader

    def _open(self) -> Reader:
        if not self.path.is_dir() or not any(self.path.iterdir()):
            raise StoreNotReady(f"there is no store at {self.path.name!r} yet")
        try:
            return self._opener(self.path)
        except (StoreError, OSError) as error:
            raise StoreNotReady(f"the store at {self.path.name!r} cannot be read: {error}") from error


def _open_for_reading(path: Path) -> Reader:
    return open_store(path, mode="read")
