"""The kind of bytes is told from the bytes."""

from __future__ import annotations

import gzip
import tarfile

import pytest

from redpoll.ingest.recognise import HEAD_BYTES, Kind, recognise


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_format_of_tar_is_recognised(tar, form):
    assert recognise(tar({"a/" * 60 + "b": b"x"}, form)[:HEAD_BYTES]) is Kind.TAR


def test_zeros_are_of_no_kind(tar):
    assert recognise(bytes(HEAD_BYTES)) is recognise(tar({})) is Kind.UNKNOWN


def test_a_tar_header_with_a_wrong_checksum_is_not_tar(tar):
    assert recognise(b"X" + tar({"a.avro": b"x"})[1:]) is Kind.UNKNOWN


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"", Kind.EMPTY),
        (b"Obj\x01", Kind.AVRO),
        (gzip.compress(b"", mtime=0), Kind.GZIP),
        (b"PAR1\x00", Kind.PARQUET),
        (b"\x00\x00\x00\x03\x84data", Kind.CONFLUENT),
        (b"\x00\x00\x00\x00\x00data", Kind.UNKNOWN),
        (b"\x00\xff\xff\xff\xffdata", Kind.UNKNOWN),
        (b"\x00\x00\x00\x03\x84", Kind.UNKNOWN),
        (b"Obj\x02", Kind.UNKNOWN),
        (b"{}", Kind.UNKNOWN),
    ],
)
def test_kind(head, kind):
    assert recognise(head) is kind
