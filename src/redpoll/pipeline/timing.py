"""Cost of each catalogue, module and filter, and the fraction of alerts that it answers; nothing is stored."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from redpoll.config import Config
from redpoll.errors import SourceError
from redpoll.ingest.block import Block
from redpoll.pipeline.assemble import packet_decoder
from redpoll.pipeline.enrich import Clock, Enrichment
from redpoll.pipeline.intake import first_blocks
from redpoll.plugin.ports import Source
from redpoll.quality.flags import fill_flags
from redpoll.quality.usable import usable
from redpoll.schema.column import Column

OVERHEAD = "overhead"
"""The row for what the stages themselves take: columns joined, checked and put together."""
STAGES = ("quality", "history")
"""Stages that are timed as a whole."""


@dataclass(frozen=True)
class Cost:
    """What one stage, catalogue, module or filter took for all alerts [s], and the fraction of alerts it answered."""

    name: str
    kind: str
    seconds: float
    answered: float | None


@dataclass(frozen=True)
class Timing:
    """The costs, most expensive first; ``seconds`` is the time of everything together."""

    n_alerts: int
    seconds: float
    costs: tuple[Cost, ...]
    failures: Mapping[str, str]

    @property
    def alerts_per_second(self) -> float:
        """How many alerts a second of CPU goes through all of it."""
        return self.n_alerts / self.seconds

    def rows(self) -> list[dict[str, Any]]:
        """The table: us an alert, fraction of the total, fraction of alerts answered."""
        return [
            {"name": c.name, "kind": c.kind, "us_per_alert": 1e6 * c.seconds / self.n_alerts,
             "fraction": c.seconds / self.seconds, "answered": c.answered}
            for c in self.costs
        ]  # fmt: skip


def sample_batches(sources: Sequence[Source], config: Config, *, limit: int) -> list[pa.RecordBatch]:
    """Alert tables of at most `limit` packets, usable alerts only, flags filled; no cuts, so that rare ones stay.

    Raises
    ------
    SourceError
        If there is no usable alert in the packets.
    """
    decoder = packet_decoder(config)
    broken: list[SourceError] = []
    batches = [
        fill_flags(usable(batch))
        for packets in first_blocks(sources, broken.append, limit)
        for batch, _ in decoder(Block.of([packet.data for packet in packets])).batches
    ]
    batches = [batch for batch in batches if batch.num_rows]
    if not batches:
        raise broken[0] if broken else SourceError("no usable alert in these packets; `redpoll try` lists the reasons")
    return batches


def measure(
    enrich: Enrichment,
    batches: Sequence[pa.RecordBatch],
    *,
    rounds: int = 3,
    clock: Clock = time.process_time,
    progress: Callable[[int, int, str], None] = lambda done, total, note: None,
) -> Timing:
    """Time every stage, catalogue, module and filter on all batches; each cost is the minimum of the rounds.

    One round before them warms up: numba compiles, files are mapped. It is not counted.
    """
    progress(0, rounds + 1, "warming up")
    answers, failures = _warm_up(enrich, batches)
    best: dict[str, float] = {}
    for number in range(1, rounds + 1):
        progress(number, rounds + 1, f"round {number} of {rounds}")
        seconds = _one_round(enrich, batches, clock)
        best = {name: min(s, best.get(name, s)) for name, s in seconds.items()}
    n_alerts = sum(batch.num_rows for batch in batches)
    costs = [Cost(n.name, n.kind, best.get(n.name, 0.0), answers[n.name] / n_alerts) for n in enrich.nodes]
    costs += [Cost(name, "stage", best[name], None) for name in STAGES]
    costs.append(Cost(OVERHEAD, "", max(0.0, best[OVERHEAD]), None))
    costs.sort(key=lambda cost: -cost.seconds)
    return Timing(n_alerts, sum(cost.seconds for cost in costs), tuple(costs), failures)


def _warm_up(enrich: Enrichment, batches: Sequence[pa.RecordBatch]) -> tuple[Counter[str], dict[str, str]]:
    """Number of alerts that each node answers, and its failures."""
    answers: Counter[str] = Counter()
    failures: dict[str, str] = {}
    for batch in batches:
        result = enrich(batch)
        failures |= result.failures
        answers.update({node.name: int(answered(node.outputs, result.batch).sum()) for node in enrich.nodes})
    return answers, failures


def _one_round(enrich: Enrichment, batches: Sequence[pa.RecordBatch], clock: Clock) -> dict[str, float]:
    """Seconds of each stage and node over all batches, and of what is between them."""
    seconds: Counter[str] = Counter(dict.fromkeys(STAGES, 0))
    start = clock()
    for batch in batches:
        result = enrich(batch)
        seconds.update(result.node_seconds)
        seconds.update({name: result.seconds[name] for name in STAGES})
    total = sum(seconds.values())
    return {**seconds, OVERHEAD: clock() - start - total}


def answered(outputs: Mapping[str, Column], batch: pa.RecordBatch) -> NDArray[np.bool_]:
    """Which alerts have an answer, of shape (n,).

    A node that makes numbers or texts has answered where one of them is known; its counts and flags, which are always
    known, do not count. One that makes counts alone: where one is known. One of flags alone, such as a filter: where
    one is true.

    Examples
    --------
    >>> batch = pa.record_batch({"slope": pa.array([0.5, None]), "slope_points": pa.array([2, 0])})
    >>> answered({"slope": Column("float64"), "slope_points": Column("int64")}, batch).tolist()
    [True, False]
    """
    by_rank: dict[int, list[pa.Array]] = {}
    for name, column in outputs.items():
        by_rank.setdefault(_rank(column.arrow_type), []).append(batch[name])
    arrays = by_rank[min(by_rank)]
    found = [pc.fill_null(a, False) if pa.types.is_boolean(a.type) else pc.is_valid(a) for a in arrays]
    return np.asarray(np.any([one.to_numpy(zero_copy_only=False) for one in found], axis=0), bool)


def _rank(kind: pa.DataType) -> int:
    return 2 if pa.types.is_boolean(kind) else 1 if pa.types.is_integer(kind) else 0
