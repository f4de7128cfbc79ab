"""Wrapper of a source that counts packets and bytes, for progress bars."""

from __future__ import annotations

from collections.abc import Iterator

from redpoll.plugin.ports import Packet, Source


class Metered:
    """A source with ``n_read`` (bytes read, of ``n_bytes``) and ``n_packets``.

    ``n_read`` is that of the source if it has one, in compressed bytes; otherwise the sum of the packets' sizes.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self.name, self.n_bytes = source.name, source.n_bytes
        self.n_read = self.n_packets = 0

    def packets(self) -> Iterator[Packet]:
        """Yield every packet of the source and count it."""
        self.n_read = self.n_packets = 0
        for packet in self._source.packets():
            self.n_packets += 1
            self.n_read = getattr(self._source, "n_read", self.n_read + len(packet.data))
            yield packet


def total_bytes(sources: list[Source]) -> int | None:
    """Total size of the sources; None if the size of one is unknown."""
    sizes = [source.n_bytes for source in sources]
    return None if None in sizes else sum(size or 0 for size in sizes)
