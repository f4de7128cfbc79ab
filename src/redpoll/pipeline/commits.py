"""The result of a block into sinks, store, sources and report, in this order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import pyarrow as pa

from redpoll.engine.local import Killed
from redpoll.pipeline.block_result import BlockResult, block_result, category
from redpoll.pipeline.delivery import Delivery
from redpoll.pipeline.report import RunReport
from redpoll.plugin.ports import ReceivedPacket

OnCommitted = Callable[[Sequence[ReceivedPacket], Mapping[int, str]], None]
"""Called after a commit with the packets of the block and the reasons of those that are dead letters."""


def ignore(packets: Sequence[ReceivedPacket], dead_letters: Mapping[int, str]) -> None:
    """Do nothing."""


class CommitsBlocks(Protocol):
    """The store, as far as a block needs it."""

    def commit(self, packets: Sequence[ReceivedPacket], result: BlockResult) -> list[tuple[pa.RecordBatch, int]]:
        """Commit a block; returns the alerts of each segment and how many of them were new."""
        ...


class Committer:
    """Takes a block's result: messages delivered, then the store committed, then its positions free to be committed.

    A crash before the store's commit repeats the block, and with it messages that the sinks drop by their keys.
    """

    def __init__(
        self,
        store: CommitsBlocks,
        report: RunReport,
        deliveries: Sequence[Delivery] = (),
        *hooks: OnCommitted,
    ) -> None:
        self._store, self._report, self._deliveries, self._hooks = store, report, deliveries, hooks

    def __call__(self, packets: Sequence[ReceivedPacket], result: BlockResult | Killed) -> None:
        """Commit one block; StoreError if a packet of it is not accounted for."""
        if isinstance(result, Killed):
            result = _killed(result)
        for delivery in self._deliveries:
            delivery.deliver(result["messages"].get(delivery.sink.name, []))
        for alerts, n_new in self._store.commit(packets, result):
            self._report.add_stored(alerts, n_new)
        self._report.add(result)
        for hook in self._hooks:
            hook(packets, result["dead_letters"])


def _killed(killed: Killed) -> BlockResult:
    reason = f"a worker died on this packet (exit code {killed.exit_code})"
    return block_result(dead_letters={0: reason}, counts=[(None, None, "rejected", category(reason))])
