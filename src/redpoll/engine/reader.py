"""Reads blocks ahead of the workers, in a thread of its own."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from redpoll.plugin.ports import ReceivedPacket

Packets = Sequence[ReceivedPacket]


@dataclass(frozen=True)
class InputBlock:
    """Packets that are processed together.

    A block that ``waits`` is begun only when all blocks before it are collected, and a block of a ``group`` when those
    of its group are.
    """

    packets: Packets
    waits: bool = False
    group: int | None = None

    def __len__(self) -> int:
        return len(self.packets)

    def halves(self) -> tuple[InputBlock, InputBlock]:
        """Split the block into two of half the packets."""
        middle = len(self.packets) // 2
        first = InputBlock(self.packets[:middle], self.waits, self.group)
        return first, InputBlock(self.packets[middle:], group=self.group)


_AHEAD = 2
_LAST_POLL = 10.0


class ReadAhead:
    """The blocks of an iterator, a few read ahead. An error of the iterator is raised where the block is asked for."""

    def __init__(self, blocks: Iterator[InputBlock]) -> None:
        self._queue: queue.Queue[InputBlock | BaseException | None] = queue.Queue(_AHEAD)
        self._stopped = threading.Event()
        self.is_done = False
        self._thread = threading.Thread(target=self._read, args=(blocks,), daemon=True, name="redpoll-reader")
        self._thread.start()

    def next(self, timeout: float) -> InputBlock | None:
        """The next block, or None if there is none yet or, with `is_done`, none any more."""
        if self.is_done:
            return None
        try:
            block = self._queue.get(timeout=timeout) if timeout else self._queue.get_nowait()
        except queue.Empty:
            return None
        self.is_done = block is None or isinstance(block, BaseException)
        if isinstance(block, BaseException):
            raise block
        return block

    def stop(self) -> None:
        """Read no further; returns when the thread has ended, or after ten seconds if a source keeps it."""
        self.is_done = True
        self._stopped.set()
        self._thread.join(_LAST_POLL)

    def _read(self, blocks: Iterator[InputBlock]) -> None:
        last: BaseException | None = None
        try:
            for block in blocks:
                if not self._put(block):
                    return
        except BaseException as error:
            last = error
        self._put(last)

    def _put(self, block: InputBlock | BaseException | None) -> bool:
        while not self._stopped.is_set():
            try:
                self._queue.put(block, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False
