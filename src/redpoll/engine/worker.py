"""A worker process: makes its task once, then turns one block after the other into a result."""

from __future__ import annotations

import ctypes
import gc
import signal
import sys
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

from redpoll.engine.memory import Inbox
from redpoll.errors import RedpollError
from redpoll.ingest.block import Block
from redpoll.log import configure_worker_logging

Task = Callable[[Block], Any]
MakeTask = Callable[[], Task]
_PR_SET_PDEATHSIG = 1


def work(pipe: Connection, make_task: MakeTask, path: str) -> None:
    """Serve blocks until the pipe closes; sends ``("result", value)``, or ``("error", its class, its message)``.

    Only errors raised on purpose are sent; any other ends the process.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _die_with_parent()
    configure_worker_logging()
    inbox = Inbox(path)
    try:
        task = _made(make_task)
        while True:
            size, offsets, generation = pipe.recv()
            try:
                answer: tuple[Any, ...] = ("result", task(Block(inbox.get(size), offsets, generation)))
            except RedpollError as error:
                answer = ("error", type(error).__name__, str(error))
            pipe.send(answer)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def _made(make_task: MakeTask) -> Task:
    """The task, or one that raises for every block the error on purpose that making it raised.

    What it consists of lives as long as the process, and no garbage collection looks at it again.
    """
    gc.disable()
    try:
        return make_task()
    except RedpollError as error:
        return partial(_raise, error)
    finally:
        gc.freeze()
        gc.enable()


def _raise(error: RedpollError, _: Block) -> Any:
    raise error


def _die_with_parent() -> None:
    """On Linux, have the kernel kill this process when its parent process ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
