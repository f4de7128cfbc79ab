"""What a worker does with a block: decode, enrich, write the segment; the same on every engine."""

from __future__ import annotations

import time
from collections import Counter, defaultdict

from redpoll.ingest.block import Block
from redpoll.ingest.decode import PacketDecoder
from redpoll.pipeline.block_result import BlockResult, Count, SegmentResult, block_result, category
from redpoll.pipeline.enrich import Enrichment, EnrichResult
from redpoll.pipeline.store_access import SegmentWriter


class BlockTask:
    """From a block of packets to its result."""

    def __init__(self, decoder: PacketDecoder, enrich: Enrichment, segments: SegmentWriter) -> None:
        self._decoder, self._enrich, self._segments = decoder, enrich, segments

    def __call__(self, block: Block) -> BlockResult:
        """Process a block; every packet is counted once."""
        tally = _Tally()
        start = time.process_time()
        decoded = self._decoder(block)
        tally.seconds["decode"] += time.process_time() - start
        tally.reject_packets(decoded.errors)
        segments: list[SegmentResult] = []
        for batch, index in decoded.batches:
            enriched = self._enrich(batch)
            tally.add(enriched, index.tolist())
            if enriched.batch.num_rows:
                start = time.process_time()
                segments.append(self._segments.write(enriched.batch))
                tally.seconds["archive"] += time.process_time() - start
        return tally.result(segments)


class _Tally:
    """Counts of a block as they come up."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._dead: dict[int, str] = {}
        self._counts: list[Count] = []
        self._failures: Counter[str] = Counter()
        self._unknown_words: Counter[str] = Counter()

    def reject_packets(self, errors: dict[int, str]) -> None:
        """Count packets that could not be decoded."""
        self._dead.update(errors)
        self._counts += [(None, None, "rejected", category(reason)) for reason in errors.values()]

    def add(self, enriched: EnrichResult, index: list[int]) -> None:
        """Count the alerts of a decoded batch, whose packets are `index`."""
        for row, left in enriched.left_out.items():
            self._counts.append((left.survey, left.night, left.outcome, left.reason))
            if left.is_dead_letter:
                self._dead[index[row]] = left.reason
        batch = enriched.batch
        if batch.num_rows:
            survey = batch["survey"][0].as_py()
            self._counts += [(survey, night, "stored", "") for night in batch["night"].to_pylist()]
        self._failures.update(enriched.failures.keys())
        self._unknown_words.update(enriched.unknown_words)
        for stage, seconds in enriched.seconds.items():
            self.seconds[stage] += seconds

    def result(self, segments: list[SegmentResult]) -> BlockResult:
        """All of it as plain data."""
        return block_result(
            segments=segments, dead_letters=self._dead, counts=self._counts, failures=self._failures,
            unknown_words=self._unknown_words, seconds=self.seconds,
        )  # fmt: skip
