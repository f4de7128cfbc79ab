"""One writer per store: a lock that the system releases when its process ends, however it ends."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from weakref import WeakSet

from redpoll.errors import StoreError, StoreLocked

_held: WeakSet[WriterLock] = WeakSet()


class WriterLock:
    """Exclusive lock on a store; raises StoreLocked naming the process that has it.

    A forked worker does not keep the lock alive: its copy of the handle is closed at the fork.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._handle: int | None = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StoreError(f"cannot write to {path.parent}: {error.strerror}") from error
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StoreLocked(f"{path.parent} is being written by {self._holder()}; wait, or stop it") from error
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, str(os.getpid()).encode(), 0)
        _held.add(self)

    def _holder(self) -> str:
        assert self._handle is not None
        pid = os.pread(self._handle, 20, 0).decode(errors="replace")
        self.release()
        return f"process {pid}" if pid else "another process"

    def release(self) -> None:
        """Let go; harmless if done before."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def is_locked(path: Path) -> bool:
    """Whether some process, this one included, writes to the store now."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _forget_in_child() -> None:
    for lock in list(_held):
        lock.release()


os.register_at_fork(after_in_child=_forget_in_child)
