"""What happens to a block: decode, quality, cross-match, science, filters, archive; the same on every engine."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.config import Cuts
from redpoll.crossmatch.stage import Stage
from redpoll.ingest.block import Block
from redpoll.ingest.decode import PacketDecoder
from redpoll.plugin.graph import Graph
from redpoll.quality.cuts import cut_failures
from redpoll.quality.duplicates import Known, duplicates
from redpoll.quality.flags import fill_flags
from redpoll.quality.usable import unusable
from redpoll.schema.rows import take_rows
from redpoll.store import Archive, LedgerEntry, indexed_columns
from redpoll.store.ports import Outcome as Settled

_NUMBERS = re.compile(r"\d+")
Key = tuple[str | None, int | None, Settled, str]


@dataclass
class Outcome:
    """What became of a block: parts in the archive, dead letters by packet index, and a count for every packet."""

    parts: list[tuple[pa.RecordBatch, Path]] = field(default_factory=list)
    dead: dict[int, str] = field(default_factory=dict)
    counts: Counter[Key] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    unknown_words: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=dict)

    def ledger(self) -> list[LedgerEntry]:
        """The counts as entries of the ledger."""
        return [LedgerEntry(s, night, outcome, reason, n) for (s, night, outcome, reason), n in self.counts.items()]


class Chain:
    """The way of a block of packets to the archive.

    Parameters
    ----------
    decoder
        Packets to alert tables.
    cuts
        Quality cuts by survey.
    stage
        Catalogues and whatever else knows places on the sky.
    graph
        Science modules and filters.
    known
        Tells which alerts are stored already.
    archive
        Where parts are written.
    """

    def __init__(
        self, decoder: PacketDecoder, cuts: Mapping[str, Cuts], stage: Stage, graph: Graph, known: Known,
        archive: Archive,
    ) -> None:  # fmt: skip
        self._decoder, self._cuts, self._stage, self._graph = decoder, cuts, stage, graph
        self._known, self._archive = known, archive

    def __call__(self, block: Block) -> Outcome:
        """Process a block; every packet is counted in the outcome, once."""
        outcome = Outcome()
        with _timed(outcome, "decode"):
            decoded = self._decoder(block)
        outcome.dead.update(decoded.errors)
        outcome.counts.update((None, None, "rejected", category(reason)) for reason in decoded.errors.values())
        for batch, index in decoded.batches:
            self._process(batch, index, outcome)
        return outcome

    def _process(self, batch: pa.RecordBatch, index: NDArray[np.int64], outcome: Outcome) -> None:
        with _timed(outcome, "quality"):
            bad = unusable(batch)
            outcome.dead.update({int(index[row]): reason for row, reason in bad.items()})
            batch = _settle(batch, bad, "rejected", outcome)
            batch = fill_flags(batch)
            batch = _settle(batch, duplicates(batch, self._known), "duplicate", outcome)
            if batch.num_rows:
                cuts = self._cuts.get(batch["survey"][0].as_py(), Cuts())
                batch = _settle(batch, cut_failures(batch, cuts), "rejected", outcome)
        if batch.num_rows:
            self._enrich(batch, outcome)

    def _enrich(self, batch: pa.RecordBatch, outcome: Outcome) -> None:
        with _timed(outcome, "crossmatch"):
            matched = self._stage.run(batch)
        outcome.failures.update(matched.failures.keys())
        with _timed(outcome, "science"):
            result = self._graph.run(matched.batch)
        outcome.failures.update(result.failures.keys())
        outcome.unknown_words.update(result.unknown_words)
        with _timed(outcome, "archive"):
            part = self._archive.write_segment(result.batch)
        outcome.parts.append((indexed_columns(result.batch), part))
        survey = batch["survey"][0].as_py()
        outcome.counts.update((survey, night, "stored", "") for night in batch["night"].to_pylist())


def category(reason: str) -> str:
    """A dead letter's reason without its particulars, so that the ledger can count it.

    >>> category("truncated (byte 118 of the datum)")
    'unreadable: truncated'
    """
    head = re.split(r" \(byte|: | in ", reason)[0]
    return "unreadable: " + _NUMBERS.sub("N", head)[:80] if head != reason else _NUMBERS.sub("N", reason)[:80]


def _settle(batch: pa.RecordBatch, reasons: dict[int, str], outcome: Settled, counted: Outcome) -> pa.RecordBatch:
    """The batch without the rows that have a reason; those are counted with their outcome."""
    if not reasons:
        return batch
    survey, nights = batch["survey"], batch["night"]
    counted.counts.update(
        (survey[row].as_py(), nights[row].as_py(), outcome, reason) for row, reason in reasons.items()
    )
    keep = np.ones(batch.num_rows, bool)
    keep[list(reasons)] = False
    return take_rows(batch, np.flatnonzero(keep))


@contextmanager
def _timed(outcome: Outcome, stage: str) -> Iterator[None]:
    start = time.process_time()
    yield
    outcome.seconds[stage] = outcome.seconds.get(stage, 0.0) + time.process_time() - start
