"""Members of a tar archive as a stream, without unpacking to disk; damage is an error.

Python's ``tarfile`` treats a damaged header as the end of the archive, so only its header parser is used here.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass

from redpoll.errors import SourceError
from redpoll.ingest.byte_stream import MAX_PACKET_BYTES, ByteStream

BLOCK = 512
KEPT_OF_OVERSIZE = 64 << 10
_MAX_EXTENDED = 1 << 20
_LONG_NAME, _PAX = b"L", (b"x", b"X")
_ABOUT_NEXT = (_LONG_NAME, b"K", b"g", *_PAX)
_WITHOUT_DATA = (b"1", b"2", b"3", b"4", b"5", b"6")


@dataclass(frozen=True)
class Member:
    """A regular file in the archive.

    ``number`` counts from 1; ``data`` is shorter than ``size`` if the archive ends early, and the first 64 kB of a
    member that is larger than any packet.
    """

    name: str
    number: int
    size: int
    data: bytes


def members(stream: ByteStream, where: str) -> Iterator[Member]:
    """Regular files of the archive in order, including one that is truncated.

    Raises
    ------
    SourceError
        After the members before it, if the archive is damaged or ends early; the message begins with `where`.
    """
    number, last, ended = 0, "the start", False
    extended: dict[str, str] = {}
    while block := stream.take(BLOCK):
        if ended := not any(block):
            continue
        info = _header(block, stream, f"{where}: after {last}")
        if info.type in _ABOUT_NEXT:
            extended |= _extended(info, stream, f"{where}: after {last}")
            continue
        size, name = int(extended.get("size", info.size)), extended.get("path", info.name)
        extended = {}
        if not info.isreg():
            stream.skip(0 if info.type in _WITHOUT_DATA else _padded(size))
            continue
        number, last = number + 1, f"member {name}"
        yield from _member(stream, name, number, size, where)
    if stream.damage or not ended:
        raise SourceError(_early_end(where, last, stream))


def _member(stream: ByteStream, name: str, number: int, size: int, where: str) -> Iterator[Member]:
    data = stream.take(size if size <= MAX_PACKET_BYTES else KEPT_OF_OVERSIZE)
    rest = _padded(size) - len(data)
    yield Member(name, number, size, data)
    if stream.skip(rest) < rest:
        raise SourceError(_early_end(where, f"within member {name}", stream))


def _header(block: bytes, stream: ByteStream, where: str) -> tarfile.TarInfo:
    try:
        info = tarfile.TarInfo.frombuf(block, "utf-8", "replace")
    except tarfile.HeaderError as error:
        reason = stream.damage or str(error)
        raise SourceError(f"{where}: the archive is damaged ({reason}); fetch or copy it again") from error
    if info.size < 0 or info.type == tarfile.GNUTYPE_SPARSE:
        raise SourceError(f"{where}: the archive has a member of an impossible size; fetch or copy it again")
    return info


def _extended(info: tarfile.TarInfo, stream: ByteStream, where: str) -> dict[str, str]:
    """Name or size of the next member, if they do not fit into its own header."""
    if info.size > _MAX_EXTENDED:
        raise SourceError(f"{where}: an extended header of {info.size} bytes; the archive is damaged")
    data = stream.take(_padded(info.size))[: info.size]
    if info.type == _LONG_NAME:
        return {"path": data.rstrip(b"\0").decode("utf-8", "replace")}
    return _pax_records(data, where) if info.type in _PAX else {}


def _pax_records(data: bytes, where: str) -> dict[str, str]:
    """The records ``LENGTH KEY=VALUE`` of a pax header."""
    records: dict[str, str] = {}
    while data:
        length, _, _ = data.partition(b" ")
        if not length.isdigit() or not len(length) + 1 < int(length) <= len(data):
            raise SourceError(f"{where}: a pax header that cannot be read; the archive is damaged")
        key, _, value = data[len(length) + 1 : int(length) - 1].partition(b"=")
        records[key.decode("utf-8", "replace")] = value.decode("utf-8", "replace")
        data = data[int(length) :]
    if not records.get("size", "0").isdigit():
        raise SourceError(f"{where}: a pax header with size {records['size']}; the archive is damaged")
    return records


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK


def _early_end(where: str, last: str, stream: ByteStream) -> str:
    reason = stream.damage or "no end-of-archive mark"
    what = f"the archive is cut short or damaged after {last} ({reason})"
    return f"{where}: {what}; the members before it were read. Fetch it again"
