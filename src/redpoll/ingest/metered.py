"""A source that counts as it is read, so that a progress bar can show rate and time left."""

from __future__ import annotations

from collections.abc import Iterator

from redpoll.plugin.ports import Packet, Source


class Metered:
    """Any source with ``n_read`` (bytes, of ``n_bytes``) and ``n_packets`` so far.

    A source that counts for itself, in compressed bytes, is believed; for others the packets' sizes are added up.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self.name, self.n_bytes = source.name, source.n_bytes
        self.n_read = self.n_packets = 0

    def packets(self) -> Iterator[Packet]:
        """Every packet of the source; the counts are of those given."""
        self.n_read = self.n_packets = 0
        for packet in self._source.packets():
            self.n_packets += 1
            self.n_read = getattr(self._source, "n_read", self.n_read + len(packet.data))
            yield packet


def total_bytes(sources: list[Source]) -> int | None:
    """Size of all sources together; None if one does not know its own."""
    sizes = [source.n_bytes for source in sources]
    return None if None in sizes else sum(size or 0 for size in sizes)
