"""The file of answers in a store: what it keeps, what it drops, and that nothing depends on it."""

from __future__ import annotations

import logging
import sqlite3
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from redpoll.store import open_store
from redpoll.store.answers import AnswerFile

MANY = 10**9


def test_answers_are_found_by_another_process_of_the_store(tmp_path):
    AnswerFile(tmp_path, MANY).put({1: b"one", -(2**63): b"low", 2**63 - 1: b"high"})
    assert AnswerFile(tmp_path, MANY).get([1, 2, -(2**63), 2**63 - 1]) == {
        1: b"one", -(2**63): b"low", 2**63 - 1: b"high",
    }  # fmt: skip


def test_what_is_not_asked_for_is_dropped_and_the_file_stays_within_its_limit(tmp_path):
    answers, wanted = AnswerFile(tmp_path, 100_000), bytes(1000)
    answers.put({0: wanted})
    for n in range(1, 400):
        assert answers.get([0]) == {0: wanted}  # asked for every time
        answers.put({n: bytes(1000)})
    kept = answers.get(list(range(400)))
    assert 45 <= len(kept) <= 101 and set(range(355, 400)) <= kept.keys() and 0 in kept
    assert Path(tmp_path / "answers.sqlite").stat().st_size < 400_000


def test_no_cache_is_kept_with_a_limit_of_nothing(tmp_path):
    answers = AnswerFile(tmp_path, 0)
    answers.put({1: b"one"})
    assert answers.get([1]) == {} and not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"no database, but long enough to be looked at " * 40, b"short"])
def test_a_damaged_file_is_left_alone_and_logged_once(tmp_path, caplog, content):
    (tmp_path / "answers.sqlite").write_bytes(content)
    answers = AnswerFile(tmp_path, MANY)
    with caplog.at_level(logging.WARNING):
        assert answers.get([1]) == {}
        answers.put({1: b"one"})
        assert answers.get([1]) == {}
    assert [record.message.split(":")[-1] for record in caplog.records] == [
        " file is not a database; searches and fits are computed anew; the file may be deleted"
    ]
    assert (tmp_path / "answers.sqlite").read_bytes() == content


def test_a_page_that_is_damaged_later_costs_the_answers_alone(tmp_path, caplog):
    AnswerFile(tmp_path, MANY).put({n: bytes(1000) for n in range(100)})
    with sqlite3.connect(tmp_path / "answers.sqlite") as opened:
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    with (tmp_path / "answers.sqlite").open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 40_000)
    answers = AnswerFile(tmp_path, MANY)
    assert answers.get(list(range(100))) == {} and "may be deleted" in caplog.text
    answers.put({1: b"one"})


def test_a_folder_that_is_not_there_costs_the_answers_alone(tmp_path, caplog):
    answers = AnswerFile(tmp_path / "none", MANY)
    answers.put({1: b"one"})
    assert answers.get([1]) == {} and len(caplog.records) == 1


def test_a_file_of_another_number_is_begun_anew(tmp_path):
    AnswerFile(tmp_path, MANY).put({1: b"one"})
    with sqlite3.connect(tmp_path / "answers.sqlite") as opened:
        opened.execute("PRAGMA user_version = 99")
    answers = AnswerFile(tmp_path, MANY)
    assert answers.get([1]) == {}
    answers.put({2: b"two"})
    assert answers.get([1, 2]) == {2: b"two"}


def _write(store: Path, first: int) -> bool:
    """Whether the file could be used to the end."""
    answers = AnswerFile(store, 40_000)
    for n in range(first, first + 100):
        answers.put({n: bytes(1000)})
        answers.get([n, n - 1])
    return answers._is_usable


def test_processes_write_and_renew_at_once(tmp_path):
    with ProcessPoolExecutor(4) as pool:
        assert all(pool.map(_write, [tmp_path] * 4, [0, 1000, 2000, 3000]))
    assert 18 <= len(AnswerFile(tmp_path, 40_000).get(list(range(4000)))) <= 41


def test_a_file_that_another_process_locks_is_used_again_afterwards(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("redpoll.store.answers._SECONDS", 0.05)
    answers, late = AnswerFile(tmp_path, MANY), AnswerFile(tmp_path, MANY)
    answers.put({1: b"one"})
    with sqlite3.connect(tmp_path / "answers.sqlite", isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        answers.put({2: b"two"})
        late.put({3: b"three"})  # opens it
        other.execute("ROLLBACK")
    for one in (answers, late):
        one.put({4: b"four"})
        assert one.get([1, 2, 3, 4]) == {1: b"one", 4: b"four"}
    assert not caplog.records


def test_a_dropped_table_is_not_overwritten_first(tmp_path):
    """It took 29 s for 1.4 GB, while every other process waited."""
    answers = AnswerFile(tmp_path, MANY)
    answers.put({1: b"one"})
    assert answers._connection.execute("PRAGMA secure_delete").fetchall() == [(0,)]


@pytest.mark.parametrize("damage", [
    "answer = zeroblob(length(answer))", "answer = 7", "answer = 'x'", "answer = substr(answer, 2)", "answer = X''",
    "key = 2",
])  # fmt: skip
def test_an_answer_that_does_not_fit_its_checksum_is_not_given(tmp_path, damage):
    AnswerFile(tmp_path, MANY).put({1: bytes(range(64))})
    with sqlite3.connect(tmp_path / "answers.sqlite") as opened:
        opened.execute(f"UPDATE young SET {damage}")
    assert AnswerFile(tmp_path, MANY).get([1, 2]) == {}


def test_answers_that_are_only_asked_for_are_not_heaped_up(tmp_path):
    answers = AnswerFile(tmp_path, 60_000)
    for n in range(31):
        answers.put({n: bytes(1000)})  # 0 to 29 are the old ones now
    for n in range(20):
        assert answers.get([n])
        answers.put({})
    assert not answers._aged
    for n in range(100, 120):  # the young ones become old, and the old ones are dropped
        answers.put({n: bytes(1000)})
    assert answers.get(list(range(30))).keys() == set(range(20))


def test_an_answer_that_is_there_counts_once(tmp_path):
    answers = AnswerFile(tmp_path, 4_000)
    answers.put({0: bytes(1000)})
    for _ in range(10):
        answers.put({1: bytes(100)})
    assert answers.get([0, 1]).keys() == {0, 1}


def test_a_folder_in_place_of_the_file_costs_the_answers_alone(tmp_path, caplog):
    AnswerFile(tmp_path, MANY).put({1: b"one"})
    (tmp_path / "answers.sqlite").unlink()
    (tmp_path / "answers.sqlite").mkdir()
    answers = AnswerFile(tmp_path, MANY)
    answers.put({2: b"two"})
    assert answers.get([1]) == {} and len(caplog.records) == 1


def test_a_store_with_answers_is_a_store(tmp_path):
    AnswerFile(tmp_path, MANY).put({1: b"one"})
    with open_store(tmp_path, mode="write") as store:
        assert store.runs.table().num_rows == 0
