"""Tar archives as a stream: every member or an error, never silence."""

from __future__ import annotations

import io
import tarfile

import pytest

from redpoll.errors import SourceError
from redpoll.ingest.byte_stream import ByteStream
from redpoll.ingest.tar_archive import BLOCK, KEPT_OF_OVERSIZE, Member, members


def read(data: bytes) -> list[Member]:
    return list(members(ByteStream(io.BytesIO(data).read), "night.tar"))


def before_error(data: bytes, match: str = "night.tar") -> list[Member]:
    found = []
    with pytest.raises(SourceError, match=match):
        for member in members(ByteStream(io.BytesIO(data).read), "night.tar"):
            found.append(member)
    return found


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_members_are_those_of_tarfile(tar, night, form):
    assert {m.name: m.data for m in read(tar(night, form))} == night


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_and_foreign_names_are_kept(tar, form):
    name = "a/" * 100 + "née.avro"
    assert [m.name for m in read(tar({name: b"x", "b": b"y"}, form))] == [name, "b"]


def test_folders_and_links_are_passed_over(tmp_path, night):
    (tmp_path / "real.avro").write_bytes(night["0.avro"])
    (tmp_path / "link.avro").symlink_to("real.avro")
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.add(tmp_path, "night")
    assert [(m.name, m.number) for m in read(out.getvalue())] == [("night/real.avro", 1)]


def test_a_cut_at_each_block_is_told_and_keeps_what_came(tar, night):
    data = tar(night).rstrip(b"\0")
    whole = list(night.items())
    for cut in range(BLOCK, len(data), BLOCK):
        found = before_error(data[:cut])
        good = [(m.name, m.data) for m in found if len(m.data) == m.size]
        assert good == whole[: len(good)]
        assert all(whole[m.number - 1][1].startswith(m.data) for m in found)


def test_a_damaged_header_does_not_pass_for_the_end(tar, night):
    data = bytearray(tar(night))
    data[data.index(b"2.avro")] = 0xFF
    assert [m.name for m in before_error(bytes(data), "after member 1.avro: the archive is damaged")] == [
        "0.avro",
        "1.avro",
    ]


def test_archives_laid_end_to_end_are_all_read(tar):
    assert [m.name for m in read(tar({"a": b"1"}) + tar({"b": b"2"}))] == ["a", "b"]


def test_an_empty_archive_has_no_members(tar):
    assert read(tar({})) == []


def test_a_member_larger_than_any_packet_is_passed_over_without_holding_it(tar, monkeypatch):
    monkeypatch.setattr("redpoll.ingest.tar_archive.MAX_PACKET_BYTES", 100_000)
    big, small = read(tar({"big": b"x" * 300_000, "small": b"y"}))
    assert (big.size, len(big.data), small.data) == (300_000, KEPT_OF_OVERSIZE, b"y")


def test_a_size_beyond_the_archive_is_told_at_once(tar):
    info = tarfile.TarInfo("bomb")
    info.size = 1 << 60
    (cut,) = before_error(info.tobuf(tarfile.GNU_FORMAT) + b"x" * 1000, "within member bomb")
    assert (cut.size, len(cut.data)) == (1 << 60, 1000)


def test_a_negative_size_is_damage():
    info = tarfile.TarInfo("minus")
    info.size = -BLOCK
    assert before_error(info.tobuf(tarfile.GNU_FORMAT) + bytes(2 * BLOCK), "impossible size") == []


@pytest.mark.parametrize("record", [b"99 size=1\n", b"x size=1\n", b"10 size=x\n", b"3 s\n", b"-9 size=1\n"])
def test_a_broken_pax_header_is_damage(record):
    info = tarfile.TarInfo("pax")
    info.type, info.size = tarfile.XHDTYPE, len(record)
    data = info.tobuf(tarfile.USTAR_FORMAT) + record.ljust(BLOCK, b"\0") + bytes(2 * BLOCK)
    assert before_error(data, "pax header") == []


def test_a_giant_extended_header_is_damage():
    info = tarfile.TarInfo("name")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 1 << 40
    assert before_error(info.tobuf(tarfile.GNU_FORMAT), "extended header") == []
