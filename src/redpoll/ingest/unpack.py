"""Packets from archives, compressed files and containers, nested in any order."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

from redpoll.errors import SourceError
from redpoll.ingest.byte_stream import MAX_PACKET_BYTES, ByteStream
from redpoll.ingest.containers import OneRecord, container_packets
from redpoll.ingest.gzip_stream import GzipReader
from redpoll.ingest.origin import Origin
from redpoll.ingest.parquet_rows import row_packets
from redpoll.ingest.recognise import CONVERSIONS, HEAD_BYTES, Kind, recognise
from redpoll.ingest.sidecars import reason_to_skip
from redpoll.ingest.tar_archive import Member, members
from redpoll.plugin.ports import ReceivedPacket

log = logging.getLogger(__name__)

MAX_NESTING = 4


class Unpacker:
    """Unpacks the packets of one source, in order; bytes of an unknown kind are one packet, a later dead letter."""

    def __init__(self) -> None:
        self._is_one_record = OneRecord()

    def packets(self, stream: ByteStream, origin: Origin, depth: int = 0) -> Iterator[ReceivedPacket]:
        """Packets in a stream of bytes.

        Raises
        ------
        SourceError
            After the packets before it: if an archive is damaged or truncated so that packets are lost, or if more than
            64 MB are of a kind that cannot be split. At once, with the command that converts it, for a file of a
            compression that is not read.
        """
        kind = recognise(stream.peek(HEAD_BYTES))
        if depth < MAX_NESTING and kind is Kind.TAR:
            yield from self._tar(stream, origin, depth)
        elif depth < MAX_NESTING and kind is Kind.GZIP:
            yield from self._gzip(stream, origin, depth)
        elif depth == 0 and kind in CONVERSIONS:
            raise SourceError(
                f"{origin}: {kind.value} is not read. Convert it first (`{CONVERSIONS[kind]}`): Redpoll reads Avro, "
                "Parquet, tar and gzip"
            )
        elif len(data := stream.peek(MAX_PACKET_BYTES + 1)) <= MAX_PACKET_BYTES:
            yield from self._whole(data, stream, origin, kind)
        elif kind is Kind.AVRO:
            yield from container_packets(stream, origin)
        else:
            raise SourceError(f"{origin}: more than {MAX_PACKET_BYTES >> 20} MB and {kind.value}; leave this file out")

    def _whole(self, data: bytes, stream: ByteStream, origin: Origin, kind: Kind) -> Iterator[ReceivedPacket]:
        if kind is Kind.PARQUET:
            yield from row_packets(io.BytesIO(data), origin)
        elif kind is not Kind.AVRO or self._is_one_record(data):
            yield origin.packet(data)
        else:
            yield from container_packets(stream, origin)

    def _gzip(self, stream: ByteStream, origin: Origin, depth: int) -> Iterator[ReceivedPacket]:
        inner = ByteStream(GzipReader(stream.take).read)
        if inner.peek(HEAD_BYTES) == bytes(HEAD_BYTES):
            yield from self._tar(inner, origin, depth + 1)  # no members: a night without alerts
        elif inner.peek(1) or not inner.damage:
            yield from self.packets(inner, origin, depth + 1)
        if inner.damage or stream.damage:
            raise SourceError(f"{origin}: {stream.damage or inner.damage}; earlier packets were read. Fetch it again")

    def _tar(self, stream: ByteStream, origin: Origin, depth: int) -> Iterator[ReceivedPacket]:
        is_empty = True
        for member in members(stream, str(origin)):
            is_empty = False
            yield from self._member(member, origin.within(f"member {member.name} ({member.number})"), depth)
        if is_empty:
            log.warning("%s: the archive holds no packets", origin)

    def _member(self, member: Member, origin: Origin, depth: int) -> Iterator[ReceivedPacket]:
        if member.size != len(member.data):
            yield origin.within(f"{len(member.data)} of {member.size} bytes").packet(member.data)
        elif self._is_one_record(member.data):
            yield origin.packet(member.data)
        elif reason := reason_to_skip(member.name, lambda: member.data[:HEAD_BYTES]):
            log.info("%s: skipped: %s", origin, reason)
        else:
            yield from self._nested(member.data, origin, depth)

    def _nested(self, data: bytes, origin: Origin, depth: int) -> Iterator[ReceivedPacket]:
        """Packets within a member; a damaged member is one packet, and the archive is read on."""
        try:
            yield from self.packets(ByteStream(io.BytesIO(data).read), origin, depth + 1)
        except SourceError as error:
            log.warning("%s; the member is kept as a dead letter", error)
            yield origin.within("as stored").packet(data)
