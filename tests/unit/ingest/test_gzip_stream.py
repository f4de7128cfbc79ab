"""Gunzip gives every byte before damage, and tells the damage."""

from __future__ import annotations

import gzip
import io
import os

import pytest

from redpoll.ingest.byte_stream import ByteStream
from redpoll.ingest.gzip_stream import GzipReader


def gunzip(data: bytes) -> tuple[bytes, str]:
    stream = ByteStream(GzipReader(io.BytesIO(data).read).read)
    return stream.take(1 << 30), stream.damage


@pytest.mark.parametrize("size", [0, 1, 1000, 300_000, 1_000_000])
def test_whole_streams_come_whole(size):
    data = os.urandom(size // 2) + bytes(size // 2)
    assert gunzip(gzip.compress(data, 1)) == (data, "")


def test_members_laid_end_to_end_and_padding_are_one_stream():
    assert gunzip(gzip.compress(b"abc") + gzip.compress(b"") + gzip.compress(b"def") + bytes(700)) == (b"abcdef", "")


def test_a_cut_at_each_byte_is_told_and_gives_a_beginning():
    data = bytes(range(256)) * 4
    packed = gzip.compress(data)
    for cut in range(len(packed)):
        out, damage = gunzip(packed[:cut])
        assert data.startswith(out)
        assert "truncated" in damage


def test_all_that_comes_before_a_cut_is_given():
    data = os.urandom(1_000_000)
    out, _ = gunzip(gzip.compress(data, 0)[:700_000])
    assert len(out) > 699_000


def test_a_wrong_checksum_is_told():
    packed = bytearray(gzip.compress(b"abc" * 100))
    packed[-8] ^= 1
    assert "checksum" in gunzip(bytes(packed))[1]


def test_bytes_that_follow_are_told():
    assert "not gzip" in gunzip(gzip.compress(b"abc") + b"junk")[1]


def test_what_is_not_gzip_is_told():
    assert gunzip(b"\x1f\x8bjunk" * 10)[0] == b""
    assert gunzip(b"\x1f\x8bjunk" * 10)[1]
