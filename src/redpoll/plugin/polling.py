"""Sources made of iterators, and the packets of a source as an iterator."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from redpoll.errors import SourceError
from redpoll.plugin.ports import PacketPosition, ReceivedPacket, Source


class PolledIterator:
    """Polls an iterator of packets; an error it raises comes after the packets before it.

    >>> from redpoll.plugin.ports import FilePosition
    >>> polled = PolledIterator(ReceivedPacket(b"", FilePosition("a", str(i))) for i in range(3))
    >>> len(polled.poll(2)), polled.is_finished, len(polled.poll(2)), polled.is_finished
    (2, False, 1, True)
    """

    def __init__(self, packets: Iterator[ReceivedPacket]) -> None:
        self._packets = packets
        self._error: SourceError | None = None
        self.is_finished = False

    def poll(self, max_packets: int) -> list[ReceivedPacket]:
        """The next packets, as many as asked for unless there are no more."""
        found: list[ReceivedPacket] = []
        try:
            if self._error is None:
                for packet in islice(self._packets, max_packets):
                    found.append(packet)
                self.is_finished = len(found) < max_packets
        except SourceError as error:
            self._error = error
        if self._error is not None and not found:
            self.is_finished = True
            raise self._error
        return found

    def close(self) -> None:
        """End the iterator."""
        self.is_finished = True
        self._packets = iter(())


class FiniteSource:
    """Base of a source that reads something once, from its start to its end; a subclass defines `_read`."""

    is_finite = True

    def __init__(self, name: str, n_bytes: int | None = None) -> None:
        self.name, self.n_bytes = name, n_bytes
        self._polled: PolledIterator | None = None

    def _read(self) -> Iterator[ReceivedPacket]:
        """Every packet; SourceError after those that precede damage."""
        raise NotImplementedError

    @property
    def is_finished(self) -> bool:
        """Whether there is nothing more to poll."""
        return self._polled is not None and self._polled.is_finished

    def poll(self, max_packets: int, timeout: float) -> list[ReceivedPacket]:
        """The next packets; it never waits."""
        if self._polled is None:
            self._polled = PolledIterator(self._read())
        return self._polled.poll(max_packets)

    def commit(self, positions: Sequence[PacketPosition]) -> None:
        """Do nothing: a run that reads the same input again finds its alerts stored."""

    def close(self) -> None:
        """Give back the file."""
        if self._polled is not None:
            self._polled.close()


def all_packets(source: Source, *, at_once: int = 64) -> Iterator[ReceivedPacket]:
    """Every packet of a finite source that was not polled yet, in order; then the source is closed.

    Raises
    ------
    SourceError
        After all packets before it: if the source cannot be read to its end.
    """
    try:
        while not source.is_finished:
            yield from source.poll(at_once, 1.0)
    finally:
        source.close()
