"""Task of a worker for a block: decode, enrich, encode for sinks, write the segment; the same on every engine."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, cast

import pyarrow as pa

from redpoll.history.stage import with_news
from redpoll.ingest.block import Block
from redpoll.ingest.decode import PacketDecoder
from redpoll.pipeline.block_result import (
    SINK_FAILURE,
    BlockResult,
    Count,
    CutResult,
    SegmentResult,
    WrittenSegment,
    block_result,
    category,
)
from redpoll.pipeline.enrich import Enrichment, EnrichResult
from redpoll.plugin.isolation import FailureLog, Guard, outcome
from redpoll.plugin.ports import Message, Sink, checked_message
from redpoll.quality.stage import CutAlert


class WritesSegments(Protocol):
    """The archive, as far as a worker needs it."""

    def write(self, alerts: pa.RecordBatch) -> WrittenSegment:
        """Write a segment, which does not count until it is committed."""
        ...


class BlockTask:
    """From a block of packets to its result.

    Parameters
    ----------
    decoder
        From packets to alert tables.
    enrich
        Quality to filters.
    segments
        Where alerts are archived.
    sinks
        What encodes messages of the alerts.
    """

    def __init__(
        self, decoder: PacketDecoder, enrich: Enrichment, segments: WritesSegments, sinks: Sequence[Sink] = ()
    ) -> None:
        self._decoder, self._enrich, self._segments, self._sinks = decoder, enrich, segments, sinks
        self._log = FailureLog(time.monotonic)

    def __call__(self, block: Block) -> BlockResult:
        """Process a block with the models of its generation; every packet is counted once."""
        tally = _Tally()
        tally.unusable_models = self._enrich.change_to(block.generation)
        tally.without_model = self._enrich.graph.without_model
        with tally.timed("decode"):
            decoded = self._decoder(block)
        tally.reject_packets(decoded.errors)
        for batch, index in decoded.batches:
            enriched = self._enrich(batch)
            tally.add(enriched, index.tolist())
            if enriched.batch.num_rows:
                with tally.timed("encode"):
                    for sink in self._sinks:
                        tally.messages.setdefault(sink.name, []).extend(self._encode(sink, enriched.batch, tally))
                with tally.timed("archive"):
                    written = self._segments.write(with_news(enriched.batch, enriched.history_news))
                tally.segments.append({**written, "packets": index[enriched.rows].tolist()})
        return tally.result()

    def _encode(self, sink: Sink, batch: pa.RecordBatch, tally: _Tally) -> list[Message]:
        """The messages for a batch; of a batch that a sink fails on, those of the alerts that it can encode."""
        messages, error = outcome(_messages, sink=sink, batch=batch)
        if error is None:
            return cast(list[Message], messages)
        guard = Guard(_Encoder(SINK_FAILURE + sink.name), batch.num_rows)
        alone = [
            guard.attempt_one(row, _messages, sink=sink, batch=batch.slice(row, 1)) or []
            for row in range(batch.num_rows)
        ]
        guard.error = guard.error or error
        tally.failures[guard.node.name] += 1
        self._log.report(guard)
        return [message for some in alone for message in some]


@dataclass(frozen=True)
class _Encoder:
    """A sink that encodes, as failures name it."""

    name: str
    version: str = ""


def _messages(sink: Sink, batch: pa.RecordBatch) -> list[Message]:
    return [checked_message(message) for message in sink.encode(batch)]


def _cut_result(packet: int, survey: str, night: int, reason: str, cut: CutAlert) -> CutResult:
    return {
        "packet": packet, "survey": survey, "alert_id": cut.alert_id, "object_id": cut.object_id, "night": night,
        "mjd": cut.mjd, "reason": reason, "value": cut.value,
    }  # fmt: skip


class _Tally:
    """Counts of a block as they come up."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.segments: list[SegmentResult] = []
        self.messages: dict[str, list[Message]] = {}
        self.failures: Counter[str] = Counter()
        self.unusable_models: dict[str, str] = {}
        self.without_model: dict[str, str] = {}
        self._dead: dict[int, str] = {}
        self._counts: list[Count] = []
        self._cut: list[CutResult] = []
        self._unknown_words: Counter[str] = Counter()

    def reject_packets(self, errors: dict[int, str]) -> None:
        """Count packets that could not be decoded."""
        self._dead.update(errors)
        self._counts += [(None, None, "rejected", category(reason)) for reason in errors.values()]

    def add(self, enriched: EnrichResult, index: list[int]) -> None:
        """Count the alerts of a decoded batch, whose packets are `index`."""
        for row, left in enriched.left_out.items():
            self._counts.append((left.survey, left.night, left.outcome, left.reason))
            if left.cut is not None and left.night is not None:
                self._cut.append(_cut_result(index[row], left.survey, left.night, left.reason, left.cut))
            if left.is_dead_letter:
                self._dead[index[row]] = left.reason
        batch = enriched.batch
        if batch.num_rows:
            survey = batch["survey"][0].as_py()
            self._counts += [(survey, night, "stored", "") for night in batch["night"].to_pylist()]
        self.failures.update(enriched.failures.keys())
        self._unknown_words.update(enriched.unknown_words)
        for stage, seconds in enriched.seconds.items():
            self.seconds[stage] += seconds

    def result(self) -> BlockResult:
        """All of it as plain data."""
        return block_result(
            segments=self.segments, messages=self.messages, dead_letters=self._dead, counts=self._counts,
            cut=self._cut, failures=self.failures, unknown_words=self._unknown_words, seconds=self.seconds,
            unusable_models=self.unusable_models, without_model=self.without_model,
        )  # fmt: skip

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the CPU time of the body to a stage."""
        start = time.process_time()
        yield
        self.seconds[stage] += time.process_time() - start
