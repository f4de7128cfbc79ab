"""Sources read into blocks that suit memory, workers and the speed of the stream; positions committed in order."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from redpoll.engine.reader import InputBlock
from redpoll.errors import RedpollError, SourceError
from redpoll.ingest.nights import PacketNight
from redpoll.pipeline.night_order import BlockNights, NightOrder
from redpoll.plugin.isolation import error_text, outcome
from redpoll.plugin.ports import PacketPosition, ReceivedPacket, Source

log = logging.getLogger(__name__)
BLOCK_BYTES = 64_000_000
BLOCK_PACKETS = 2_000
_MAX_PACKETS_AT_ONCE = 512
_FIRST_GUESS_BYTES = 1_000_000


def never() -> bool:
    """Always false: the run is never asked to stop."""
    return False


FindNights = Callable[[Sequence[bytes]], Sequence[PacketNight | None]]
"""Survey and night of packets, see `redpoll.ingest.nights.PacketNights`."""


def no_nights(packets: Sequence[bytes]) -> Sequence[None]:
    """No night for any packet: blocks do not wait for each other."""
    return [None] * len(packets)


@dataclass
class _ReadBlock:
    """A block that was read: its packets by source, and how many of them are not stored yet."""

    packets: list[tuple[Source, ReceivedPacket]]
    n_left: int


class Intake:
    """Blocks of packets, by iteration, from sources that are polled.

    Finite sources are read one after the other; streams are polled in turn. A source that breaks gives what it had; its
    error goes to `on_error` and the next source is read. Sources are called from the thread that iterates, and by
    `close`. After each poll in which a stream has no packet, ``on_idle`` is called.

    Parameters
    ----------
    sources
        Read in order.
    on_error
        Called with the error of each source that cannot be read to its end.
    batch_size
        Maximum number of packets of a block, 2,000 by default; then a block of several nights, which workers share,
        has as many for each worker.
    block_bytes
        Maximum size of a block, whatever the number of packets.
    block_seconds
        Longest time between the first packet of a block and its processing.
    find_nights
        Finds survey and night of packets. A block waits for the blocks before it where an alert may see, or must not
        see, what they bring: see `NightOrder`.
    n_workers
        Blocks that are processed at the same time.
    stop
        Asked between polls; when it returns true, reading ends and packets not yet in a block are dropped: they were
        not committed.
    clock
        Seconds.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        on_error: Callable[[SourceError], None],
        *,
        batch_size: int | None = None,
        block_bytes: int = BLOCK_BYTES,
        block_seconds: float = 1.0,
        find_nights: FindNights = no_nights,
        n_workers: int = 1,
        stop: Callable[[], bool] = never,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sources, self._on_error, self._stop, self._clock = list(sources), on_error, stop, clock
        self._max_packets = batch_size or BLOCK_PACKETS
        self._max_bytes = block_bytes
        self._times_if_shared = 1 if batch_size else max(1, n_workers)
        self._seconds = block_seconds
        self._find_nights, self._order, self._n_workers = find_nights, NightOrder(), n_workers
        self._may_read = threading.Event()
        self._may_read.set()
        self._lock = threading.Lock()
        self._read: deque[_ReadBlock] = deque()
        self._block_of: dict[int, _ReadBlock] = {}
        self._stored: list[tuple[Source, ReceivedPacket]] = []
        self._open = list(sources)
        self._mean_bytes = float(_FIRST_GUESS_BYTES)
        self.on_idle: Callable[[], None] = lambda: None
        self.n_read = 0

    def __iter__(self) -> Iterator[InputBlock]:
        block: list[tuple[Source, ReceivedPacket]] = []
        nights, size, due = BlockNights(), 0, 0.0
        while self._open and not self._stop():
            if not self._may_read.wait(0.1):
                continue
            self._commit_stored()
            wait = max(0.0, due - self._clock()) if block else self._seconds
            source = self._open[0]
            packets = self._poll(source, self._n_wanted(nights, len(block), size), wait)
            found = self._find_nights([packet.data for packet in packets])
            for packet, night in zip(packets, found, strict=True):
                is_over = size + len(packet.data) > self._max_bytes * self._times(nights)
                if block and (is_over or not nights.may_add(night)):
                    yield from self._noted(block, nights)
                    block, nights, size = [], BlockNights(), 0
                due = due if block else self._clock() + self._seconds
                block.append((source, packet))
                nights.add(night)
                size += len(packet.data)
            if block and (len(block) >= self._max_packets * self._times(nights) or self._clock() >= due):
                yield from self._noted(block, nights)
                block, nights, size = [], BlockNights(), 0
        if block and not self._stop():
            yield from self._noted(block, nights)

    def stored(self, packets: Sequence[ReceivedPacket]) -> None:
        """Note that the store has committed these packets of a block; any thread may call it."""
        with self._lock:
            for packet in packets:
                if (block := self._block_of.pop(id(packet), None)) is not None:
                    block.n_left -= 1
            while self._read and not self._read[0].n_left:
                self._stored += self._read.popleft().packets

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Nothing is polled meanwhile."""
        self._may_read.clear()
        try:
            yield
        finally:
            self._may_read.set()

    def close(self) -> None:
        """Commit the positions of stored packets and close the sources; the intake cannot be iterated afterwards."""
        self._commit_stored()
        for source in self._sources:
            _, error = _called(source, source.close)
            if error is not None:
                log.warning("a source was not closed: %s", error)

    def _poll(self, source: Source, n: int, wait: float) -> list[ReceivedPacket]:
        """Packets of the first open source; a stream then moves to the end of the queue, a finished one leaves it."""
        packets: list[ReceivedPacket]
        packets, error = _called(source, lambda: [*source.poll(n, wait)])
        if error is not None:
            self._open.remove(source)
            self._on_error(error)
            return []
        if source.is_finished:
            self._open.remove(source)
        elif not source.is_finite:
            self._open.append(self._open.pop(0))
            if not packets:
                self.on_idle()
        self.n_read += len(packets)
        if packets:
            self._mean_bytes = max(1.0, sum(len(packet.data) for packet in packets) / len(packets))
        return packets

    def _n_wanted(self, nights: BlockNights, n: int, size: int) -> int:
        """How many packets to poll: what the block lacks, by the mean size of the packets before."""
        times = self._times(nights)
        room = min(self._max_packets * times - n, (self._max_bytes * times - size) / self._mean_bytes + 1)
        return max(1, int(min(room, _MAX_PACKETS_AT_ONCE)))

    def _times(self, nights: BlockNights) -> int:
        """How many times as large as others a block may be: workers share one of several nights."""
        return self._times_if_shared if nights.is_mixed and nights.knows_objects else 1

    def _noted(self, packets: list[tuple[Source, ReceivedPacket]], nights: BlockNights) -> Iterator[InputBlock]:
        """Note what was read; a block of several nights is cut by objects: one group more than there are workers.

        So there is one to begin while another is committed.
        """
        block = _ReadBlock(packets, len(packets))
        with self._lock:
            self._read.append(block)
            self._block_of.update((id(packet), block) for _, packet in packets)
        waits = self._order.waits(nights)
        if not nights.is_mixed:
            yield InputBlock([packet for _, packet in packets], waits)
            return
        for group, numbers in nights.groups(self._n_workers + 1).items():
            yield InputBlock([packets[i][1] for i in numbers], waits, group)
            waits = False

    def _commit_stored(self) -> None:
        """Commit, in each source, the positions of the oldest blocks that are stored without a gap."""
        with self._lock:
            stored, self._stored = self._stored, []
        by_source: dict[int, tuple[Source, list[PacketPosition]]] = {}
        for source, packet in stored:
            by_source.setdefault(id(source), (source, []))[1].append(packet.position)
        for source, positions in by_source.values():
            _, error = _called(source, partial(source.commit, positions))
            if error is not None:
                log.warning("positions not committed, their packets will be read again: %s", error)


def _called(source: Source, method: Callable[[], Any]) -> tuple[Any, SourceError | None]:
    """Call a method of a source; return its value and None, or None and the failure as a SourceError."""
    value, error = outcome(method)
    if error is None or isinstance(error, SourceError):
        return value, error
    if isinstance(error, RedpollError):
        raise error
    log.debug("%s failed", source.name, exc_info=error)
    named = SourceError(f"{source.name}: {error_text(error)}")
    named.__cause__ = error
    return None, named


def first_blocks(
    sources: Sequence[Source],
    on_error: Callable[[SourceError], None],
    limit: int,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Sequence[ReceivedPacket]]:
    """The first `limit` packets of sources, in blocks; of streams, those that come within a second of the first.

    Nothing is committed, and the sources are closed at the end.
    """
    is_finite = all(source.is_finite for source in sources)
    seconds = math.inf if is_finite else 1.0
    size = limit if limit < BLOCK_PACKETS else None
    intake = Intake(sources, on_error, batch_size=size, block_seconds=seconds, clock=clock)
    left = limit
    try:
        for block in intake:
            yield block.packets[:left]
            left -= len(block)
            if left <= 0 or not is_finite:
                return
    finally:
        intake.close()
