"""An index that is removed or replaced while it is open is noticed by writers and readers."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from redpoll.errors import StoreError
from redpoll.store import Store, database, open_store, rebuild_store
from redpoll.store.app import Label, open_app
from redpoll.testing.store_batches import store_batch
from redpoll.testing.store_rows import alert_rows
from redpoll.testing.store_suite import add


def replace(path: Path) -> None:
    shutil.copy(path, path.with_suffix(".copy"))
    path.with_suffix(".copy").rename(path)


@pytest.mark.parametrize("harm", [Path.unlink, replace], ids=["removed", "replaced"])
def test_a_run_whose_index_is_gone_does_not_commit(store: Store, folder: Path, harm: Callable[[Path], object]) -> None:
    add(store, store_batch(5))
    harm(folder / "index.sqlite")
    with pytest.raises(StoreError, match=r"index\.sqlite was removed or replaced"):
        add(store, store_batch(5, start=5))
    with pytest.raises(StoreError, match="removed or replaced"):
        store.runs.end("done")


def test_labels_are_not_written_to_a_file_that_was_replaced(store: Store, folder: Path) -> None:
    with open_app(folder) as app:
        app.labels.add([Label("ztf", "ZTF1", "sn_ia", "expert", "ada")])
        replace(folder / "app.sqlite")
        with pytest.raises(StoreError, match=r"app\.sqlite was removed or replaced"):
            app.labels.add([Label("ztf", "ZTF2", "sn_ia", "expert", "ada")])


def test_a_reader_finds_out_that_its_index_was_rebuilt(store: Store, folder: Path) -> None:
    add(store, store_batch(5))
    store.close()
    with closing(database.open_reader(folder / "index.sqlite")) as idle:
        assert idle.file.is_same()
    rebuild_store(folder)
    assert not idle.file.is_same()
    with closing(database.open_reader(folder / "index.sqlite")) as again:
        assert again.file.is_same()


def test_an_open_reader_answers_from_the_index_that_replaced_its_own(store: Store, folder: Path) -> None:
    add(store, store_batch(5))
    store.close()
    with open_store(folder) as reader, open_store(folder.with_name("other"), mode="write") as other:
        assert len(alert_rows(reader)) == len(alert_rows(reader, ["alert_id", "packet"])) == 5
        other.runs.start("test")
        add(other, store_batch(3, start=50))
        other.close()
        for file in folder.glob("index.sqlite-*"):
            file.unlink()
        shutil.copy(folder.with_name("other") / "index.sqlite", folder / "index.copy")
        (folder / "index.copy").rename(folder / "index.sqlite")
        with open_store(folder.with_name("other")) as expected:
            assert alert_rows(reader) == alert_rows(expected)
        assert len(alert_rows(reader)) == 3


def test_an_open_reader_reports_that_its_index_was_deleted(store: Store, folder: Path) -> None:
    add(store, store_batch(5))
    store.close()
    with open_store(folder) as reader:
        assert len(alert_rows(reader)) == 5
        (folder / "index.sqlite").unlink()
        for question in (lambda: alert_rows(reader), reader.ledger.table, lambda: reader.objects.get("x")):
            with pytest.raises(StoreError, match=r"index\.sqlite is gone.*redpoll store rebuild"):
                question()


@pytest.mark.slow
def test_a_run_whose_index_is_deleted_ends_with_1(tmp_path: Path) -> None:
    script = """
import os, sys
import redpoll.store.writer as writer
from redpoll.cli.main import main
commit = writer.EmbeddedRuns.commit
def commit_and_delete(self, batch):
    n = commit(self, batch)
    os.unlink(sys.argv[-1] + "/index.sqlite")
    return n
writer.EmbeddedRuns.commit = commit_and_delete
main()
"""
    night, folder = str(tmp_path / "night"), str(tmp_path / "store")
    made = ["simulate", "night", "--survey", "ztf", "--alerts", "20", "--seed", "3", "--out", night]
    subprocess.run([sys.executable, "-m", "redpoll", *made], check=True, capture_output=True)
    command = [sys.executable, "-c", script, "run", night, "--workers", "0", "--store", folder]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, "removed or replaced" in done.stderr) == (1, True), done.stderr
    with pytest.raises(StoreError, match="rebuild"):
        open_store(folder)
