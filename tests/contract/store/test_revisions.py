"""Revisions on disk: crashes at every moment, damage, rebuild, backup, and what they cost where there are none."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from redpoll.errors import StoreError
from redpoll.schema.column import Column
from redpoll.store import Revision, Store, database, open_store, rebuild_store, revisions
from redpoll.store.backup import backup, restore
from redpoll.store.catalogue_revisions import HELD
from redpoll.store.database import OpenConnection
from redpoll.store.records import Report
from redpoll.testing.store_batches import store_batch
from redpoll.testing.store_revisions import new_values, replaced_values, revise
from redpoll.testing.store_rows import alert_rows, full_alert, object_row
from redpoll.testing.store_suite import add

FIRST = 10**15
SN = [{"name": "sn_ia", "probability": 0.5, "by": "synthetic@2"}]
NEW: dict[str, list[Any]] = {
    "p_synthetic": [2.0, 3.0],
    "feature_archived": [7.0, 8.0],
    "pass_rising": [False, True],
    "classes": [SN, []],
}


def quiet(*_: object) -> None:
    """Show nobody."""


@pytest.fixture
def revised(store: Store) -> Store:
    """A store with a catalogue that holds one revision, a waiting segment, and a revision of both."""
    add(store, store_batch(20))
    store.revisions.start("job", "reprocess")
    revise(store, [FIRST + 3], {"feature_archived": [-1.0], "p_new": [0.5]})
    store.maintenance.compact(rows_per_pixel=5)
    add(store, store_batch(20, start=20))
    revise(store, [FIRST + 3, FIRST + 23], NEW)
    return store


def content(store: Store) -> list[Any]:
    """Everything that a revision changes."""
    columns = ["alert_id", "p_synthetic", "feature_archived", "pass_rising", "topics", "classes", "packet"]
    ids = [FIRST + i for i in (3, 4, 23, 24)]
    return [
        alert_rows(store, columns),
        [full_alert(store, i, "ztf", columns[1:4]) for i in ids],
        [store.alerts.provenance(i, "ztf") for i in ids],
        [store.revisions.of_alert(i, "ztf").to_pylist() for i in ids],
        [object_row(store, f"ZTFmade{i:04d}") for i in (3, 4)],
        store.ledger.topics(),
        store.ledger.classes(),
        store.revisions.jobs().drop_columns(["updated", "status"]).to_pylist(),
    ]


def test_a_store_with_revisions_is_sound(revised: Store) -> None:
    assert revised.maintenance.check(deep=True).problems == ()


@pytest.mark.parametrize("is_lost", [False, True])
def test_a_rebuild_applies_revisions_in_their_order(revised: Store, folder: Path, is_lost: bool) -> None:
    revise(revised, [FIRST + 3], {"feature_archived": [9.0]}, by="synthetic@9")
    before, files = content(revised), set((folder / "archive").rglob("*"))
    revised.close()
    if is_lost:
        (folder / "index.sqlite").unlink()
    result = rebuild_store(folder)
    assert (result.ok, "revision_jobs" in result.kept) == (True, not is_lost)
    with open_store(folder) as store:
        assert content(store)[: -1 if is_lost else None] == before[: -1 if is_lost else None]
        assert store.maintenance.check(deep=True).problems == ()
    assert set((folder / "archive").rglob("*")) == files


def test_a_rebuild_leaves_jobs_as_they_were(store: Store, folder: Path) -> None:
    add(store, store_batch(40))
    for job, value in (("one", 1.0), ("other", 2.0), ("one", 3.0)):
        store.revisions.start(job, "reprocess")
        revise(store, [FIRST + 3], {"rise_rate": [value]}, job=job)
    before = {job["job"]: job["status"] for job in store.revisions.jobs().to_pylist()}
    assert before == {"one": "done", "other": "superseded"}
    store.close()
    rebuild_store(folder)
    with open_store(folder) as rebuilt:
        assert {job["job"]: job["status"] for job in rebuilt.revisions.jobs().to_pylist()} == before


def test_a_revision_after_a_rebuild_is_the_newest(revised: Store, folder: Path) -> None:
    revised.close()
    (folder / "index.sqlite").unlink()
    rebuild_store(folder)
    with open_store(folder, mode="write") as store:
        store.revisions.start("job", "again")
        revise(store, [FIRST + 3], {"feature_archived": [9.0]})
        assert full_alert(store, FIRST + 3, "ztf", ["feature_archived"]) == {"feature_archived": 9.0}
    rebuild_store(folder)
    with open_store(folder) as store:
        assert full_alert(store, FIRST + 3, "ztf", ["feature_archived"]) == {"feature_archived": 9.0}


def test_the_catalogue_holds_the_newest_values(revised: Store, folder: Path) -> None:
    revised.maintenance.compact(rows_per_pixel=5)
    before = content(revised)
    (held,) = (json.loads(path.read_text()) for path in (folder / "archive/generations").glob(f"*/{HELD}"))
    assert held == {"revision": 2}
    shutil.move(folder / "archive/revisions", folder.parent / "away")
    columns = ["alert_id", "p_synthetic", "feature_archived", "pass_rising", "topics", "classes", "packet"]
    assert alert_rows(revised, columns) == before[0]
    assert full_alert(revised, FIRST + 3, "ztf", ["feature_archived"]) == {"feature_archived": 7.0}


def test_only_pixels_with_newer_values_are_written_again(revised: Store) -> None:
    (first,) = revised.maintenance.compact(rows_per_pixel=5)
    assert revised.maintenance.compact(rows_per_pixel=5) == []
    revise(revised, [FIRST + 3], {"feature_archived": [11.0]})
    (report,) = revised.maintenance.compact(rows_per_pixel=5)
    assert (report.segments, report.alerts, report.rewritten, report.pixels) == (0, 0, 1, first.pixels)
    revise(revised, [FIRST + 3], {"feature_archived": [12.0]})
    (report,) = revised.maintenance.compact()
    assert report.rewritten == 1
    assert full_alert(revised, FIRST + 3, "ztf", ["feature_archived"]) == {"feature_archived": 12.0}
    assert revised.maintenance.check(deep=True).problems == ()


@pytest.mark.parametrize("name", ["values.parquet", "replaced.parquet", "commit.json", "SHA256SUMS"])
def test_damage_of_a_revision_is_found_and_a_rebuild_leaves_it_out(revised: Store, folder: Path, name: str) -> None:
    path = sorted((folder / "archive/revisions").glob(f"*/{name}"), key=lambda path: path.stat().st_mtime_ns)[-1]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert any(path.parent.name in problem for problem in revised.maintenance.check().problems)
    revised.close()
    result = rebuild_store(folder)
    if name != "SHA256SUMS" and name != "commit.json":
        assert result.damaged == (f"revisions/{path.parent.name}",)
    if result.damaged:
        with open_store(folder) as store:
            assert full_alert(store, FIRST + 3, "ztf", ["feature_archived"]) == {"feature_archived": -1.0}
            assert full_alert(store, FIRST + 23, "ztf", ["feature_archived"]) == {"feature_archived": 11.5}
            assert store.maintenance.check(deep=True).problems == ()
        assert any((folder / "archive/damaged").iterdir())


def test_a_revision_that_is_gone_is_named(revised: Store, folder: Path) -> None:
    gone = max((folder / "archive/revisions").iterdir(), key=lambda path: path.stat().st_mtime_ns)
    shutil.rmtree(gone)
    assert any(gone.name in problem for problem in revised.maintenance.check().problems)
    with pytest.raises(StoreError, match=r"the archive lacks a file.*store check"):
        full_alert(revised, FIRST + 23, "ztf", ["feature_archived"])
    with pytest.raises(StoreError, match="a revision is damaged"):
        revised.maintenance.compact(rows_per_pixel=5)
    revised.close()
    assert rebuild_store(folder).missing == (f"revisions/{gone.name}",)


@pytest.mark.parametrize("sql", ["UPDATE alerts SET p_synthetic = 0.25 WHERE alert_id = 1000000000000023",
                                 "DELETE FROM revised WHERE revision = 2 AND row = 0",
                                 "UPDATE revised SET row = 1 - row WHERE revision = 2",
                                 "UPDATE revisions SET columns = '[]' WHERE _id = 1",
                                 "UPDATE generations SET revision = 0"])  # fmt: skip
def test_a_deep_check_compares_what_revisions_give(revised: Store, folder: Path, sql: str) -> None:
    revised.close()
    with sqlite3.connect(folder / "index.sqlite") as connection:
        connection.execute(sql)
    with open_store(folder) as store:
        assert store.maintenance.check(deep=True).problems != ()


@pytest.mark.parametrize("copy", [False, True])
def test_a_backup_includes_revisions(revised: Store, folder: Path, tmp_path: Path, copy: bool) -> None:
    values = new_values([FIRST + 5], {"feature_archived": [1.0]})
    revised.revisions.write(values, replaced_values(revised, values))  # not committed: not in the backup
    backup(folder, tmp_path / "backup", copy=copy, progress=quiet)
    assert len(list((tmp_path / "backup/archive/revisions").iterdir())) == 2

    def check(root: Path) -> Report:
        with open_store(root) as store:
            return store.maintenance.check(deep=True)

    result = restore(tmp_path / "backup", tmp_path / "new", check=check, progress=quiet)
    assert (result.ok, result.report.problems) == (True, ())
    with open_store(tmp_path / "new") as again:
        assert content(again) == content(revised)


def test_what_was_not_committed_is_removed_by_the_next_job_and_by_the_next_run(store: Store, folder: Path) -> None:
    add(store, store_batch(5))
    values = new_values([FIRST + 3], {"feature_archived": [1.0]})
    for start in (lambda: store.revisions.start("job", "again"), lambda: store.runs.start("run")):
        store.revisions.write(values, replaced_values(store, values))
        (folder / "archive/revisions/.tmp-ztf-revision-0123456789abcdef").mkdir()
        (folder / "archive/revisions/notes").mkdir(exist_ok=True)
        start()
        assert [path.name for path in (folder / "archive/revisions").iterdir()] == ["notes"]
    assert full_alert(store, FIRST + 3, "ztf", ["feature_archived"]) == {"feature_archived": 1.5}


@pytest.mark.parametrize("where", ["mark_committed", "add_revision"])
def test_a_commit_that_fails_changes_nothing_and_can_be_repeated(
    revised: Store, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    values = new_values([FIRST + 3, FIRST + 4], NEW)
    segment = revised.revisions.write(values, replaced_values(revised, values))
    before, real = content(revised), getattr(revisions, where)

    def fail(*args: Any, **how: Any) -> None:
        real(*args, **how)
        raise OSError("the disk is gone")

    with monkeypatch.context() as patch:
        patch.setattr(revisions, where, fail)
        with pytest.raises(OSError, match="gone"):
            revised.revisions.commit(Revision(segment, "job", "token"))
    assert content(revised) == before
    assert revised.revisions.commit(Revision(segment, "job", "token")) == 2
    assert revised.maintenance.check(deep=True).problems == ()


def traced(opener: Callable[..., OpenConnection], callback: Callable[[str], object]) -> Callable[..., OpenConnection]:
    """Opens connections that call back before each of their statements."""

    def open_traced(*args: Any, **kwargs: Any) -> OpenConnection:
        connection = opener(*args, **kwargs)
        connection.set_trace_callback(callback)
        return connection

    return open_traced


def killed_at(statement: int, folder: Path) -> bool:
    """Commit a revision in a child that kills itself before its statement of that number; whether it was killed."""
    child = os.fork()
    if not child:
        count = iter(range(10**6))

        def die(_: str) -> None:
            if next(count) == statement:
                os.kill(os.getpid(), signal.SIGKILL)

        try:
            database.open_writer = traced(database.open_writer, die)
            change(folder)
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def change(folder: Path) -> None:
    """Go on with the job from wherever it was: one revision, after which the token is `end`."""
    with open_store(folder, mode="write") as store:
        if store.revisions.start("job", "reprocess") != "end":
            revise(store, [FIRST + 3, FIRST + 23], {**NEW, "p_more": [0.1, 0.2]}, after="end", by="synthetic@3")


def test_a_killed_commit_leaves_all_or_nothing_and_the_job_goes_on(
    revised: Store, folder: Path, tmp_path: Path
) -> None:
    revised.close()
    with open_store(folder) as store:
        before = content(store)[:-1]
    killed, whole = 0, 0
    for statement in range(0, 64, 2):
        copy = tmp_path / f"copy-{statement}"
        shutil.copytree(folder, copy, symlinks=True)
        killed += killed_at(statement, copy)
        with open_store(copy) as store:
            is_whole = "p_more" in store.alerts.schema().names
            whole += is_whole
            assert store.revisions.jobs()["after"].to_pylist() == (["end"] if is_whole else [None])
            assert is_whole or content(store)[:-1] == before
        change(copy)
        with open_store(copy) as store:
            assert full_alert(store, FIRST + 3, "ztf", ["p_more"])["p_more"] == pytest.approx(0.1)
            assert store.maintenance.check().problems == ()
        shutil.rmtree(copy)
    assert killed > 20
    assert whole >= 1


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """SQL of every reader that is opened within the test."""
    found: list[str] = []
    monkeypatch.setattr(database, "open_reader", traced(database.open_reader, found.append))
    yield found


@pytest.mark.parametrize("ask", [
    lambda store: alert_rows(store, limit=20),
    lambda store: alert_rows(store, ["alert_id", "mag", "feature_archived"], where="feature_archived > 3"),
    lambda store: full_alert(store, FIRST + 3, "ztf"),
    lambda store: object_row(store, "ZTFmade0003"),
])  # fmt: skip
def test_revisions_cost_no_statement_whether_there_are_any_or_not(
    store: Store, folder: Path, statements: list[str], ask: Callable[[Store], Any]
) -> None:
    add(store, store_batch(20))
    counts = []
    with open_store(folder) as reader:
        for _ in range(2):
            ask(reader)
            statements.clear()
            ask(reader)
            counts.append(len([sql for sql in statements if sql.startswith("SELECT")]))
            store.revisions.start("job", "reprocess")
            revise(store, [FIRST + 3, FIRST + 4], NEW)
    assert counts[0] == counts[1] > 0


def test_a_reader_beside_the_writer_sees_new_values_and_columns_at_once(store: Store, folder: Path) -> None:
    add(store, store_batch(20))
    store.revisions.start("job", "reprocess")
    declared = {"archived_new": Column("float32", indexed=False)}
    with open_store(folder) as reader:
        assert full_alert(reader, FIRST + 3, "ztf", ["feature_archived"]) == {"feature_archived": 1.5}
        for value in (1.0, 2.0):
            revise(store, [FIRST + 3], {"feature_archived": [value], "archived_new": [value]}, declared=declared)
            (row,) = alert_rows(reader, ["feature_archived", "archived_new"], where=f"alert_id == {FIRST + 3}")
            assert row == {"feature_archived": value, "archived_new": value}


def test_a_worker_that_reads_writes_what_the_writer_commits(store: Store, folder: Path) -> None:
    add(store, store_batch(20))
    store.revisions.start("job", "reprocess")
    values = new_values([FIRST + 3], {"feature_archived": [1.0]})
    with open_store(folder) as worker:
        segment = worker.revisions.write(values, replaced_values(worker, values))
        with pytest.raises(StoreError, match="open for reading"):
            worker.revisions.commit(Revision(segment, "job", None))
    assert store.revisions.commit(Revision(segment, "job", None)) == 1


def test_rows_of_a_page_are_of_one_moment(store: Store, folder: Path) -> None:
    """The index and the archive agree on a value that both have, while a writer revises it again and again."""
    add(store, store_batch(20))
    store.revisions.start("job", "reprocess")
    ids = [FIRST + i for i in range(20)]
    same = {"archived_twin": Column("float32", indexed=False), "twin": Column("float32")}
    with open_store(folder) as reader:
        revise(store, ids, {"twin": [0.0] * 20, "archived_twin": [0.0] * 20}, declared=same)
        scan = reader.alerts.scan(["twin", "archived_twin"])
        for value in (1.0, 2.0):
            revise(store, ids, {"twin": [value] * 20, "archived_twin": [value] * 20}, declared=same)
            for row in scan.to_rows():
                assert row["twin"] == row["archived_twin"]
            scan = reader.alerts.scan(["twin", "archived_twin"])
