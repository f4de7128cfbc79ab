"""One file of any kind, in any nesting, is a source of packets."""

from __future__ import annotations

import gzip
import io
import logging
import os
import tarfile

import pytest

from redpoll.errors import SourceError
from redpoll.ingest import files
from redpoll.ingest.files import file_source, open_source, open_sources
from redpoll.plugin.polling import all_packets


def packets(path) -> list:
    return list(all_packets(open_source(path)))


def before_error(path, match: str) -> list:
    found = []
    with pytest.raises(SourceError, match=match):
        for packet in all_packets(open_source(path)):
            found.append(packet)
    return found


def test_a_packet_file_is_its_own_bytes(put, container):
    (packet,) = packets(put("a.avro", container()))
    assert (packet.data, str(packet.position)) == (container(), "whole file")


def test_the_name_does_not_matter(put, container, tar, gz):
    assert packets(put("a.tar.gz", container()))[0].data == container()
    assert packets(put("b.avro", gz(tar({"x": container()}))))[0].data == container()


@pytest.mark.parametrize(
    "wrap",
    [
        lambda tar, gz, night: tar(night),
        lambda tar, gz, night: gz(tar(night)),
        lambda tar, gz, night: gz(gz(tar(night))),
        lambda tar, gz, night: tar({"night.tar.gz": gz(tar(night))}),
        lambda tar, gz, night: gz(tar({f"{name}.gz": gz(data) for name, data in night.items()})),
    ],
    ids=["tar", "tar.gz", "tar.gz.gz", "tar in tar", "gz in tar.gz"],
)
def test_archives_in_any_nesting_give_their_packets_in_order(put, tar, gz, night, wrap):
    found = packets(put("night", wrap(tar, gz, night)))
    assert [p.data for p in found] == list(night.values())
    assert len({str(p.position) for p in found}) == len(night)


def test_a_member_is_named_with_its_number(put, tar, container):
    found = packets(put("night.tar", tar({"a.avro": container(), "b.avro": container(2)})))
    assert [str(p.position) for p in found] == [
        "member a.avro (1)",
        "member b.avro (2), record 1",
        "member b.avro (2), record 2",
    ]


def test_two_members_of_one_name_are_told_apart(put, container):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for _ in range(2):
            info = tarfile.TarInfo("a.avro")
            info.size = len(container())
            archive.addfile(info, io.BytesIO(container()))
    assert [str(p.position) for p in packets(put("a.tar", out.getvalue()))] == [
        "member a.avro (1)",
        "member a.avro (2)",
    ]


def test_nesting_without_end_is_kept_as_it_is(put, tar, container):
    data = container()
    for _ in range(20):
        data = tar({"again": data})
    (packet,) = packets(put("deep.tar", data))
    assert str(packet.position).count("again") == 4


@pytest.mark.parametrize("data", [b"", b"\x00\x00\x00\x03\x84 framed", b"SIMPLE  = T", b"{}", b"Obj\x01cut"])
def test_what_is_no_container_is_a_packet_with_its_bytes(put, data):
    (packet,) = packets(put("file.avro", data))
    assert packet.data == data


def test_a_truncated_packet_is_kept_with_its_bytes(put, container):
    (packet,) = packets(put("file.avro", container()[:-5]))
    assert packet.data == container()[:-5]


def test_a_packet_of_ten_megabytes_passes(put, container, tar, gz):
    big = container(size=10_000_000)
    assert [p.data for p in packets(put("big.tar.gz", gz(tar({"a": big, "b": container()}))))] == [big, container()]


def test_a_compressed_one_record_container_comes_plain(put, container):
    (packet,) = packets(put("a.avro", container(codec="deflate")))
    assert b"deflate" not in packet.data


def test_a_truncated_archive_gives_what_came_then_tells(put, tar, gz, night):
    data = gzip.compress(tar({name: os.urandom(5000) for name in night}), 1)
    found = before_error(
        put("night.tar.gz", data[:-9000]), r"night.tar.gz: .*cut short.*within member 3.avro.*truncated"
    )
    assert [str(p.position) for p in found[:-1]] == [f"member {i}.avro ({i + 1})" for i in range(3)]
    assert "of 5000 bytes" in str(found[-1].position)


def test_a_wrong_checksum_at_the_end_is_told(put, tar, night):
    data = bytearray(gzip.compress(tar({name: os.urandom(200_000) for name in night}), 1))
    data[-8] ^= 1
    assert len(before_error(put("night.tar.gz", bytes(data)), "checksum")) >= 4


def test_gzip_with_nothing_readable_is_told_and_makes_no_packet(put, gz):
    assert before_error(put("a.avro.gz", gz(b"abc")[:8] + b"junk" * 9), "a.avro.gz") == []


def test_a_truncated_gz_of_one_packet_is_kept_and_told(put, container, gz):
    (packet,) = before_error(put("a.avro.gz", gz(container(size=5000))[:-6]), "truncated")
    assert packet.data == container(size=5000)


def test_a_broken_archive_in_an_archive_does_not_end_the_outer_one(put, tar, gz, night, container, caplog):
    inner = gz(tar(night))[:-6]
    with caplog.at_level(logging.WARNING):
        found = packets(put("outer.tar", tar({"inner.tar.gz": inner, "last.avro": container()})))
    assert [p.data for p in found] == [*night.values(), inner, container()]
    assert str(found[-2].position) == "member inner.tar.gz (1), as stored"
    assert "kept as a dead letter" in caplog.text


def test_a_gzip_bomb_is_refused_without_filling_memory(put, monkeypatch):
    monkeypatch.setattr("redpoll.ingest.unpack.MAX_PACKET_BYTES", 1 << 20)
    assert (
        before_error(put("bomb.gz", gzip.compress(b"x" * (8 << 20))), "more than 1 MB and bytes of an unknown kind")
        == []
    )


def test_a_member_too_large_is_a_packet_that_says_so(put, tar, container, monkeypatch):
    monkeypatch.setattr("redpoll.ingest.tar_archive.MAX_PACKET_BYTES", 1 << 17)
    found = packets(put("a.tar", tar({"bomb": b"x" * (1 << 18), "b": container()})))
    assert [str(p.position) for p in found] == ["member bomb (1), 65536 of 262144 bytes", "member b (2)"]


def test_a_container_larger_than_a_packet_is_read_block_by_block(put, container, monkeypatch):
    data = container(200, block=1000)
    monkeypatch.setattr("redpoll.ingest.unpack.MAX_PACKET_BYTES", 4000)
    assert len(data) > 4000
    assert len(packets(put("many.avro", data))) == 200


def test_sidecars_in_an_archive_are_left_out_with_the_reason(put, tar, container, caplog):
    members = {"._a.avro": b"\0\5\x16\7", "README.md": b"# hello", "a.avro": container(), "b.json": container()}
    with caplog.at_level(logging.INFO):
        found = packets(put("night.tar", tar(members)))
    assert [p.data for p in found] == [container(), container()]
    assert "README.md (2): skipped: a sidecar" in caplog.text


def test_an_empty_archive_gives_nothing_and_says_so(put, tar, gz, caplog):
    with caplog.at_level(logging.WARNING):
        assert packets(put("none.tar.gz", gz(tar({})))) == []
    assert "holds no packets" in caplog.text


def test_a_file_of_zeros_does_not_pass_for_an_empty_night(put, tar):
    assert [p.data for p in packets(put("lost.avro", bytes(5000)))] == [bytes(5000)]
    assert [p.data for p in packets(put("night.tar", tar({"lost.avro": bytes(5000)})))] == [bytes(5000)]


def test_bytes_read_grow_to_the_size_of_the_file(put, tar, gz):
    path = put("night.tar.gz", gz(tar({f"{i}": os.urandom(300_000) for i in range(6)})))
    source = open_source(path)
    read = [source.n_read for _ in all_packets(source, at_once=1)]
    assert read == sorted(read)
    assert 0 < read[0] < read[-1] <= source.n_read == source.n_bytes == path.stat().st_size


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(SourceError, match="No such file"):
        open_source(tmp_path / "none.avro")


def test_a_folder_or_a_pipe_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(SourceError, match="not a regular file"):
            open_source(path)


def test_a_file_that_went_away_is_told(put, container):
    path = put("a.avro", container())
    source = open_source(path)
    path.unlink()
    with pytest.raises(SourceError, match="cannot be opened"):
        list(all_packets(source))


def test_a_file_uri_is_a_path(put, container):
    path = put("a b.avro", container())
    assert file_source(path.as_uri()).path == path


def test_a_plugin_reads_its_scheme(monkeypatch, put, container):
    path = put("a.avro", container())
    asked = []

    def plugin(uri, **settings):
        asked.append((uri, settings))
        return file_source(str(path))

    monkeypatch.setattr(files, "installed_sources", lambda: {"myscheme": plugin})
    assert list(all_packets(open_source("myscheme://host/topic", group="g")))
    assert [s.name for s in open_sources(["myscheme://host/topic"])] == [str(path)]
    assert asked == [("myscheme://host/topic", {"group": "g"}), ("myscheme://host/topic", {})]


def _fails(uri):
    raise ConnectionError("no route")


@pytest.mark.parametrize(
    ("make", "words"),
    [(_fails, "the source 'mine' failed: ConnectionError: no route"), (lambda uri: [uri], "made a list")],
)
def test_a_plugin_s_source_that_cannot_be_made_is_named_with_its_uri(make, words, monkeypatch):
    monkeypatch.setattr(files, "installed_sources", lambda: {"mine": make})
    with pytest.raises(SourceError, match=f"mine://x: .*{words}"):
        open_source("mine://x")


def test_a_scheme_without_plugin_is_told_with_the_near_ones(monkeypatch):
    monkeypatch.setattr(files, "installed_sources", lambda: {"kafka": file_source, "file": file_source})
    with pytest.raises(SourceError, match=r"no installed source reads 'kafkaa://'; near: kafka"):
        open_source("kafkaa://host/topic")
