"""Two processes write one store at the same time: a run its index, people their labels and models."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from redpoll.store import open_store
from redpoll.store.app import Label, NewModel, open_app

RUN = """
import sys
from redpoll.store import Commit, indexed_columns, open_store
from redpoll.testing.store_batches import store_batch

with open_store(sys.argv[1], mode="write") as store:
    store.runs.start("write")
    print("ready", flush=True)
    for i in range(40):
        batch = store_batch(50, start=i * 50)
        store.runs.commit(Commit(indexed_columns(batch), store.segments.write(batch)))
    print("done", flush=True)
    sys.stdin.readline()
    store.runs.end("done")
"""
PEOPLE = """
import sys
from redpoll.store.app import Label, open_app

with open_app(sys.argv[1]) as app:
    for i in range(60):
        app.labels.add([Label("ztf", f"ZTF{i}", "sn_ia", "bot", sys.argv[2])])
"""


@pytest.mark.slow
def test_labels_and_models_are_written_while_a_run_holds_the_lock(tmp_path: Path) -> None:
    command = [sys.executable, "-c", RUN, str(tmp_path / "store")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == b"ready\n"
        with open_app(tmp_path / "store") as app:
            for i in range(30):
                app.labels.add([Label("ztf", f"ZTF{i}", "sn_ia", "expert", "ada")])
                app.models.register(NewModel("m", str(i), b"w%d" % i, {}, "ada"), bytes.strip)
                assert app.models.promote("m", str(i), by="ada") == i + 1
            assert app.labels.table().num_rows == 30
        out, _ = run.communicate(b"\n", timeout=120)
        assert (out, run.returncode) == (b"done\n", 0)
    with open_store(tmp_path / "store") as store:
        report = store.maintenance.check()
        assert (report.problems, report.alerts) == ((), 2000)


@pytest.mark.slow
def test_many_processes_create_and_write_one_app_database(tmp_path: Path) -> None:
    open_store(tmp_path, mode="write").close()
    people = [subprocess.Popen([sys.executable, "-c", PEOPLE, str(tmp_path), f"p{i}"]) for i in range(4)]
    assert [process.wait(120) for process in people] == [0] * 4
    with open_app(tmp_path) as app:
        assert app.labels.table()["label_id"].to_pylist() == list(range(1, 241))
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".tmp")]
