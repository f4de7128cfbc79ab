"""Packets of one record each from Avro object containers of many records."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator
from dataclasses import dataclass

from redpoll.errors import PacketError, SchemaError, SourceError
from redpoll.ingest.block_codecs import CODECS, decompress
from redpoll.ingest.byte_stream import MAX_PACKET_BYTES, ByteStream
from redpoll.ingest.origin import Origin
from redpoll.plugin.ports import ReceivedPacket
from redpoll.schema.avro.container import CONTAINER_MAGIC, SYNC_BYTES, Header, one_datum, read_header, read_long, wrap
from redpoll.schema.avro.decoder import record_ends

log = logging.getLogger(__name__)

_HEADER_SIZES = (64 << 10, 1 << 20, 8 << 20)
_LONGEST_COUNTS = 20


class OneRecord:
    """Recognises complete, uncompressed containers of one record, which are packets without further processing.

    Caches the last header, because the headers of a night's packets are equal except for the sync marker.
    """

    def __init__(self) -> None:
        self._prefix, self._header = b"\0", Header("", "", b"", 0)

    def __call__(self, data: bytes) -> bool:
        """Whether `data` is such a container."""
        try:
            one_datum(data, self._header_of(data))
        except PacketError:
            return False
        return True

    def _header_of(self, data: bytes) -> Header:
        if not data.startswith(self._prefix):
            self._header = read_header(data)
            self._prefix = data[: self._header.start - SYNC_BYTES]
        known = self._header
        return Header(known.schema_text, known.codec, data[known.start - SYNC_BYTES : known.start], known.start)


def container_packets(stream: ByteStream, origin: Origin) -> Iterator[ReceivedPacket]:
    """Packets of the records of a container, or of several containers end to end.

    A block that cannot be split is one packet, and so is a container without records or with an unreadable header;
    these become dead letters.

    Raises
    ------
    SourceError
        If the codec is unknown; and, after the packets before it, if blocks are truncated or damaged so that records
        are lost.
    """
    first = 1
    while stream.peek(1):
        first = yield from _one_container(stream, origin, first)


@dataclass(frozen=True)
class _Block:
    """A block: ``raw`` is all of it, ``raw[start:stop]`` its compressed records."""

    count: int
    raw: bytes
    start: int
    stop: int

    def ends_with(self, sync: bytes) -> bool:
        """Whether the block ends with this sync marker."""
        return self.raw[self.stop :] == sync


def _one_container(stream: ByteStream, origin: Origin, first: int) -> Generator[ReceivedPacket, None, int]:
    """Yield the packets of the next container; return the number of the record after it."""
    header, head = _header(stream, origin)
    if header is None or not stream.peek(1):
        yield origin.within("header" if first == 1 else f"header before record {first}").packet(head)
        return first
    next_record = first
    while stream.peek(1) and stream.peek(4) != CONTAINER_MAGIC:
        block = _block(stream, origin.within(f"record {next_record}"))
        yield from _records(block, header, head, next_record, origin)
        _check_end(
            block, header, origin.within(f"record {next_record}"), is_alone=next_record == 1 and not stream.peek(1)
        )
        next_record += block.count
    return next_record


def _header(stream: ByteStream, origin: Origin) -> tuple[Header | None, bytes]:
    """Header and its bytes; None and the remaining bytes if the header cannot be read."""
    for size in _HEADER_SIZES:
        start = stream.peek(size)
        try:
            header = read_header(start)
        except PacketError:
            if len(start) < size:
                break
        else:
            return _checked(header, origin), stream.take(header.start)
    return None, stream.take(MAX_PACKET_BYTES)


def _checked(header: Header, origin: Origin) -> Header:
    if header.codec not in CODECS:
        known = ", ".join(CODECS)
        raise SourceError(
            f"{origin}: compressed with '{header.codec}'; supported are {known}: write the container with one of them"
        )
    return header


def _block(stream: ByteStream, origin: Origin) -> _Block:
    """The next block; if it has no end or impossible counts, all remaining bytes as one record."""
    start = stream.peek(_LONGEST_COUNTS)
    try:
        count, at = read_long(start, 0)
        size, at = read_long(start, at)
    except PacketError:
        count = size = at = -1
    if count < 0 or not 0 <= size <= MAX_PACKET_BYTES:
        return _Block(1, stream.take(MAX_PACKET_BYTES), 0, 0)
    return _Block(count, stream.take(at + size + SYNC_BYTES), at, at + size)


def _records(block: _Block, header: Header, head: bytes, first: int, origin: Origin) -> Iterator[ReceivedPacket]:
    """Packets of a block, or one packet of the whole block if its records cannot be separated."""
    try:
        if not block.ends_with(header.sync):
            raise PacketError("no sync marker follows it")
        data = decompress(header.codec, block.raw[block.start : block.stop])
        ends = [len(data)] if block.count == 1 else record_ends(header.schema_text, data, block.count).tolist()
    except (PacketError, SchemaError) as error:
        last = first + block.count - 1
        broken = origin.within(f"record {first}" if last <= first else f"records {first} to {last}")
        log.warning("%s: kept as one dead letter: %s", broken, error)
        yield broken.packet(head + block.raw)
        return
    for n, (start, stop) in enumerate(zip([0, *ends], ends, strict=False), first):
        yield origin.within(f"record {n}").packet(wrap(header.schema_text, data[start:stop]))


def _check_end(block: _Block, header: Header, origin: Origin, *, is_alone: bool) -> None:
    """Raise SourceError if the sync marker is missing, unless the block is the only record of its source."""
    if not block.ends_with(header.sync) and not (is_alone and block.count == 1):
        raise SourceError(f"{origin}: the container is cut short or damaged here; fetch or copy it again")
