"""The only file of the pipeline that opens the store, names its paths and commits to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from redpoll.answer_cache import AnswerCache
from redpoll.config import Config
from redpoll.errors import StoreError
from redpoll.pipeline.block_result import BlockResult, CutResult, WrittenSegment, category
from redpoll.pipeline.models import Champions
from redpoll.plugin.node import Node
from redpoll.plugin.ports import ReceivedPacket
from redpoll.quality.duplicates import Exists
from redpoll.store import Commit, DeadLetter, LedgerEntry, RejectedAlert, Selection, Store, indexed_columns, open_store
from redpoll.store.answers import AnswerFile
from redpoll.store.app import open_app
from redpoll.store.app.ports import ServedModels


@dataclass(frozen=True)
class LetterPosition:
    """Where a dead letter first came from, its number in the store, and why it is there."""

    source: str
    text: str
    number: int
    reason: str

    def __str__(self) -> str:
        return self.text


class SegmentWriter:
    """The half of the store that workers use: which alerts exist, and new segments of the archive."""

    def __init__(self, store: Path) -> None:
        reader = open_store(store)
        self.exists: Exists = reader.alerts.exists
        self._archive = reader.segments

    def write(self, alerts: pa.RecordBatch) -> WrittenSegment:
        """Write a segment, which does not count until it is committed; its name and its alerts' indexed columns."""
        name = self._archive.write(alerts)
        return {"name": name, "alerts": _to_ipc(indexed_columns(alerts))}


class RunStore:
    """The half of the store that one process uses: a run, and a commit for every block."""

    def __init__(self, store: Store, command: str) -> None:
        self._store = store
        self.run = store.runs.start(command)

    def commit(self, packets: Sequence[ReceivedPacket], result: BlockResult) -> list[tuple[pa.RecordBatch, int]]:
        """Commit a block; returns the alerts of each segment and how many of them were new.

        Raises
        ------
        StoreError
            If the result does not account for every packet, or the disk does not take it.
        """
        if (counted := sum(entry["n"] for entry in result["counts"])) != len(packets):
            raise StoreError(f"a block of {len(packets)} packets came back with {counted} counted")
        letters = [_letter(packets[i], reason) for i, reason in sorted(result["dead_letters"].items())]
        rest = [LedgerEntry(**entry) for entry in result["counts"] if entry["outcome"] != "stored"]
        rejected = [_rejected(packets[cut["packet"]], cut) for cut in result["cut"]]
        segments = result["segments"]
        others = Commit(None, None, letters, rest, rejected, retried=_retried(packets))
        if not segments:
            self._store.runs.commit(others)
        stored: list[tuple[pa.RecordBatch, int]] = []
        for n, segment in enumerate(segments):
            alerts = _from_ipc(segment["alerts"])
            positions = [_where(packets[i]) for i in segment["packets"]]
            more = others if n == 0 else Commit(None, None)
            commit = replace(more, alerts=alerts, segment=segment["name"], positions=positions)
            stored.append((alerts, self._store.runs.commit(commit)))
        return stored

    def end(self, status: str) -> None:
        """Close the run."""
        self._store.runs.end(status)


class RevisionWriter:
    """The half of the store that workers use to reprocess: columns of stored alerts, and new values of them."""

    def __init__(self, store: Path) -> None:
        reader = open_store(store)
        self._alerts, self.write = reader.alerts, reader.revisions.write

    def read(self, survey: str, alert_ids: Sequence[int], columns: Sequence[str]) -> pa.RecordBatch:
        """Columns of stored alerts, one row each, by time."""
        chosen = Selection(survey=survey, alert_ids=alert_ids)
        table = self._alerts.scan(columns, chosen, order_by="oldest").to_table().combine_chunks()
        return pa.RecordBatch.from_arrays(
            [column.combine_chunks() if column.num_chunks != 1 else column.chunk(0) for column in table.columns],
            schema=table.schema,
        )


def open_champions(store: Path | None, nodes: Iterable[Node]) -> Champions:
    """The models of a store that these modules use, or without one the shipped ones; open as long as the process."""
    return Champions(open_app(store).models if store else None, nodes)


def answer_cache(store: Path, config: Config) -> AnswerCache:
    """The answers of searches and fits that a store keeps."""
    return AnswerFile(store, config.answers.max_mb * 1_000_000)


@contextmanager
def served_models(store: Path) -> Iterator[ServedModels]:
    """The model registry of a store."""
    with open_app(store) as app:
        yield app.models


def spool_folder(store: Path) -> Path:
    """Where the spools of parked sinks lie, one folder a sink."""
    return store / "spool"


@contextmanager
def writing_run(store: Path, command: str, config: Config) -> Iterator[RunStore]:
    """A run in the store, which is made if it is new; the caller ends it."""
    with open_store(store, mode="write", dead_letter_bytes=config.dead_letters.max_bytes) as opened:
        yield RunStore(opened, command)


@contextmanager
def reprocessed_store(store: Path, config: Config) -> Iterator[Store]:
    """A store that exists, open for reprocessing: for reading and, with the writer's lock, for writing."""
    open_store(store).close()  # StoreError if there is none: opening it for writing would make one
    with open_store(store, mode="write", dead_letter_bytes=config.dead_letters.max_bytes) as opened:
        yield opened


@contextmanager
def dead_letters(store: Path) -> Iterator[Iterator[DeadLetter]]:
    """Every dead letter there is, oldest first."""
    with open_store(store) as reader:
        yield reader.dead_letters.stream()


def remove_dead_letters(store: Path, numbers: Sequence[int]) -> None:
    """Remove letters that were replayed."""
    with open_store(store) as opened:
        opened.dead_letters.remove(numbers)


def _where(packet: ReceivedPacket) -> tuple[str, str]:
    return packet.position.source, str(packet.position)


def _retried(packets: Sequence[ReceivedPacket]) -> list[tuple[str, str]]:
    """For each packet that was a dead letter, the reasons under which the ledger may have counted it."""
    reasons = (packet.position.reason for packet in packets if isinstance(packet.position, LetterPosition))
    return [(reason, category(reason)) for reason in reasons]


def _letter(packet: ReceivedPacket, reason: str) -> DeadLetter:
    return DeadLetter(packet.data, *_where(packet), reason)


def _rejected(packet: ReceivedPacket, cut: CutResult) -> RejectedAlert:
    return RejectedAlert(
        cut["survey"], cut["alert_id"], cut["object_id"], cut["night"], cut["mjd"], cut["reason"], cut["value"],
        *_where(packet),
    )  # fmt: skip


def _to_ipc(batch: pa.RecordBatch) -> bytes:
    stream = pa.BufferOutputStream()
    with pa.ipc.new_stream(stream, batch.schema) as writer:
        writer.write_batch(batch)
    data: bytes = stream.getvalue().to_pybytes()
    return data


def _from_ipc(data: bytes) -> pa.RecordBatch:
    with pa.ipc.open_stream(data) as reader:
        return reader.read_next_batch()
