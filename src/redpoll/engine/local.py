"""Blocks of packets on the processes of this machine: workers compute, the caller's process reads and writes.

A worker that dies (a crash in native code, the kernel short of memory) takes its block with it; the block is cut
in halves, which are tried at once, until the packet that crashes is alone. It is tried again in a fresh worker, and
collected as `Killed` if it crashes that too. A worker killed from outside is no packet's fault. Nothing is lost.
"""

from __future__ import annotations

import logging
import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

from redpoll import errors
from redpoll.engine.memory import Outbox
from redpoll.engine.reader import InputBlock, Packets, ReadAhead
from redpoll.engine.worker import MakeTask, work
from redpoll.errors import RedpollError
from redpoll.ingest.block import Block

log = logging.getLogger(__name__)
Collect = Callable[[Packets, Any], None]
Generation = Callable[[], int]
"""The generation of the model registry, read when a block is begun."""
_POLL = 0.02
_MAX_DEATHS_IN_A_ROW = 30
_MAX_GIVEN_UP_IN_A_ROW = 20
"""Packets that kill their worker alone, one after the other, before not they but the task is taken to be at fault."""
_CRASH_ATTEMPTS, _KILLED_ATTEMPTS = 2, 4
_KILLED_FROM_OUTSIDE = (-signal.SIGKILL, -signal.SIGTERM)
"""Exit codes that are no packet's fault: the kernel short of memory, an operator."""


@dataclass(frozen=True)
class Killed:
    """The result of a block of one packet on which a worker died."""

    exit_code: int | None


def no_registry() -> int:
    """0: there are no models."""
    return 0


def run_here(
    blocks: Iterator[InputBlock],
    make_task: MakeTask,
    collect: Collect,
    stop: Callable[[], bool],
    generation: Generation = no_registry,
) -> None:
    """Run every block in this process, one after the other, until `stop` returns true."""
    task = make_task()
    for block in blocks:
        collect(block.packets, task(Block.of([packet.data for packet in block.packets], generation())))
        if stop():
            return


def run_in_workers(
    blocks: Iterator[InputBlock],
    make_task: MakeTask,
    collect: Collect,
    stop: Callable[[], bool],
    n_workers: int,
    generation: Generation = no_registry,
) -> int:
    """Run blocks in `n_workers` processes; `collect` is called here, in the order in which they finish.

    Returns how many workers died.

    Parameters
    ----------
    blocks
        Packets, read ahead in a thread. Each is begun when those are collected that it has to wait for.
    make_task
        Called once in each worker; it must be picklable. Its task must keep nothing of a block.
    collect
        Takes each block's packets and result. An error it raises ends the run.
    stop
        Called between blocks; when it returns true, the blocks at work are finished and collected, others are not
        begun.
    generation
        Asked when a block is begun; its number travels with the block.

    Raises
    ------
    RedpollError
        What a task or `collect` raised, or that workers keep dying.
    """
    pool = _Pool(make_task, n_workers, generation)
    reader = ReadAhead(blocks)
    try:
        while True:
            if stop():
                reader.stop()
                pool.next.clear()
            pool.feed(reader)
            if reader.is_done and not pool.next and not pool.busy:
                return pool.deaths
            for packets, result in pool.results(_POLL if pool.idle and not reader.is_done else 1.0):
                if not stop():
                    pool.feed(reader)  # workers go on while this result is collected
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

    def begin(self, packets: Packets, generation: int) -> None:
        self.pipe.send((*self.outbox.put([packet.data for packet in packets]), generation))

    def close(self) -> None:
        self.pipe.close()
        self.process.terminate()
        self.process.join()
        self.outbox.close()


class _Pool:
    """Workers, what each is at, and the blocks to begin next: those to try again, and one that waits."""

    def __init__(self, make_task: MakeTask, n_workers: int, generation: Generation) -> None:
        self._make_task, self._generation = make_task, generation
        self.idle = [_Worker(make_task) for _ in range(n_workers)]
        self.busy: dict[Connection, tuple[_Worker, InputBlock, int]] = {}
        self._collected_next: InputBlock | None = None
        self.next: deque[InputBlock] = deque()
        self.deaths = self._deaths_in_a_row = self._given_up_in_a_row = 0

    def feed(self, reader: ReadAhead) -> None:
        """Give every idle worker a block, if one may begin; waits for the first if all are idle."""
        while self.idle:
            if not self.next:
                block = reader.next(0.0 if self.busy or self._collected_next else 0.2)
                if block is None:
                    return
                self.next.append(block)
            if not self._may_begin(self.next[0]):
                return
            self._begin(self.idle.pop(), self.next.popleft(), 1)

    def results(self, timeout: float) -> Iterator[tuple[Packets, Any]]:
        """Results that are there within `timeout` seconds."""
        for pipe in wait(list(self.busy), timeout):
            assert isinstance(pipe, Connection)
            worker, block, attempt = self.busy.pop(pipe)
            result: Any
            try:
                kind, *answer = pipe.recv()
            except (EOFError, ConnectionResetError):
                result = self._died(worker, block, attempt)
                if result is None:
                    continue
            else:
                self.idle.append(worker)
                self._deaths_in_a_row = self._given_up_in_a_row = 0
                if kind == "error":
                    raise _error(*answer)
                result = answer[0]
            self._collected_next = block
            yield block.packets, result
            self._collected_next = None

    def close(self) -> None:
        for worker in [*self.idle, *(worker for worker, _, _ in self.busy.values())]:
            worker.close()

    def _may_begin(self, block: InputBlock) -> bool:
        """Whether all blocks that this one has to wait for are collected."""
        left = [other for _, other, _ in self.busy.values()]
        left += [self._collected_next] if self._collected_next else []
        in_group = block.group is not None and any(other.group == block.group for other in left)
        return not (block.waits and left) and not in_group

    def _begin(self, worker: _Worker, block: InputBlock, attempt: int) -> None:
        self.busy[worker.pipe] = (worker, block, attempt)
        try:
            worker.begin(block.packets, self._generation())
        except BrokenPipeError:
            log.debug("a worker died while idle")

    def _died(self, worker: _Worker, block: InputBlock, attempt: int) -> Killed | None:
        """Try the halves of the block, or a packet alone in a fresh worker; the result if that was tried enough."""
        worker.process.join()
        code = worker.process.exitcode
        worker.close()
        self.deaths += 1
        self._deaths_in_a_row += 1
        if self._deaths_in_a_row > _MAX_DEATHS_IN_A_ROW:
            raise RedpollError(f"{_MAX_DEATHS_IN_A_ROW} workers died in a row, the last with exit code {code}; "
                               "see their output above")  # fmt: skip
        fresh = _Worker(self._make_task)
        if len(block) > 1:
            log.warning("a worker died with exit code %s on %d packets; trying its halves", code, len(block))
            self.next.extendleft(reversed(block.halves()))
            self.idle.append(fresh)
        elif attempt < (_KILLED_ATTEMPTS if code in _KILLED_FROM_OUTSIDE else _CRASH_ATTEMPTS):
            self._begin(fresh, block, attempt + 1)
        elif code in _KILLED_FROM_OUTSIDE:
            fresh.close()
            raise RedpollError(
                f"workers were killed (signal {-(code or 0)}) {attempt} times: the machine is short of memory, or "
                "something kills them. What was committed stays; run again with fewer workers or a smaller batch size"
            )
        else:
            self._given_up_in_a_row += 1
            if self._given_up_in_a_row >= _MAX_GIVEN_UP_IN_A_ROW:
                fresh.close()
                raise RedpollError(
                    f"{_MAX_GIVEN_UP_IN_A_ROW} packets in a row killed their worker, each alone (exit code {code}): a "
                    "module, filter or sink seems to end the process. What was committed stays"
                )
            self.idle.append(fresh)
            self._deaths_in_a_row = 0
            return Killed(code)
        return None


def _error(name: str, message: str) -> RedpollError:
    """The error that a worker raised, made anew from its class's name and its message."""
    kind = getattr(errors, name, RedpollError)
    error: RedpollError = kind.__new__(kind, message)
    return error
