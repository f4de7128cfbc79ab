from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from redpoll.errors import StoreError, UsageError
from redpoll.store import DeadLetter, LedgerEntry, Store, open_store
from redpoll.store.app import AnomalyLabel, BaseRows, Label, NewModel, open_app
from redpoll.store.backup import BackedUp, Restored, backup, restore
from redpoll.store.records import Report
from redpoll.testing.store_batches import store_batch
from redpoll.testing.store_rows import alert_rows, full_alert
from redpoll.testing.store_suite import add


def quiet(*_: object) -> None:
    """Show nobody."""


def check(folder: Path) -> Report:
    with open_store(folder) as store:
        return store.maintenance.check()


def back_up(folder: Path, destination: Path, **options: bool) -> BackedUp:
    return backup(folder, destination, progress=quiet, **options)


def restored(source: Path, folder: Path) -> Restored:
    return restore(source, folder, check=check, progress=quiet)


@pytest.fixture
def used(store: Store, folder: Path) -> Iterator[Store]:
    """A store with everything in it: a catalogue, segments that wait, dead letters, labels and a model."""
    letter = DeadLetter(b"x", "f", "0", "bad")
    add(store, store_batch(40), dead_letters=[letter], ledger=[LedgerEntry(None, None, "rejected", "bad", 1)])
    store.maintenance.compact(rows_per_pixel=10)
    add(store, store_batch(20, start=40))
    with open_app(folder) as app:
        app.labels.add([Label("ztf", "ZTF1", "sn_ia", "expert", "ada")])
        app.models.register(NewModel("m", "1", b"weights", {}, "ada"), bytes.strip)
        app.models.promote("m", "1", by="ada")
        app.anomalies.create("odd", BaseRows("f" * 64, ("a",), 16, b"rows"), owner="ada", kind="aad", seed=1)
        app.anomalies.add("odd", [AnomalyLabel("ztf", "ZTF1", 1, "anomaly", b"\x00" * 4)], owner="ada")
    yield store


def everything(folder: Path) -> list[object]:
    with open_store(folder) as store, open_app(folder) as app:
        rows = alert_rows(store, limit=1000)
        alerts = [full_alert(store, row["alert_id"], row["survey"]) for row in rows[::7]]
        model = app.models.read(app.models.champions()["sha256"][0].as_py())
        labels = app.labels.table().to_pylist()
        (odd,) = app.anomalies.models("ada")
        return [
            app.anomalies.base(odd),
            app.anomalies.labels("odd", owner="ada"),
            rows,
            alerts,
            store.ledger.table().to_pylist(),
            store.runs.table().to_pylist(),
            store.dead_letters.table(),
            model,
            labels,
        ]


@pytest.mark.parametrize("copy", [False, True])
def test_a_restored_store_answers_as_the_one_that_was_backed_up(
    used: Store, folder: Path, tmp_path: Path, copy: bool
) -> None:
    done = back_up(folder, tmp_path / "backup", copy=copy)
    assert (done.alerts, done.linked > 0) == (60, not copy)
    before = everything(folder)
    used.close()
    shutil.rmtree(folder)
    result = restored(tmp_path / "backup", tmp_path / "new")
    assert (result.ok, result.damaged, result.report.alerts) == (True, (), 60)
    assert everything(tmp_path / "new") == before
    assert not list(tmp_path.glob("*.tmp"))
    with open_store(tmp_path / "new", mode="write") as again:
        again.runs.start("next")
        assert add(again, store_batch(40, start=40)) == 20
        assert again.maintenance.check().ok


def test_a_backup_is_itself_a_store(used: Store, folder: Path, tmp_path: Path) -> None:
    back_up(folder, tmp_path / "backup")
    assert check(tmp_path / "backup").ok


def test_what_is_added_after_the_backup_is_not_in_it(used: Store, folder: Path, tmp_path: Path) -> None:
    back_up(folder, tmp_path / "backup")
    add(used, store_batch(20, start=60))
    used.maintenance.compact(rows_per_pixel=10)
    assert restored(tmp_path / "backup", tmp_path / "new").report.alerts == 60


def test_a_backup_is_consistent_while_a_run_writes_and_compacts(used: Store, folder: Path, tmp_path: Path) -> None:
    stop, errors = threading.Event(), []

    def write() -> None:
        try:
            for i in range(100):
                add(used, store_batch(10, start=100 + 10 * i))
                if i % 3 == 0:
                    used.maintenance.compact(rows_per_pixel=20)
                if stop.is_set():
                    break
        except BaseException as error:
            errors.append(error)
            raise

    thread = threading.Thread(target=write)
    thread.start()
    backups = []
    try:
        for i in range(3):
            backups.append(back_up(folder, tmp_path / f"backup{i}"))
            time.sleep(0.05)
    finally:
        stop.set()
        thread.join()
    assert not errors
    for i, done in enumerate(backups):
        result = restored(tmp_path / f"backup{i}", tmp_path / f"new{i}")
        assert (result.ok, result.report.alerts) == (True, done.alerts), (result.damaged, result.report.problems)
    assert backups[0].alerts < backups[-1].alerts


@pytest.mark.parametrize("pattern", ["index.sqlite", "models/*", "archive/segments/*/cutouts.parquet", "app.sqlite"])
@pytest.mark.parametrize("damage", ["flip", "remove"])
def test_a_damaged_backup_is_named(used: Store, folder: Path, tmp_path: Path, pattern: str, damage: str) -> None:
    back_up(folder, tmp_path / "backup", copy=True)
    used.close()
    path = sorted((tmp_path / "backup").glob(pattern))[0]
    if damage == "flip":
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 4
        path.write_bytes(data)
    elif pattern == "index.sqlite":
        return  # without an index there is nothing that a check could open
    else:
        path.unlink()
    result = restored(tmp_path / "backup", tmp_path / "new")
    assert not result.ok
    assert path.name in result.damaged[0]


def test_nothing_is_overwritten(used: Store, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "thesis.tex").write_text("dear")
    with pytest.raises(StoreError, match="not an empty folder"):
        back_up(folder, tmp_path / "notes")
    back_up(folder, tmp_path / "backup")
    with pytest.raises(StoreError, match="not an empty folder"):
        restored(tmp_path / "backup", folder)
    with pytest.raises(StoreError, match="inside the store"):
        back_up(folder, folder / "backup")
    (tmp_path / "mine.tmp").mkdir()
    (tmp_path / "mine.tmp" / "thesis.tex").write_text("dear")
    with pytest.raises(StoreError, match="in the way"):
        back_up(folder, tmp_path / "mine")
    assert (tmp_path / "mine.tmp" / "thesis.tex").read_text() == "dear"


def test_what_is_no_backup_is_not_restored(used: Store, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no complete backup"):
        restored(folder, tmp_path / "new")
    with pytest.raises(StoreError, match="no Redpoll store"):
        back_up(tmp_path / "nowhere", tmp_path / "backup")


def test_a_list_that_names_files_outside_is_refused(used: Store, folder: Path, tmp_path: Path) -> None:
    back_up(folder, tmp_path / "backup")
    with (tmp_path / "backup" / "SHA256SUMS").open("a") as file:
        file.write("0" * 64 + "  ../../outside\n")
    with pytest.raises(StoreError, match="outside"):
        restored(tmp_path / "backup", tmp_path / "new")


def test_a_file_that_is_missing_in_the_store_is_named(used: Store, folder: Path, tmp_path: Path) -> None:
    gone = next((folder / "archive" / "segments").glob("*/cutouts.parquet"))
    gone.unlink()
    with pytest.raises(StoreError, match=gone.parent.name):
        back_up(folder, tmp_path / "backup")
    assert not (tmp_path / "backup").exists()


def test_a_killed_backup_leaves_no_backup_and_the_next_one_ends(used: Store, folder: Path, tmp_path: Path) -> None:
    for step in (0, 1, 3, 6, 10, 15):
        child = os.fork()
        if not child:
            steps = iter(range(10**6))

            def die(*_: object, step: int = step, steps: Iterator[int] = steps) -> None:
                if next(steps) == step:
                    os.kill(os.getpid(), signal.SIGKILL)

            backup(folder, tmp_path / "backup", progress=die)
            os._exit(0)
        assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
        assert not (tmp_path / "backup").exists()
    assert back_up(folder, tmp_path / "backup").alerts == 60
    assert restored(tmp_path / "backup", tmp_path / "new").ok


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failed_backup_or_restore_leaves_nothing_on_the_disk(
    used: Store, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    back_up(folder, tmp_path / "good")

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("redpoll.store.backup.sha256_of", fail)
    with pytest.raises((StoreError, KeyboardInterrupt)):
        back_up(folder, tmp_path / "bad")
    with pytest.raises((StoreError, KeyboardInterrupt)):
        restored(tmp_path / "good", tmp_path / "bad")
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith("bad")]


def test_a_backup_is_not_restored_into_itself(used: Store, folder: Path, tmp_path: Path) -> None:
    back_up(folder, tmp_path / "good")
    with pytest.raises(StoreError, match="inside the backup"):
        restored(tmp_path / "good", tmp_path / "good" / "inner")


def test_a_damaged_app_sqlite_has_a_remedy_that_helps(used: Store, folder: Path) -> None:
    shutil.rmtree(folder / "models", ignore_errors=True)
    for path in folder.glob("app.sqlite*"):
        path.unlink()
    (folder / "app.sqlite").write_bytes(os.urandom(20_000))
    with open_app(folder) as app, pytest.raises(StoreError, match="copy it from a backup of the store, or move it"):
        app.models.generation()


@pytest.mark.parametrize("name", ["\udcff", "\ud800 half"])
def test_text_that_sqlite_cannot_hold_is_misuse(used: Store, folder: Path, name: str) -> None:
    with open_app(folder) as app:
        for ask in (app.models.versions, app.models.promotions, app.filters.versions, app.watchlists.read):
            with pytest.raises(UsageError, match="half a character"):
                ask(name)
        with pytest.raises(UsageError, match="half a character"):
            app.models.promote(name, "1", by="ada")
        with pytest.raises(UsageError, match="64 bits"):
            app.labels.retract(10**30, by="ada")
