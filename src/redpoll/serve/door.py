"""The door to the store: opened late, once, for reading only."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol, cast

from redpoll.errors import StoreError
from redpoll.store import open_store
from redpoll.store.ports import AlertReader, DeadLetters, LedgerReader, ObjectReader

N_THREADS = 4
"""Questions to the store that are answered at once."""


class Reader(AlertReader, ObjectReader, LedgerReader, DeadLetters, Protocol):
    """Everything that pages and API ask of a store."""


class StoreNotReady(StoreError):
    """There is no store at this path yet, or it cannot be opened."""


class StoreDoor:
    """The one reader of the server, opened at the first request.

    So the server starts before the store exists, and sees it as soon as it does.

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
                self._reader = cast(Reader, _InFewThreads(self._open()))
            return self._reader

    def _open(self) -> Reader:
        if not self.path.is_dir() or not any(self.path.iterdir()):
            raise StoreNotReady(f"there is no store at {self.path.name!r} yet")
        try:
            return self._opener(self.path)
        except (StoreError, OSError) as error:
            raise StoreNotReady(f"the store at {self.path.name!r} cannot be read: {error}") from error


class _InFewThreads:
    """Asks a reader from the same few threads always.

    A store keeps one connection for each thread that ever asked. The server's own threads come and go with its
    visitors, and each would leave a connection and its files open behind.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._threads = ThreadPoolExecutor(N_THREADS, thread_name_prefix="store")

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._reader, name)
        return lambda *args, **options: self._threads.submit(method, *args, **options).result()


def _open_for_reading(path: Path) -> Reader:
    return open_store(path, mode="read")
