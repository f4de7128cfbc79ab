"""A spool survives a crash at any byte, keeps each message once, and refuses to grow without bound."""

from __future__ import annotations

import errno
import os
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redpoll.errors import SinkError
from redpoll.pipeline.spool import Spool, spool_name

LARGE = 10**9


def message(n, size=3):
    return {"key": f"ztf:{n}", "topic": "bright é", "payload": bytes([n % 256]) * size}


def waiting(spool):
    return [m for _, group in spool.frames() for m in group]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "spool" / "fake"


def test_messages_come_back_in_order_from_another_process(folder):
    spool = Spool(folder, LARGE)
    spool.append([message(1), message(2)])
    spool.append([message(3)])
    again = Spool(folder, LARGE)
    assert (waiting(again), again.n_messages) == ([message(1), message(2), message(3)], 3)


def test_a_message_that_waits_is_not_kept_twice(folder):
    spool = Spool(folder, LARGE)
    spool.append([message(1), message(1)])
    Spool(folder, LARGE).append([message(1)])
    again = Spool(folder, LARGE)
    again.append([message(1), message(2)])
    assert waiting(again) == [message(1), message(2)]


def test_what_was_sent_does_not_come_back(folder):
    spool = Spool(folder, LARGE)
    for n in range(3):
        spool.append([message(n)])
    frames = spool.frames()
    spool.mark_sent(*next(frames))
    again = Spool(folder, LARGE)
    assert (waiting(again), again.n_messages) == ([message(1), message(2)], 2)


def test_an_empty_spool_leaves_no_file_and_is_used_again(folder):
    spool = Spool(folder, LARGE)
    for n in range(3):
        spool.append([message(n)])
        for end, group in spool.frames():
            spool.mark_sent(end, group)
        assert list(folder.iterdir()) == []
    spool.append([message(0)])
    assert waiting(Spool(folder, LARGE)) == [message(0)]


@given(sizes=st.lists(st.integers(0, 40), min_size=1, max_size=5), cut=st.floats(0, 1))
def test_a_crash_at_any_byte_keeps_the_frames_that_were_complete(sizes, cut, tmp_path_factory):
    folder = tmp_path_factory.mktemp("spool")
    spool, ends = Spool(folder, LARGE), [0]
    for n, size in enumerate(sizes):
        spool.append([message(n, size)])
        ends.append((folder / "000001.spool").stat().st_size)
    at = int(cut * ends[-1])
    with (folder / "000001.spool").open("r+b") as file:
        file.truncate(at)
    again = Spool(folder, LARGE)
    n_complete = sum(end <= at for end in ends) - 1
    assert waiting(again) == [message(n, size) for n, size in enumerate(sizes)][:n_complete]
    again.append([message(99)])
    assert waiting(Spool(folder, LARGE))[-1] == message(99)
    shutil.rmtree(folder)


@pytest.mark.parametrize("junk", [bytes(50), b"RPsp" + (10**6).to_bytes(8, "little") + bytes(20)])
def test_a_tail_that_was_not_written_to_its_end_is_cut_off(folder, junk):
    Spool(folder, LARGE).append([message(1)])
    with (folder / "000001.spool").open("ab") as file:
        file.write(junk)
    assert waiting(Spool(folder, LARGE)) == [message(1)]


def test_damage_among_frames_is_an_error_that_names_the_file(folder):
    spool = Spool(folder, LARGE)
    spool.append([message(1, 100)])
    spool.append([message(2)])
    data = bytearray((folder / "000001.spool").read_bytes())
    data[60] ^= 1
    (folder / "000001.spool").write_bytes(data)
    with pytest.raises(SinkError, match=r"000001\.spool is damaged at byte 0"):
        Spool(folder, LARGE)


@pytest.mark.parametrize("mark", ["many", "999999"])
def test_a_damaged_mark_is_an_error(folder, mark):
    Spool(folder, LARGE).append([message(1)])
    (folder / "000001.sent").write_text(mark)
    with pytest.raises(SinkError):
        Spool(folder, LARGE)


def test_a_mark_left_by_a_crash_does_not_hide_new_messages(folder):
    spool = Spool(folder, LARGE)
    spool.append([message(1)])
    spool.append([message(2)])
    spool.mark_sent(*next(spool.frames()))
    (folder / "000001.spool").unlink()  # the crash came between this and the mark's removal
    again = Spool(folder, LARGE)
    again.append([message(3)])
    assert waiting(Spool(folder, LARGE)) == [message(3)]


def test_a_message_that_the_disk_did_not_take_leaves_nothing_behind(folder, monkeypatch):
    spool = Spool(folder, LARGE)
    spool.append([message(1)])

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched, pytest.raises(SinkError, match="No space left"):
        patched.setattr(os, "fsync", full)
        spool.append([message(2, 500)])
    spool.append([message(3)])
    assert waiting(spool) == waiting(Spool(folder, LARGE)) == [message(1), message(3)]
    assert spool.n_messages == 2


def test_a_full_spool_names_the_setting_and_keeps_what_it_has(folder):
    spool = Spool(folder, 1000)
    spool.append([message(1, 600)])
    with pytest.raises(SinkError, match=r"is full .*max_spool_mb"):
        spool.append([message(2, 600)])
    assert waiting(Spool(folder, 1000)) == [message(1, 600)]


def test_what_was_sent_makes_room(folder):
    spool = Spool(folder, 1500)
    spool.append([message(1, 600)])
    spool.append([message(2, 600)])
    spool.mark_sent(*next(spool.frames()))
    spool.append([message(3, 600)])
    assert waiting(spool) == waiting(Spool(folder, 1500)) == [message(2, 600), message(3, 600)]
    assert len(list(folder.iterdir())) == 1


def test_names_of_sinks_are_safe_and_apart():
    names = {spool_name(name) for name in ("a:b", "a_b", "../../etc", "kafka:x" * 99)}
    assert len(names) == 4 and all("/" not in name and len(name) < 60 for name in names)
