"""The two framings of alert packets: Avro object containers and Confluent's schema-id prefix."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache

from redpoll.errors import PacketError

CONTAINER_MAGIC = b"Obj\x01"
CONFLUENT_MAGIC = b"\x00"
CONFLUENT_PREFIX = 5
_MAX_HEADER = 1 << 22
_SYNC = b"redpoll-1-packet"


@dataclass(frozen=True)
class Header:
    """Header of an Avro object container; ``start`` is the byte where its first block begins."""

    schema_text: str
    codec: str
    sync: bytes
    start: int


def read_header(data: bytes | memoryview) -> Header:
    """Header of the object container that `data` begins with; PacketError if it is not one."""
    head = bytes(data[:_MAX_HEADER])
    if head[:4] != CONTAINER_MAGIC:
        raise PacketError("not an Avro object container: the first bytes are not 'Obj' 1")
    meta, at = _read_map(head, 4)
    if "avro.schema" not in meta:
        raise PacketError("Avro object container without avro.schema in its header")
    if at + 16 > len(head):
        raise PacketError("truncated: the container's header ends before its sync marker")
    try:
        text, codec = meta["avro.schema"].decode(), meta.get("avro.codec", b"null").decode()
    except UnicodeDecodeError as error:
        raise PacketError(f"the container's header is not UTF-8: {error}") from error
    return Header(text, codec, head[at : at + 16], at + 16)


def read_long(data: bytes | memoryview, at: int) -> tuple[int, int]:
    """A zigzag variable-length integer at byte `at`, and the byte after it."""
    value = shift = 0
    while True:
        if at >= len(data):
            raise PacketError(f"truncated: an integer at byte {at} has no end")
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1), at
        if shift > 63:
            raise PacketError(f"an integer before byte {at} is longer than 64 bits")


def one_datum(data: bytes | memoryview, header: Header) -> tuple[int, int]:
    """Where the only datum of a one-record container starts and stops; PacketError if it holds another number."""
    count, at = read_long(data, header.start)
    size, at = read_long(data, at)
    if count != 1:
        raise PacketError(f"the container's first block holds {count} records; a packet holds one")
    if header.codec != "null":
        raise PacketError(f"the container is compressed with {header.codec}; a packet is not compressed")
    if size < 0 or at + size + 16 > len(data):
        raise PacketError(f"truncated: the datum needs {size} bytes, the packet has {max(0, len(data) - at - 16)}")
    if bytes(data[at + size : at + size + 16]) != header.sync:
        raise PacketError("damaged: the sync marker after the datum does not match the header's")
    if at + size + 16 != len(data):
        raise PacketError(f"{len(data) - at - size - 16} bytes follow the first block; a packet holds one record")
    return at, at + size


def wrap(schema_text: str, datum: bytes | memoryview) -> bytes:
    """An uncompressed object container holding one datum.

    >>> read_header(wrap('"long"', b"\\x02")).schema_text
    '"long"'
    """
    return b"".join([_header(schema_text), write_long(1), write_long(len(datum)), datum, _SYNC])


@lru_cache(maxsize=64)
def _header(schema_text: str) -> bytes:
    json.loads(schema_text)
    text = schema_text.encode()
    entries = [(b"avro.codec", b"null"), (b"avro.schema", text)]
    body = b"".join(write_long(len(k)) + k + write_long(len(v)) + v for k, v in entries)
    return CONTAINER_MAGIC + write_long(len(entries)) + body + write_long(0) + _SYNC


def write_long(value: int) -> bytes:
    """Zigzag variable-length bytes of an integer."""
    rest = (value << 1) ^ (value >> 63)
    out = bytearray()
    while rest > 0x7F:
        out.append((rest & 0x7F) | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


def _read_map(data: bytes, at: int) -> tuple[dict[str, bytes], int]:
    meta: dict[str, bytes] = {}
    while True:
        count, at = read_long(data, at)
        if count == 0:
            return meta, at
        if count < 0:
            count, at = -count, read_long(data, at)[1]
        if count > len(data):
            raise PacketError(f"the container's header claims {count} entries")
        for _ in range(count):
            key, at = _read_bytes(data, at)
            meta[key.decode("utf-8", "replace")], at = _read_bytes(data, at)


def _read_bytes(data: bytes, at: int) -> tuple[bytes, int]:
    size, at = read_long(data, at)
    if size < 0 or at + size > len(data):
        raise PacketError(f"truncated: the header at byte {at} needs {size} bytes")
    return data[at : at + size], at + size
