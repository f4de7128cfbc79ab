import itertools
import os
import resource
import signal
import time
from functools import partial

import pytest

from redpoll.engine import local
from redpoll.engine.local import Killed, run_here, run_in_workers
from redpoll.engine.reader import InputBlock
from redpoll.errors import RedpollError, UnknownColumn
from redpoll.plugin.ports import FilePosition, ReceivedPacket


def make_task():
    return lambda block: [bytes(block.packet(i)) for i in range(len(block))]


def make_fatal_task(word=b"poison"):
    def task(block):
        if any(bytes(block.packet(i)) == word for i in range(len(block))):
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            os.kill(os.getpid(), signal.SIGSEGV)
        return len(block)

    return task


def make_killed_task(folder, times):
    """A task that is killed from outside, as if memory were short, the first `times` times it meets the word."""

    def task(block):
        if any(bytes(block.packet(i)) == b"poison" for i in range(len(block))):
            killed = len(list(folder.iterdir()))
            if killed < times:
                (folder / str(killed)).touch()
                os.kill(os.getpid(), signal.SIGKILL)
        return len(block)

    return task


def make_failing_task():
    def task(block):
        raise RedpollError("the disk is full")

    return task


def packets(words):
    return InputBlock([ReceivedPacket(word, FilePosition("test", str(i))) for i, word in enumerate(words)])


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


def make_generation_task():
    return lambda block: block.generation


@pytest.mark.parametrize("run, more", [(run_here, {}), (run_in_workers, {"n_workers": 2})])
def test_each_block_carries_the_generation_of_when_it_was_begun(run, more):
    numbers = itertools.count(1)
    blocks = [packets([b"%d" % i]) for i in range(20)]
    found = collected(run, blocks, make_generation_task, generation=lambda: next(numbers), **more)
    by_block = sorted((int(block[0].data), generation) for block, generation in found)
    assert [generation for _, generation in by_block] == list(range(1, 21))


def test_no_blocks_are_no_results():
    assert collected(run_in_workers, [], make_task, n_workers=1) == []


def test_a_packet_that_kills_its_worker_is_found_and_the_others_survive():
    words = [b"%d" % i for i in range(7)] + [b"poison"]
    found = collected(run_in_workers, [packets(words)], make_fatal_task, n_workers=2)
    killed = [[p.data for p in block] for block, result in found if isinstance(result, Killed)]
    survived = [p.data for block, result in found if not isinstance(result, Killed) for p in block]
    assert killed == [[b"poison"]]
    assert sorted(survived) == words[:7]


def test_many_packets_that_crash_do_not_end_the_run(monkeypatch):
    monkeypatch.setattr(local, "_MAX_DEATHS_IN_A_ROW", 8)
    monkeypatch.setattr(local, "_MAX_GIVEN_UP_IN_A_ROW", 3)
    words = [b"poison" if i % 3 == 0 else b"%d" % i for i in range(12)]
    found = collected(run_in_workers, [packets(words)], make_fatal_task, n_workers=2)
    killed = sorted(p.position.within for block, result in found if isinstance(result, Killed) for p in block)
    assert killed == sorted(str(i) for i in range(0, 12, 3))
    assert sum(len(block) for block, _ in found) == 12


def test_a_task_that_kills_its_worker_whatever_the_packet_ends_the_run(monkeypatch):
    monkeypatch.setattr(local, "_MAX_GIVEN_UP_IN_A_ROW", 3)
    found = []
    with pytest.raises(RedpollError, match=r"3 packets in a row killed their worker.*a module, filter or sink"):
        blocks = iter([packets([b"poison"] * 40)])
        run_in_workers(blocks, make_fatal_task, lambda block, result: found.append(result), never, n_workers=1)
    assert len(found) == 2 and all(isinstance(result, Killed) for result in found)


def test_a_worker_killed_from_outside_is_no_packet_s_fault(tmp_path):
    words = [b"a", b"b", b"poison", b"c"]
    found = collected(run_in_workers, [packets(words)], partial(make_killed_task, tmp_path, 4), n_workers=2)
    assert not any(isinstance(result, Killed) for _, result in found)
    assert sorted(p.data for block, _ in found for p in block) == sorted(words)


def test_workers_killed_again_and_again_end_the_run_with_a_remedy(tmp_path):
    with pytest.raises(RedpollError, match=r"short of memory.*fewer workers"):
        collected(run_in_workers, [packets([b"poison"])], partial(make_killed_task, tmp_path, 1000), n_workers=1)


def make_usage_error_task():
    def task(block):
        raise UnknownColumn("module", "magg", ["mag"])

    return task


def test_an_error_keeps_its_class_and_message_between_processes():
    with pytest.raises(UnknownColumn, match=r"module reads 'magg'.*near: mag"):
        collected(run_in_workers, [packets([b"a"])], make_usage_error_task, n_workers=1)


def refuse_to_make():
    raise RedpollError("a catalogue is damaged")


def test_an_error_while_a_worker_makes_its_task_ends_the_run_with_its_message():
    with pytest.raises(RedpollError, match="a catalogue is damaged"):
        collected(run_in_workers, BLOCKS, refuse_to_make, n_workers=1)


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


def test_a_block_that_waits_is_begun_when_all_before_it_are_collected():
    words = [b"a", b"b", b"c", b"d", b"e", b"f"]
    blocks = [InputBlock(packets([word]).packets, waits=word in (b"c", b"e")) for word in words]
    order = []
    run_in_workers(iter(blocks), make_task, lambda block, _: order.append(block[0].data), never, 3)
    assert [sorted(order[i : i + 2]) for i in (0, 2, 4)] == [[b"a", b"b"], [b"c", b"d"], [b"e", b"f"]]


def make_noting_task(path):
    """A task that appends the first packet of each block to a file when it begins."""

    def task(block):
        note(path, "begun", bytes(block.packet(0)))
        time.sleep(0.001 * len(bytes(block.packet(0))))
        return len(block)

    return task


def note(path, what, word):
    with path.open("a") as file:
        file.write(f"{what} {word.decode()}\n")


def test_a_block_of_a_group_is_begun_when_those_of_its_group_are_collected(tmp_path):
    path = tmp_path / "notes"
    words = [f"{i}{'x' * (7 * i % 23)}".encode() for i in range(40)]
    groups = {word: None if i % 9 == 8 else i * i % 5 for i, word in enumerate(words)}
    blocks = [InputBlock(packets([word]).packets, group=groups[word]) for word in words]
    run_in_workers(
        iter(blocks), partial(make_noting_task, path), lambda some, _: note(path, "collected", some[0].data), never, 3
    )
    lines = path.read_text().splitlines()
    assert len(lines) == 80
    for group in range(5):
        mine = [line for line in lines if groups[line.split()[1].encode()] == group]
        assert mine == [f"{what} {w.decode()}" for w in words if groups[w] == group for what in ("begun", "collected")]


def test_a_worker_goes_on_while_what_it_did_is_collected(tmp_path):
    path, waited = tmp_path / "notes", []

    def collect(block, _):
        deadline = time.monotonic() + 10
        while block[0].data == b"first" and "second" not in path.read_text() and time.monotonic() < deadline:
            time.sleep(0.01)
        waited.append(block[0].data == b"second" or time.monotonic() < deadline)

    blocks = [packets([word]) for word in (b"first", b"second")]
    run_in_workers(iter(blocks), partial(make_noting_task, path), collect, never, 1)
    assert waited == [True, True]


def test_the_halves_of_a_block_of_a_group_stay_in_order():
    words = [b"1", b"2", b"poison", b"3", b"4"]
    block = InputBlock(packets(words).packets, waits=True, group=0)
    later = InputBlock(packets([b"5"]).packets, waits=True)
    found = collected(run_in_workers, [block, later], make_fatal_task, n_workers=2)
    assert [p.data for some, _ in found for p in some] == [*words, b"5"]


def test_stop_while_a_block_waits_ends_the_run():
    found = []
    blocks = (InputBlock(packets([b"x"]).packets, waits=True) for _ in iter(int, 1))
    run_in_workers(blocks, make_task, lambda block, _: found.append(block), lambda: len(found) >= 2, 2)
    assert 2 <= len(found) <= 3
