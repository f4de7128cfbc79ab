"""Decompression of blocks of Avro object containers, with bounded output."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable

import pyarrow as pa
from isal import isal_zlib

from redpoll.errors import PacketError
from redpoll.ingest.byte_stream import DAMAGE, MAX_PACKET_BYTES

_BOUND = MAX_PACKET_BYTES + 1


def decompress(codec: str, data: bytes) -> bytes:
    """Bytes of a block that was compressed with `codec`, one of `CODECS`; PacketError if damaged or over 64 MB.

    >>> decompress("null", b"as it is")
    b'as it is'
    """
    try:
        out = CODECS[codec](data)
    except (*DAMAGE, ValueError, lzma.LZMAError, pa.ArrowException) as error:
        raise PacketError(f"a {codec} block that cannot be decompressed: {error}") from error
    if len(out) > MAX_PACKET_BYTES:
        raise PacketError(f"a {codec} block of more than {MAX_PACKET_BYTES >> 20} MB")
    return out


def _deflate(data: bytes) -> bytes:
    inflater = isal_zlib.decompressobj(wbits=-15)
    out: bytes = inflater.decompress(data, _BOUND)
    return _whole(out, inflater.eof)


def _bzip2(data: bytes) -> bytes:
    reader = bz2.BZ2Decompressor()
    out = reader.decompress(data, _BOUND)
    return _whole(out, reader.eof)


def _xz(data: bytes) -> bytes:
    reader = lzma.LZMADecompressor(memlimit=4 * MAX_PACKET_BYTES)
    out = reader.decompress(data, _BOUND)
    return _whole(out, reader.eof)


def _zstandard(data: bytes) -> bytes:
    with pa.CompressedInputStream(pa.BufferReader(data), "zstd") as reader:
        out: bytes = reader.read(_BOUND)
    return out


def _snappy(data: bytes) -> bytes:
    """Raw snappy, which begins with its size, followed by a CRC32."""
    size = _snappy_size(data)
    out: bytes = pa.decompress(data[:-4], min(size, _BOUND), "snappy", asbytes=True)
    if zlib.crc32(out) != int.from_bytes(data[-4:], "big"):
        raise ValueError("the checksum is wrong")
    return out


def _snappy_size(data: bytes) -> int:
    size = 0
    for n, byte in enumerate(data[:5]):
        size |= (byte & 0x7F) << (7 * n)
        if byte < 0x80:
            return size
    raise EOFError("no size at its start")


def _whole(out: bytes, at_end: bool) -> bytes:
    if not at_end and len(out) < _BOUND:
        raise EOFError("it ends early")
    return out


CODECS: dict[str, Callable[[bytes], bytes]] = {
    "null": lambda data: data,
    "deflate": _deflate,
    "bzip2": _bzip2,
    "xz": _xz,
    "zstandard": _zstandard,
    "snappy": _snappy,
}
