"""A store whose creation is killed, or runs into a full disk, at any step: the next run creates it."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from redpoll.store import open_store
from redpoll.store.app import Label, open_app
from redpoll.testing.store_batches import store_batch
from redpoll.testing.store_rows import alert_rows
from redpoll.testing.store_suite import add

SYNCS, STEPS = range(8), range(0, 60, 3)


def in_child(work: Callable[[], object]) -> int:
    """Do something in a forked process; returns its wait status."""
    child = os.fork()
    if not child:
        try:
            work()
            os._exit(0)
        except BaseException:
            os._exit(1)
    return os.waitpid(child, 0)[1]


def create_and_use(folder: Path) -> None:
    with open_store(folder, mode="write") as store:
        store.runs.start("first")
        with open_app(folder) as app:
            app.labels.add([Label("ztf", "ZTF1", "sn_ia", "expert", "ada")])


def killing(call: int, *, syncs: bool) -> Callable[[], None]:
    """Kill this process at its fsync or fdatasync, or at its SQL statement, link or rename, of that number."""
    numbers = iter(range(10**6))

    def count() -> None:
        if next(numbers) == call:
            os.kill(os.getpid(), signal.SIGKILL)

    def before(function: Callable[..., object]) -> Callable[..., object]:
        def counted(*args: object, **kwargs: object) -> object:
            count()
            return function(*args, **kwargs)

        return counted

    connect = sqlite3.connect

    def traced(*args: object, **kwargs: object) -> sqlite3.Connection:
        connection = connect(*args, **kwargs)
        connection.set_trace_callback(lambda _: count())
        return connection

    def install() -> None:
        if syncs:
            os.fsync, os.fdatasync = before(os.fsync), before(os.fdatasync)
        else:
            sqlite3.connect = traced
            os.link, os.rename, os.mkdir = before(os.link), before(os.rename), before(os.mkdir)

    return install


def assert_usable(folder: Path) -> None:
    with open_store(folder, mode="write") as store, open_app(folder) as app:
        store.runs.start("next")
        assert add(store, store_batch(5)) == 5
        app.labels.add([Label("ztf", "ZTF2", "sn_ia", "expert", "ada")])
        assert store.maintenance.check().problems == ()
    assert not [path.name for path in folder.iterdir() if path.name.startswith(".tmp")]


@pytest.mark.parametrize("syncs", [True, False], ids=["syncs", "statements"])
def test_a_store_killed_while_it_is_created_is_created_by_the_next_run(tmp_path: Path, syncs: bool) -> None:
    killed = 0
    for call in SYNCS if syncs else STEPS:
        folder = tmp_path / f"store{call}"
        install = killing(call, syncs=syncs)
        killed += os.WIFSIGNALED(in_child(lambda f=folder, i=install: (i(), create_and_use(f))))
        assert_usable(folder)
    assert killed >= (4 if syncs else 12)


@pytest.mark.parametrize("n_bytes", [0, 1000, 4096, 20_000, 60_000, 100_000, 150_000])
def test_a_full_disk_while_a_store_is_created_does_not_lock_it_out(tmp_path: Path, n_bytes: int) -> None:
    """The limit on the size of a file stands for the full disk: a write beyond it fails."""

    def limited() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, n_bytes))
        create_and_use(tmp_path / "store")

    status = in_child(limited)
    assert not os.WIFSIGNALED(status)
    assert_usable(tmp_path / "store")


def test_the_index_is_one_complete_file_after_a_run(tmp_path: Path) -> None:
    with open_store(tmp_path, mode="write") as store:
        store.runs.start("run")
        add(store, store_batch(40))
        with open_store(tmp_path) as reader:
            assert len(alert_rows(reader, limit=1000)) == 40
            store.close()
            wal = tmp_path / "index.sqlite-wal"
            assert not wal.exists() or wal.stat().st_size == 0
    copy = tmp_path / "copy.sqlite"
    copy.write_bytes((tmp_path / "index.sqlite").read_bytes())
    assert sqlite3.connect(copy).execute("SELECT count(*) FROM alerts").fetchone() == (40,)


def test_a_reader_in_the_middle_of_an_answer_holds_up_the_end_of_a_run_for_seconds_at_most(tmp_path: Path) -> None:
    with open_store(tmp_path, mode="write") as store:
        store.runs.start("run")
        add(store, store_batch(40))
        reader = sqlite3.connect(tmp_path / "index.sqlite", isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM alerts").fetchone()
        store.runs.end("done")
        store.close()
        reader.close()
    with open_store(tmp_path) as again:
        assert (len(alert_rows(again, limit=1000)), again.runs.table().to_pylist()[0]["status"]) == (40, "done")
