import os
import signal
import time
from functools import partial

import pytest

from redpoll.engine.local import Killed, run_here, run_in_workers
from redpoll.errors import RedpollError
from redpoll.plugin.ports import Packet


def make_task():
    return lambda block: [bytes(block.packet(i)) for i in range(len(block))]


def make_fatal_task(word=b"poison"):
    def task(block):
        if any(bytes(block.packet(i)) == word for i in range(len(block))):
            os.kill(os.getpid(), signal.SIGKILL)
        return len(block)

    return task


def make_failing_task():
    def task(block):
        raise RedpollError("the disk is full")

    return task


def packets(words):
    return [Packet(word, "test", str(i)) for i, word in enumerate(words)]


def never():
    return False


def collected(run, blocks, make, **more):
    found = []
    run(iter(blocks), make, lambda block, result: found.append((block, result)), never, **more)
    return found


BLOCKS = [packets([b"a" * n, b"", b"\x00\xff" * n]) for n in (1, 1000, 3_000_000, 5)]


def test_workers_give_what_this_process_gives():
    here = collected(run_here, BLOCKS, make_task)
    workers = collected(run_in_workers, BLOCKS, make_task, n_workers=2)
    assert sorted(here, key=str) == sorted(workers, key=str)


def test_no_blocks_are_no_results():
    assert collected(run_in_workers, [], make_task, n_workers=1) == []


def test_a_packet_that_kills_its_worker_is_found_and_the_others_survive():
    words = [b"%d" % i for i in range(7)] + [b"poison"]
    found = collected(run_in_workers, [packets(words)], make_fatal_task, n_workers=2)
    killed = [[p.data for p in block] for block, result in found if isinstance(result, Killed)]
    survived = [p.data for block, result in found if not isinstance(result, Killed) for p in block]
    assert killed == [[b"poison"]]
    assert sorted(survived) == words[:7]


def test_an_error_of_a_task_ends_the_run_with_its_message():
    with pytest.raises(RedpollError, match="the disk is full"):
        collected(run_in_workers, BLOCKS, make_failing_task, n_workers=1)


def test_an_error_of_the_source_reaches_the_caller():
    def broken():
        yield packets([b"a"])
        raise OSError("cable pulled")

    with pytest.raises(OSError, match="cable pulled"):
        run_in_workers(broken(), make_task, lambda *_: None, never, 1)


def test_stop_collects_what_was_begun_and_begins_nothing_more():
    found = []
    endless = (packets([b"x"]) for _ in iter(int, 1))
    run_in_workers(endless, make_task, lambda block, _: found.append(block), lambda: len(found) >= 3, 2)
    assert 3 <= len(found) <= 5


def make_slow_task(path):
    def task(block):
        time.sleep(30)

    path.write_text(str(os.getpid()))
    return task


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="the kernel must kill orphans: Linux only")
def test_workers_die_with_the_process_that_started_them(tmp_path):
    child = os.fork()
    if child == 0:
        run_in_workers(iter([packets([b"a"])]), partial(make_slow_task, tmp_path / "pid"), print, never, 1)
        os._exit(0)
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        time.sleep(0.05)
    worker = int((tmp_path / "pid").read_text())
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    deadline = time.monotonic() + 10
    while is_running(worker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(worker)
