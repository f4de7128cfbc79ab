from __future__ import annotations

import pickle
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from redpoll.errors import StoreError
from redpoll.store import Commit, Store, database, open_store
from redpoll.testing.store_batches import store_batch
from redpoll.testing.store_rows import alert_rows, full_alert
from redpoll.testing.store_suite import add


def test_reading_where_nothing_is_says_how_to_begin(folder: Path) -> None:
    with pytest.raises(StoreError, match="redpoll run"):
        open_store(folder)
    assert not folder.exists()


@pytest.mark.parametrize("mode", ["read", "write"])
def test_a_folder_of_other_files_is_left_alone(tmp_path: Path, mode: str) -> None:
    (tmp_path / "thesis.tex").write_text("dear")
    with pytest.raises(StoreError, match="not empty"):
        open_store(tmp_path, mode=mode)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("mode", ["read", "write"])
def test_an_archive_without_an_index_asks_for_rebuild(store: Store, folder: Path, mode: str) -> None:
    (folder / "archive" / "segments" / "ztf-20200101-0123456789abcdef").mkdir()
    store.close()
    (folder / "index.sqlite").unlink()
    with pytest.raises(StoreError, match="rebuild"):
        open_store(folder, mode=mode)


@pytest.mark.parametrize("mode", ["read", "write"])
def test_an_index_that_is_no_index_is_refused(store: Store, folder: Path, mode: str) -> None:
    store.close()
    (folder / "index.sqlite").write_bytes(b"not a database, but long enough to be looked at" * 50)
    with pytest.raises(StoreError):
        open_store(folder, mode=mode)


@pytest.mark.parametrize("mode", ["read", "write"])
def test_an_emptied_index_of_a_store_with_alerts_asks_for_rebuild(store: Store, folder: Path, mode: str) -> None:
    add(store, store_batch(5))
    store.close()
    (folder / "index.sqlite").write_bytes(b"")
    with pytest.raises(StoreError, match="rebuild"):
        open_store(folder, mode=mode)


def _blank_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")


@pytest.mark.parametrize("unfinished", [Path.touch, _blank_database])
def test_an_index_whose_creation_was_interrupted_is_created_again(
    tmp_path: Path, unfinished: Callable[[Path], None]
) -> None:
    unfinished(tmp_path / "index.sqlite")
    (tmp_path / "lock").touch()
    (tmp_path / ".tmp-0123-index.sqlite").touch()
    with pytest.raises(StoreError, match="redpoll run"):
        open_store(tmp_path)
    with open_store(tmp_path, mode="write") as store:
        store.runs.start("test")
        assert add(store, store_batch(5)) == 5
        assert store.maintenance.check().ok


@pytest.mark.parametrize("mode", ["read", "write"])
def test_a_store_of_a_newer_redpoll_is_refused(store: Store, folder: Path, mode: str) -> None:
    store.close()
    with sqlite3.connect(folder / "index.sqlite") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match="upgrade Redpoll"):
        open_store(folder, mode=mode)


def test_another_sqlite_file_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "index.sqlite") as connection:
        connection.execute("CREATE TABLE t (x)")
    connection.close()
    with pytest.raises(StoreError, match="not the index of a Redpoll store"):
        open_store(tmp_path)


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot make a store"):
        open_store(tmp_path / "file" / "store", mode="write")


def test_a_closed_store_says_so(store: Store) -> None:
    store.close()
    store.close()
    with pytest.raises(StoreError, match="closed"):
        alert_rows(store)


def test_a_run_must_be_open_to_commit(folder: Path) -> None:
    with open_store(folder, mode="write") as store, pytest.raises(StoreError, match="before the start of a run"):
        store.runs.commit(Commit(None, None))


def test_a_store_in_a_folder_that_cannot_be_written_is_read(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(store, store_batch(5))
    store.close()
    monkeypatch.setattr(database.os, "access", lambda *_: False)
    with open_store(folder) as reader:
        assert len(alert_rows(reader)) == 5
        assert not (folder / "index.sqlite-shm").exists()


def test_threads_read_at_the_same_time(store: Store) -> None:
    add(store, store_batch(50))
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda i: full_alert(store, 10**15 + i % 50, "ztf", ["alert_id"])["alert_id"], range(200))
        )
    assert answers == [10**15 + i % 50 for i in range(200)]


def test_a_store_is_pickled_as_its_url_and_opened_for_reading(store: Store, folder: Path) -> None:
    add(store, store_batch(3))
    data = pickle.dumps(store)
    assert folder.absolute().as_uri().encode() in data
    with pickle.loads(data) as copy:  # noqa: S301 - made two lines above
        assert copy.url == store.url
        assert copy.alerts.scan().to_rows() == store.alerts.scan().to_rows()
        assert copy.segments.write(store_batch(1, start=9))
        with pytest.raises(StoreError, match="open for reading"):
            copy.runs.start("test")


@pytest.mark.parametrize("url", ["postgresql://db/redpoll", "postgres://user:secret@db:5432/redpoll"])
def test_postgresql_is_refused_with_the_page_of_its_design(url: str) -> None:
    with pytest.raises(StoreError, match=r"PostgreSQL are designed but not built.*0016-postgresql-adapter") as refused:
        open_store(url)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("url", ["s3://bucket/store", "file://elsewhere/store", "file:///store?mode=write", "http://x"])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(StoreError, match="is no store: give a folder"):
        open_store(url)


def test_a_store_may_be_closed_twice(folder: Path) -> None:
    store = open_store(folder, mode="write")
    store.close()
    store.close()
    open_store(folder, mode="write").close()
