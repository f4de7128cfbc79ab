"""A source that counts as it is read, so that a progress bar can show rate and time left."""

from __future__ import annotations

from collections.abc import Sequence

from redpoll.plugin.ports import PacketPosition, ReceivedPacket, Source


class Metered:
    """Any source with ``n_read`` (bytes, of ``n_bytes``) and ``n_packets`` so far.

    The count of a source that counts for itself, in compressed bytes, is used; for others the packets' sizes are added.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self.name, self.n_bytes, self.is_finite = source.name, source.n_bytes, source.is_finite
        self.n_read = self.n_packets = 0

    @property
    def is_finished(self) -> bool:
        """Whether there is nothing more to poll."""
        return self._source.is_finished

    def poll(self, max_packets: int, timeout: float) -> list[ReceivedPacket]:
        """The next packets of the source, counted."""
        packets = self._source.poll(max_packets, timeout)
        self.n_packets += len(packets)
        counted = self.n_read + sum(len(packet.data) for packet in packets)
        self.n_read = getattr(self._source, "n_read", counted)
        return packets

    def commit(self, positions: Sequence[PacketPosition]) -> None:
        """Commit the positions in the source."""
        self._source.commit(positions)

    def close(self) -> None:
        """Close the source."""
        self._source.close()


def total_bytes(sources: Sequence[Source]) -> int | None:
    """Size of all sources together; None if that of one is unknown."""
    sizes = [source.n_bytes for source in sources]
    return None if None in sizes else sum(size or 0 for size in sizes)
