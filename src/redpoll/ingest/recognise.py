"""Recognition of file formats from their first bytes, never from file names."""

from __future__ import annotations

import tarfile
from enum import Enum

from redpoll.schema.avro.container import CONFLUENT_MAGIC, CONFLUENT_PREFIX, CONTAINER_MAGIC

HEAD_BYTES = 512
_LARGEST_SCHEMA_ID = 1 << 24


class Kind(Enum):
    """Formats of files with packets."""

    EMPTY = "nothing"
    AVRO = "an Avro object container"
    CONFLUENT = "a Confluent-framed packet"
    GZIP = "gzip"
    TAR = "a tar archive"
    PARQUET = "Parquet"
    BZIP2 = "bzip2"
    XZ = "xz"
    ZSTANDARD = "zstandard"
    ZIP = "a zip archive"
    UNKNOWN = "bytes of an unknown kind"


CONVERSIONS = {
    Kind.BZIP2: "bunzip2 FILE",
    Kind.XZ: "unxz FILE",
    Kind.ZSTANDARD: "unzstd FILE",
    Kind.ZIP: "unzip FILE -d FOLDER",
}
"""Formats that are not read, each with the command that converts a file."""
_MAGIC = {
    CONTAINER_MAGIC: Kind.AVRO,
    b"\x1f\x8b": Kind.GZIP,
    b"PAR1": Kind.PARQUET,
    b"BZh": Kind.BZIP2,
    b"\xfd7zXZ\x00": Kind.XZ,
    b"\x28\xb5\x2f\xfd": Kind.ZSTANDARD,
    b"PK\x03\x04": Kind.ZIP,
}


def recognise(head: bytes) -> Kind:
    """Format of a file that begins with `head`; 512 bytes suffice.

    >>> recognise(b"Obj\\x01...").name, recognise(b"\\x00\\x00\\x00\\x03\\x84...").name, recognise(b"SIMPLE  =").name
    ('AVRO', 'CONFLUENT', 'UNKNOWN')
    """
    if not head:
        return Kind.EMPTY
    for magic, kind in _MAGIC.items():
        if head.startswith(magic):
            return kind
    if _is_tar(head[:HEAD_BYTES]):
        return Kind.TAR
    return Kind.CONFLUENT if _is_framed(head) else Kind.UNKNOWN


def _is_tar(block: bytes) -> bool:
    """Whether a block is a tar header with a valid checksum; a block of zeros is not."""
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "replace")
    except tarfile.HeaderError:
        return False
    return True


def _is_framed(head: bytes) -> bool:
    schema_id = int.from_bytes(head[1:CONFLUENT_PREFIX], "big")
    return head.startswith(CONFLUENT_MAGIC) and len(head) > CONFLUENT_PREFIX and 0 < schema_id < _LARGEST_SCHEMA_ID
