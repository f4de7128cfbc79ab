"""A store: one port per concern, composed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from redpoll.store.app.ports import Labels, ModelRegistry, SavedFilters, ServedModels, Watchlists
from redpoll.store.histories import HistoryReader
from redpoll.store.ports import Alerts, DeadLetters, Ledger, Maintenance, Objects, Rejected, Revisions, Runs, Segments


@dataclass(frozen=True)
class Store:
    """A store that is open for reading, or for reading and writing; made by `open_store`.

    ``labels``, ``models``, ``served_models``, ``filters`` and ``watchlists`` can be written in either mode, also while
    a run writes the rest.

    It may be shared between threads. To another process it is sent as its URL: there it is open for reading, and can
    write segments.
    """

    url: str
    alerts: Alerts
    objects: Objects
    histories: HistoryReader
    ledger: Ledger
    rejected: Rejected
    dead_letters: DeadLetters
    runs: Runs
    segments: Segments
    revisions: Revisions
    maintenance: Maintenance
    labels: Labels
    models: ModelRegistry
    served_models: ServedModels
    filters: SavedFilters
    watchlists: Watchlists
    _close: Callable[[], None] = field(repr=False)
    _reopen: Callable[[str], Store] = field(repr=False)

    def close(self) -> None:
        """Close all connections and release the writer's lock; harmless if done before."""
        self._close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        return self._reopen, (self.url,)
