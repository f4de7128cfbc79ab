from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redpoll.store import Commit, DeadLetter, LedgerEntry, Store, open_store
from redpoll.store.dead_letters import DeadLetterFile
from redpoll.store.layout import Layout
from redpoll.store.writer import EmbeddedRuns
from redpoll.testing.store_batches import store_batch
from redpoll.testing.store_suite import add

NOW = "2026-11-30T00:00:00.000+00:00"


def letter(i: int, size: int = 100, reason: str = "truncated") -> DeadLetter:
    return DeadLetter(i.to_bytes(4, "big") * (size // 4), "night.tar", str(i), reason)


@pytest.fixture
def letters(store: Store, folder: Path) -> Iterator[DeadLetterFile]:
    """The dead letters of an empty store, at most 20,000 bytes of them."""
    opened = DeadLetterFile(Layout(folder), max_bytes=20_000)
    yield opened
    opened.close()


def positions(letters: DeadLetterFile) -> list[int]:
    return [int(found.position) for found in letters.stream()]


def test_junk_does_not_grow_the_index(store: Store, folder: Path) -> None:
    before = (folder / "index.sqlite").stat().st_size
    for i in range(20):
        entry = LedgerEntry(None, None, "rejected", "truncated", 10)
        store.runs.commit(Commit(None, None, [letter(10 * i + k, 50_000) for k in range(10)], [entry]))
    store.close()
    assert (folder / "index.sqlite").stat().st_size <= before + 16_384
    with open_store(folder) as again:
        assert (again.dead_letters.table(limit=1000).num_rows, again.maintenance.check().dead_letters) == (200, 200)


def test_beyond_the_limit_the_oldest_letters_are_dropped_and_counted(letters: DeadLetterFile, folder: Path) -> None:
    for i in range(0, 1000, 10):
        letters.add([letter(k, 500, "a" if k < 500 else "b") for k in range(i, i + 10)], NOW)
    kept = positions(letters)
    assert kept == list(range(kept[0], 1000))
    assert 0 < len(kept) <= 20
    dropped = {row["reason"]: row["n"] for row in letters.dropped().to_pylist()}
    assert dropped == {"a": 500, "b": 500 - len(kept)}
    assert (folder / "dead_letters.sqlite").stat().st_size < 500_000


def test_a_letter_larger_than_the_limit_is_counted_and_dropped(letters: DeadLetterFile) -> None:
    letters.add([letter(1, 100_000)], NOW)
    assert (positions(letters), letters.dropped()["n"].to_pylist()) == ([], [1])


def test_purge_by_age_and_by_reason(letters: DeadLetterFile) -> None:
    new = datetime(2026, 11, 30, tzinfo=UTC)
    letters.add([letter(1), letter(2, reason="schema")], (new - timedelta(days=40)).isoformat())
    letters.add([letter(3), letter(4, reason="schema")], new.isoformat())
    assert letters.remove(reason="schema", before=new - timedelta(days=30)) == 1
    assert letters.remove(before=new - timedelta(days=30)) == 1
    assert positions(letters) == [3, 4]
    assert (letters.remove(reason="schema"), letters.remove(reason="no such reason"), letters.remove()) == (1, 0, 1)


def test_letters_are_purged_and_removed_while_a_run_writes(store: Store, folder: Path) -> None:
    store.runs.commit(Commit(None, None, [letter(1), letter(2)]))
    with open_store(folder) as other:
        other.dead_letters.remove([1])
        assert other.dead_letters.remove() == 1
    store.runs.commit(Commit(None, None, [letter(3)]))
    assert [row["position"] for row in store.dead_letters.table().to_pylist()] == ["3"]


def test_letters_may_come_and_go_while_they_are_streamed(letters: DeadLetterFile) -> None:
    letters.add([letter(i) for i in range(6)], NOW)
    seen = []
    for found in letters.stream():
        seen.append(int(found.position))
        letters.remove([found.id or 0])
        letters.add([letter(100 + len(seen))], NOW)
    assert seen == list(range(6))


def test_reading_makes_no_file(letters: DeadLetterFile, folder: Path) -> None:
    assert (letters.table().num_rows, list(letters.stream()), letters.remove(), letters.count()) == (0, [], 0, 0)
    assert not (folder / "dead_letters.sqlite").exists()


@given(batches=st.lists(st.lists(st.integers(0, 30), max_size=6), max_size=8), limit=st.integers(0, 12_000))
@settings(max_examples=10, deadline=None)
def test_each_letter_is_kept_once_or_counted_as_dropped(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[int]], limit: int
) -> None:
    letters = DeadLetterFile(Layout(tmp_path_factory.mktemp("letters")), max_bytes=limit)
    for batch in batches:
        for _ in range(2):
            letters.add([letter(i) for i in batch], NOW)
    kept, dropped = positions(letters), sum(letters.dropped()["n"].to_pylist())
    assert len(set(kept)) == len(kept)
    assert 600 * len(kept) <= limit
    given_ = {i for batch in batches for i in batch}
    assert set(kept) <= given_
    assert len(kept) + dropped >= len(given_)
    letters.close()


@pytest.mark.parametrize("moment", ["before the letters", "before the ledger", "after the ledger"])
def test_a_crash_never_loses_letters_that_the_ledger_counted(folder: Path, moment: str) -> None:
    def die(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def write(harm: Callable[[Store], None] | None) -> None:
        with open_store(folder, mode="write") as store:
            store.runs.start("test")
            if harm:
                harm(store)
            batch = store_batch(5)
            entry = LedgerEntry("ztf", None, "rejected", "truncated", 3)
            if not store.alerts.exists("ztf", batch["alert_id"].to_numpy()).all():
                add(store, batch, dead_letters=[letter(i) for i in range(3)], ledger=[entry])
            if harm and moment == "after the ledger":
                die()
            store.runs.end("done")

    def harm(_: Store) -> None:
        if moment == "before the letters":
            DeadLetterFile.add = die
        elif moment == "before the ledger":
            EmbeddedRuns._add_segment = die

    child = os.fork()
    if not child:
        write(harm)
        os._exit(0)
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
    with open_store(folder) as store:
        counted = sum(row["rejected"] for row in store.ledger.table().to_pylist())
        assert store.dead_letters.table().num_rows >= counted
    write(None)
    with open_store(folder) as store:
        assert (
            store.dead_letters.table().num_rows,
            sum(row["rejected"] for row in store.ledger.table().to_pylist()),
        ) == (3, 3)
        assert store.maintenance.check().ok
