"""Chunks of stored alerts on their way to the workers, and their new values committed in the order of the chunks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from redpoll.engine.local import Killed
from redpoll.engine.reader import InputBlock
from redpoll.pipeline.reprocess_report import ReprocessReport
from redpoll.pipeline.reprocess_result import ReprocessResult, no_result
from redpoll.pipeline.reprocess_task import alert_key
from redpoll.plugin.ports import ReceivedPacket
from redpoll.store import Selection, Store
from redpoll.store.ports import Revisions
from redpoll.store.records import Revision

BEGINNING = "beginning"
"""Position of a job whose first chunk is committed in part."""


@dataclass(frozen=True)
class AlertChunk:
    """Some stored alerts in the order of the scan; ``begins`` and ``after`` are the positions before and after them.

    ``after`` is None for the last chunk.
    """

    number: int
    keys: Sequence[tuple[str, int]]
    begins: str
    after: str | None


@dataclass(frozen=True)
class StoredPosition:
    """A stored alert, of a chunk of a reprocessing.

    >>> str(StoredPosition(AlertChunk(0, [("ztf", 12)], "beginning", None), 0))
    'ztf 12'
    """

    chunk: AlertChunk
    row: int

    @property
    def source(self) -> str:
        """The store."""
        return "store"

    def __str__(self) -> str:
        survey, alert_id = self.chunk.keys[self.row]
        return f"{survey} {alert_id}"


class StoredAlerts:
    """The keys of the selected alerts, oldest first, in chunks of at most `size`; memory is that of two chunks."""

    def __init__(self, store: Store, selection: Selection, size: int) -> None:
        self._store, self._selection, self._size = store, selection, size

    def chunks(self, after: str | None = None) -> Iterator[AlertChunk]:
        """The chunks after a position, None for the beginning; none of them is empty."""
        held: AlertChunk | None = None
        number, token = 0, None if after == BEGINNING else after
        while True:
            scan = self._store.alerts.scan(
                ["survey", "alert_id"], self._selection, order_by="oldest", after=token, limit=self._size
            )
            rows = scan.to_rows()
            if rows:
                if held is not None:
                    yield held
                keys = [(row["survey"], row["alert_id"]) for row in rows]
                held, number = AlertChunk(number, keys, token or BEGINNING, scan.after), number + 1
            token = scan.after
            if token is None:
                break
        if held is not None:
            yield replace(held, after=None)


def blocks(chunks: Iterator[AlertChunk], stop: Callable[[], bool]) -> Iterator[InputBlock]:
    """The chunks as the engine takes them, one packet an alert, until `stop` says so."""
    for chunk in chunks:
        if stop():
            return
        keys = [alert_key(survey, alert_id) for survey, alert_id in chunk.keys]
        yield InputBlock([ReceivedPacket(key, StoredPosition(chunk, row)) for row, key in enumerate(keys)])


@dataclass
class _Pending:
    """A chunk of which not all blocks are back, or that waits for those before it."""

    n_left: int
    results: list[ReprocessResult] = field(default_factory=list)
    died: list[str] = field(default_factory=list)


class RevisionCommitter:
    """Takes the results of blocks in any order; commits each chunk when it and all before it are complete.

    The segments of a chunk are committed one after the other, the position moves with the last. A crash between two
    repeats the chunk, whose values are the same.

    Parameters
    ----------
    revisions
        The store.
    job
        Key of the reprocessing, which was started.
    report
        Gets the counts of what is committed.
    watch
        Called after each chunk with the number of alerts that are done.
    """

    def __init__(self, revisions: Revisions, job: str, report: ReprocessReport, watch: Callable[[int], None]) -> None:
        self._revisions, self._job, self._report, self._watch = revisions, job, report, watch
        self._pending: dict[int, tuple[AlertChunk, _Pending]] = {}
        self._next = 0
        self.is_finished = False

    def __call__(self, packets: Sequence[ReceivedPacket], result: ReprocessResult | Killed) -> None:
        """Take the result of a block, which is a chunk or a part of one."""
        position = packets[0].position
        assert isinstance(position, StoredPosition)
        chunk = position.chunk
        _, pending = self._pending.setdefault(chunk.number, (chunk, _Pending(len(chunk.keys))))
        pending.n_left -= len(packets)
        if isinstance(result, Killed):
            pending.died.append(str(position))
            result = no_result() | {"n_alerts": len(packets)}
        pending.results.append(result)
        while self._next in self._pending and not self._pending[self._next][1].n_left:
            self._commit(*self._pending.pop(self._next))
            self._next += 1

    def _commit(self, chunk: AlertChunk, pending: _Pending) -> None:
        segments = [name for result in pending.results for name in result["segments"]]
        for name in segments[:-1]:
            self._revisions.commit(Revision(name, self._job, chunk.begins))
        self._revisions.commit(Revision(segments[-1] if segments else None, self._job, chunk.after))
        self.is_finished = chunk.after is None
        for result in pending.results:
            self._report.add(result)
        self._report.died += pending.died
        self._watch(self._report.before + self._report.alerts)
