"""Blocks of packets on the processes of this machine: workers compute, the caller's process reads and writes.

A worker that dies (a crash in native code, the kernel short of memory) takes its block with it; the block is cut
in halves and tried again, until the packet that kills is alone: it is collected as `Killed`. Nothing is lost.
"""

from __future__ import annotations

import logging
import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

from redpoll.engine.memory import Outbox
from redpoll.engine.reader import Packets, Reader
from redpoll.engine.worker import MakeTask, work
from redpoll.errors import RedpollError
from redpoll.ingest.block import Block

log = logging.getLogger(__name__)
Collect = Callable[[Packets, Any], None]
_POLL = 0.02
_MOST_DEATHS = 100


@dataclass(frozen=True)
class Killed:
    """The result of a block of one packet on which a worker died."""

    exit_code: int | None


def run_here(blocks: Iterator[Packets], make_task: MakeTask, collect: Collect, stop: Callable[[], bool]) -> None:
    """Run every block in this process, one after the other, until `stop` says so."""
    task = make_task()
    for packets in blocks:
        collect(packets, task(Block.of([packet.data for packet in packets])))
        if stop():
            return


def run_in_workers(
    blocks: Iterator[Packets], make_task: MakeTask, collect: Collect, stop: Callable[[], bool], n_workers: int
) -> None:
    """Run blocks in `n_workers` processes; `collect` is called here, in the order in which they finish.

    Parameters
    ----------
    blocks
        Packets, read ahead in a thread.
    make_task
        Called once in each worker; it must be picklable. Its task must keep nothing of a block.
    collect
        Takes each block's packets and result. An error it raises ends the run.
    stop
        Asked between blocks; when it says so, the blocks at work are finished and collected, others are not begun.

    Raises
    ------
    RedpollError
        What a task or `collect` raised, or that workers keep dying.
    """
    pool = _Pool(make_task, n_workers)
    reader = Reader(blocks)
    try:
        while True:
            if stop():
                reader.stop()
                pool.again.clear()
            pool.feed(reader)
            if reader.is_done and not pool.again and not pool.busy:
                return
            for packets, result in pool.results(_POLL if pool.idle and not reader.is_done else 1.0):
                collect(packets, result)
    finally:
        reader.stop()
        pool.close()


class _Worker:
    def __init__(self, make_task: MakeTask) -> None:
        context = multiprocessing.get_context("spawn")
        self.outbox = Outbox()
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=work, args=(theirs, make_task, self.outbox.path), daemon=True)
        self.process.start()
        theirs.close()

    def begin(self, packets: Packets) -> None:
        self.pipe.send(self.outbox.put([packet.data for packet in packets]))

    def close(self) -> None:
        self.pipe.close()
        self.process.terminate()
        self.process.join()
        self.outbox.close()


class _Pool:
    """Workers, what each is at, and the blocks to try again."""

    def __init__(self, make_task: MakeTask, n_workers: int) -> None:
        self._make_task = make_task
        self.idle = [_Worker(make_task) for _ in range(n_workers)]
        self.busy: dict[Connection, tuple[_Worker, Packets]] = {}
        self.again: deque[Packets] = deque()
        self.deaths = 0

    def feed(self, reader: Reader) -> None:
        """Give every idle worker a block, if there is one; waits for the first if all are idle."""
        while self.idle:
            packets = self.again.popleft() if self.again else reader.next(0.0 if self.busy else 0.2)
            if packets is None:
                return
            worker = self.idle.pop()
            self.busy[worker.pipe] = (worker, packets)
            try:
                worker.begin(packets)
            except BrokenPipeError:
                log.debug("a worker died while idle")

    def results(self, timeout: float) -> Iterator[tuple[Packets, Any]]:
        """Results that are there within `timeout` seconds."""
        for pipe in wait(list(self.busy), timeout):
            assert isinstance(pipe, Connection)
            worker, packets = self.busy.pop(pipe)
            try:
                result = pipe.recv()
            except (EOFError, ConnectionResetError):
                yield from self._died(worker, packets)
                continue
            self.idle.append(worker)
            if isinstance(result, RedpollError):
                raise result
            yield packets, result

    def _died(self, worker: _Worker, packets: Packets) -> Iterator[tuple[Packets, Any]]:
        worker.process.join()
        code = worker.process.exitcode
        worker.close()
        self.deaths += 1
        if self.deaths > _MOST_DEATHS:
            raise RedpollError(f"{self.deaths} workers died, the last with exit code {code}; see their output above")
        log.warning("a worker died with exit code %s on a block of %d packets; trying its halves", code, len(packets))
        self.idle.append(_Worker(self._make_task))
        if len(packets) == 1:
            yield packets, Killed(code)
        else:
            half = len(packets) // 2
            self.again.extend([packets[:half], packets[half:]])

    def close(self) -> None:
        for worker in [*self.idle, *(worker for worker, _ in self.busy.values())]:
            worker.close()
