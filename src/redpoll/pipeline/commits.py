"""The result of a block into sinks, store and report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from redpoll.engine.local import Killed
from redpoll.pipeline.block_result import BlockResult, block_result, category
from redpoll.pipeline.report import RunReport
from redpoll.pipeline.store_access import RunStore
from redpoll.plugin.ports import Packet, Sink

OnCommitted = Callable[[Sequence[Packet], Mapping[int, str]], None]
"""Called after a commit with the packets of the block and the reasons of those that are dead letters."""


def ignore(packets: Sequence[Packet], dead_letters: Mapping[int, str]) -> None:
    """Do nothing."""


class Committer:
    """Gives messages to the sinks, commits results once the sinks are flushed, and adds them to the report."""

    def __init__(
        self, store: RunStore, report: RunReport, sinks: Sequence[Sink] = (), on_committed: OnCommitted = ignore
    ) -> None:
        self._store, self._report, self._sinks, self._on_committed = store, report, sinks, on_committed

    def __call__(self, packets: Sequence[Packet], result: BlockResult | Killed) -> None:
        """Commit one block; StoreError if a packet of it is not accounted for."""
        if isinstance(result, Killed):
            result = _killed(result)
        for alerts, n_new in self._store.commit(packets, result):
            self._report.add_stored(alerts, n_new)
        self._report.add(result)
        self._on_committed(packets, result["dead_letters"])


def _killed(killed: Killed) -> BlockResult:
    reason = f"a worker died on this packet (exit code {killed.exit_code})"
    return block_result(dead_letters={0: reason}, counts=[(None, None, "rejected", category(reason))])
