"""Packets of many sources gathered to blocks of a size that suits memory and workers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from redpoll.errors import SourceError
from redpoll.plugin.ports import Packet, Source

BLOCK_BYTES = 48_000_000
BLOCK_PACKETS = 2_000


def blocks(
    sources: Iterable[Source],
    on_error: Callable[[SourceError], None],
    *,
    batch_size: int | None = None,
    block_bytes: int = BLOCK_BYTES,
) -> Iterator[Sequence[Packet]]:
    """Lists of packets: `batch_size` each, or by default as many as fit into `block_bytes`, at most 2,000.

    A source that breaks gives what it had; its error goes to `on_error` and the next source is read.
    """
    most = batch_size or BLOCK_PACKETS
    block: list[Packet] = []
    size = 0
    for packet in _packets(sources, on_error):
        if block and (len(block) >= most or (batch_size is None and size + len(packet.data) > block_bytes)):
            yield block
            block, size = [], 0
        block.append(packet)
        size += len(packet.data)
    if block:
        yield block


def _packets(sources: Iterable[Source], on_error: Callable[[SourceError], None]) -> Iterator[Packet]:
    for source in sources:
        try:
            yield from source.packets()
        except SourceError as error:
            on_error(error)
