"""The parts of ``app.sqlite`` and ``anomalies.sqlite`` put together."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from redpoll.errors import StoreError
from redpoll.store.app.anomalies import AnomalyTable
from redpoll.store.app.connection import AppConnections
from redpoll.store.app.filters import FilterTable
from redpoll.store.app.labels import LabelTable
from redpoll.store.app.models import ModelTable
from redpoll.store.app.watchlists import WatchlistTable
from redpoll.store.layout import Layout


class App:
    """Labels, models, filters, watchlists and anomaly models of one store.

    It may be shared between threads, not between processes.
    """

    def __init__(self, layout: Layout, *, writable: bool) -> None:
        self._connections = AppConnections(layout, writable=writable)
        self.labels = LabelTable(self._connections)
        self.models = ModelTable(self._connections, layout)
        self.filters = FilterTable(self._connections)
        self.watchlists = WatchlistTable(self._connections)
        self._personal = AppConnections(layout, writable=writable, of="anomalies")
        self.anomalies = AnomalyTable(self._personal)

    def close(self) -> None:
        """Close all connections; harmless if done before."""
        self._connections.close()
        self._personal.close()

    def __enter__(self) -> App:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_app(url: Path | str) -> App:
    """Open the application database of the store in a folder.

    ``app.sqlite`` and ``anomalies.sqlite`` are created at the first use. In a folder that cannot be written, everything
    can be read and nothing added.

    Raises
    ------
    StoreError
        If there is no store in the folder.

    Examples
    --------
    >>> import tempfile
    >>> from redpoll.store import open_store
    >>> from redpoll.store.app import Label
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     open_store(folder, mode="write").close()
    ...     with open_app(folder) as app:
    ...         app.labels.add([Label("ztf", "ZTF20aaaaaaa", "sn_ia", "expert", "me")])
    [1]
    """
    layout = Layout(Path(url).absolute())
    if not layout.index.exists() and not layout.segments.is_dir():
        raise StoreError(f"there is no Redpoll store in {layout.root}: `redpoll run ALERTS --store DIR` makes one")
    return App(layout, writable=layout.is_writable())
