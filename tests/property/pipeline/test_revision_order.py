"""Whatever the order in which blocks come back, and whenever the process dies: every alert is revised, in order."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redpoll.engine.local import Killed
from redpoll.pipeline.reprocess_report import ReprocessReport
from redpoll.pipeline.reprocess_result import no_result
from redpoll.pipeline.revision_order import BEGINNING, RevisionCommitter, StoredAlerts, blocks
from redpoll.store import Selection, open_store
from redpoll.testing.fakes import Crash
from redpoll.testing.store_batches import store_batch
from redpoll.testing.store_suite.cases import add

N = 40


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with open_store(tmp_path_factory.mktemp("order") / "store", mode="write") as opened:
        opened.runs.start("test")
        add(opened, store_batch(N))
        yield opened


class KeptRevisions:
    """Keeps what is committed, and dies at one commit, before or after it counts."""

    def __init__(self, dies_at=None, *, before=False):
        self.segments, self.positions = [], []
        self._left, self._before = dies_at, before

    def commit(self, revision):
        self._left = None if self._left is None else self._left - 1
        if self._left == 0 and self._before:
            raise Crash
        if revision.segment is not None:
            self.segments.append(revision.segment)
        self.positions.append(revision.after)
        if self._left == 0:
            raise Crash


def result_of(packets, n_segments):
    """A result whose segments are named by their alerts."""
    names = [str(packet.position) for packet in packets]
    parts = [names[i::n_segments] for i in range(n_segments)]
    return no_result() | {"n_alerts": len(names), "segments": [",".join(part) for part in parts if part]}


def pieces(block, data):
    """The block, or pieces that the engine cut it into."""
    if len(block) > 1 and data.draw(st.booleans()):
        return [piece for half in block.halves() for piece in pieces(half, data)]
    return [block]


def attempt(store, size, after, revisions, report, data, died):
    """Reprocess from a position; blocks come back in any order, alerts on which workers die are added to `died`."""
    commit = RevisionCommitter(revisions, "job", report, lambda n: None)
    found = [piece for block in blocks(StoredAlerts(store, Selection(), size).chunks(after), lambda: False)
             for piece in pieces(block, data)]  # fmt: skip
    for piece in data.draw(st.permutations(found)):
        if len(piece) == 1 and data.draw(st.integers(0, 9)) == 0:
            died.add(str(piece.packets[0].position))
            commit(piece.packets, Killed(-11))
        else:
            commit(piece.packets, result_of(piece.packets, data.draw(st.integers(0, 3)) or 1))
    return commit


@given(data=st.data())
def test_a_crash_at_any_commit_loses_and_reorders_nothing(store, data):
    size = data.draw(st.integers(1, N + 5))
    dying = KeptRevisions(data.draw(st.integers(1, 30)), before=data.draw(st.booleans()))
    first, second, died = ReprocessReport(), ReprocessReport(), set()
    with contextlib.suppress(Crash):
        attempt(store, size, None, dying, first, data, died)
    last = dying.positions[-1] if dying.positions else BEGINNING
    if dying.positions and last is None:
        revised, positions = dying.segments, dying.positions
    else:
        rest = KeptRevisions()
        assert attempt(store, size, last, rest, second, data, died).is_finished
        revised, positions = dying.segments + rest.segments, dying.positions + rest.positions
    assert positions[-1] is None and positions.count(None) == 1
    names = {name for segment in revised for name in segment.split(",")}
    every = {f"ztf {row['alert_id']}" for row in store.alerts.scan(["alert_id"]).to_rows()}
    assert names | died == every
    assert first.alerts + second.alerts <= N


@given(data=st.data())
def test_chunks_are_committed_in_their_order_with_the_position_after_them(store, data):
    size = data.draw(st.integers(1, N))
    kept = KeptRevisions()
    report = ReprocessReport()
    commit = attempt(store, size, None, kept, report, data, set())
    assert commit.is_finished
    assert report.alerts == N
    expected = [chunk.after for chunk in StoredAlerts(store, Selection(), size).chunks()]
    moved = [p for i, p in enumerate(kept.positions) if i + 1 == len(kept.positions) or kept.positions[i + 1] != p]
    assert [position for position in moved if position != BEGINNING] == expected
    order = [name for chunk in StoredAlerts(store, Selection(), size).chunks() for name in map(str, chunk.keys)]
    assert len(order) == N


def test_the_last_chunk_is_known_to_be_the_last_though_a_condition_reads_the_archive(store):
    chunks = list(StoredAlerts(store, Selection(where="feature_archived < 5"), 4).chunks())
    assert [chunk.after is None for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert sum(len(chunk.keys) for chunk in chunks) == 10
    assert all(chunk.keys for chunk in chunks)


def test_no_alert_makes_no_chunk(store):
    assert list(StoredAlerts(store, Selection(where="mag < -90"), 4).chunks()) == []
