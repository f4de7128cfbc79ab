from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from redpoll.errors import StoreLocked
from redpoll.store import open_store
from redpoll.store.lock import WriterLock, is_locked

_HOLD = "import sys, time; from redpoll.store import open_store; from pathlib import Path\n"
_HOLD += "s = open_store(sys.argv[1], mode='write'); print('open', flush=True); time.sleep(60)"


def test_a_store_is_free_again_when_its_writer_is_killed(folder: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", _HOLD, str(folder)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"
        with pytest.raises(StoreLocked, match=f"process {holder.pid}"):
            open_store(folder, mode="write")
        holder.kill()
    open_store(folder, mode="write").close()


def test_a_forked_worker_does_not_keep_the_lock(tmp_path: Path) -> None:
    lock = WriterLock(tmp_path / "lock")
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.write(write, b"here")
        signal.pause()
    assert os.read(read, 4) == b"here"
    lock.release()
    try:
        WriterLock(tmp_path / "lock").release()
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_whether_a_store_is_being_written_can_be_asked(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not is_locked(path)
    lock = WriterLock(path)
    assert is_locked(path)
    lock.release()
    assert not is_locked(path)
