"""Folders and globs give their packets' files in one order, and say what they leave out."""

from __future__ import annotations

import logging
import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from redpoll.errors import SourceError
from redpoll.ingest.files import open_sources
from redpoll.plugin.polling import all_packets


def names(*places, root) -> list[str]:
    return [os.path.relpath(source.name, root) for source in open_sources(places)]


@pytest.fixture
def tree(put, container, tmp_path):
    for name in ("b/2.avro", "b/10.avro", "a/1.avro", "c.avro"):
        put(name, container())
    return tmp_path


def test_files_of_a_folder_are_sorted(tree):
    assert names(tree, root=tree) == ["a/1.avro", "b/10.avro", "b/2.avro", "c.avro"]


def test_places_keep_the_order_given(tree):
    assert names(tree / "c.avro", tree / "a", root=tree) == ["c.avro", "a/1.avro"]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.avro", ["c.avro"]),
        ("?/*.avro", ["a/1.avro", "b/10.avro", "b/2.avro"]),
        ("**/1*.avro", ["a/1.avro", "b/10.avro"]),
        ("[ab]", ["a/1.avro", "b/10.avro", "b/2.avro"]),
    ],
)
def test_globs_are_sorted(tree, pattern, found):
    assert names(tree / pattern, root=tree) == found


def test_a_relative_glob_is_of_the_working_folder(tree, monkeypatch):
    monkeypatch.chdir(tree / "a")
    assert [source.name for source in open_sources(["../b/*.avro"])] == ["../b/10.avro", "../b/2.avro"]


def test_a_name_with_brackets_is_a_file_before_it_is_a_glob(put, container, tmp_path):
    put("a[1].avro", container())
    assert names(tmp_path / "a[1].avro", root=tmp_path) == ["a[1].avro"]


def test_a_file_reached_twice_is_read_once(tree, caplog):
    (tree / "z.avro").symlink_to(tree / "c.avro")
    with caplog.at_level(logging.INFO):
        assert names(tree / "c.avro", tree, root=tree) == ["c.avro", "a/1.avro", "b/10.avro", "b/2.avro"]
    assert "it is read already" in caplog.text


def test_links_in_a_circle_end(tree):
    (tree / "a" / "up").symlink_to(tree)
    (tree / "self").symlink_to("self")
    assert names(tree, root=tree) == ["a/1.avro", "b/10.avro", "b/2.avro", "c.avro"]


def test_links_to_other_folders_are_followed(tree, tmp_path_factory, container):
    other = tmp_path_factory.mktemp("other")
    (other / "far.avro").write_bytes(container())
    (tree / "link").symlink_to(other)
    assert "link/far.avro" in names(tree, root=tree)


def test_sidecars_are_left_out_and_the_log_says_why(tree, put, caplog):
    for name in (
        ".hidden.avro",
        ".git/x.avro",
        "_SUCCESS",
        "notes.md",
        "schema/900.avsc",
        "truth.json",
        "x.tar.gz.part",
    ):
        put(name, b"{}")
    pq.write_table(pa.table({"alert_id": [1], "class": ["SN Ia"]}), tree / "truth.parquet")
    os.mkfifo(tree / "pipe")
    (tree / "dangling").symlink_to("nowhere")
    with caplog.at_level(logging.INFO):
        assert names(tree, root=tree) == ["a/1.avro", "b/10.avro", "b/2.avro", "c.avro"]
    for reason in ("hidden", "a sidecar", "unfinished download", "rows are not alerts", "not a regular file"):
        assert reason in caplog.text


def test_a_packet_with_the_name_of_a_sidecar_is_read(put, container, tmp_path):
    put("a.json", container())
    assert names(tmp_path, root=tmp_path) == ["a.json"]


def test_a_broken_table_is_not_left_out(put, tmp_path):
    put("night.parquet", b"PAR1 and no more")
    (source,) = open_sources([tmp_path])
    with pytest.raises(SourceError, match=r"night\.parquet"):
        list(all_packets(source))


@pytest.mark.parametrize("place", ["empty", "empty/*.avro", "**/*.none"])
def test_nothing_found_is_an_error_with_a_remedy(tmp_path, place):
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match=r"no packets in this .*; name files"):
        open_sources([tmp_path / place])


def test_a_path_that_does_not_exist_is_told(tmp_path):
    with pytest.raises(SourceError, match="No such file"):
        open_sources([tmp_path / "none"])


def test_a_folder_that_may_not_be_listed_is_told(tree, monkeypatch):
    scandir = os.scandir

    def refusing(path):
        if str(path).endswith("/b"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    with pytest.raises(SourceError, match=r"/b: cannot be listed \(Permission denied\)"):
        open_sources([tree])
