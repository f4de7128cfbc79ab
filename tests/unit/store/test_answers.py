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
    assert 50 <= len(kept) <= 101 and set(range(350, 400)) <= kept.keys() and 0 in kept
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


def _write(store: Path, first: int) -> None:
    answers = AnswerFile(store, 40_000)
    for n in range(first, first + 100):
        answers.put({n: bytes(1000)})
        answers.get([n, n - 1])


def test_processes_write_at_once(tmp_path, caplog):
    with ProcessPoolExecutor(3) as pool:
        list(pool.map(_write, [tmp_path] * 3, [0, 1000, 2000]))
    assert 20 <= len(AnswerFile(tmp_path, 40_000).get(list(range(3000)))) <= 41


def test_a_store_with_answers_is_a_store(tmp_path):
    AnswerFile(tmp_path, MANY).put({1: b"one"})
    with open_store(tmp_path, mode="write") as store:
        assert store.runs.table().num_rows == 0
