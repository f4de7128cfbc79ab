"""What every catalogue, module and filter costs, and how often it answers: nothing is stored."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from redpoll.config import Config
from redpoll.crossmatch.stage import Stage
from redpoll.errors import SourceError
from redpoll.ingest.block import Block
from redpoll.pipeline.assemble import build_graph, packet_decoder
from redpoll.pipeline.blocks import blocks
from redpoll.pipeline.contexts import open_stage
from redpoll.plugin.graph import Graph
from redpoll.plugin.ports import Source
from redpoll.quality.flags import fill_flags
from redpoll.quality.usable import usable
from redpoll.schema.column import Column

Clock = Callable[[], float]
OVERHEAD = "overhead"
"""The row for what the steps themselves take: columns joined, checked and put together."""


class Result(Protocol):
    """What a step makes of a batch."""

    @property
    def batch(self) -> pa.RecordBatch:
        """The batch with its columns."""
        ...

    @property
    def seconds(self) -> Mapping[str, float]:
        """The time of each of its parts."""
        ...

    @property
    def failures(self) -> Mapping[str, str]:
        """Which parts failed, and why."""
        ...


class Step(Protocol):
    """The cross-match stage, or the graph of modules and filters."""

    def run(self, batch: pa.RecordBatch) -> Result:
        """Add columns to a batch."""
        ...


@dataclass(frozen=True)
class Part:
    """One catalogue (or other thing of the sky), module or filter, and the columns it makes."""

    name: str
    kind: str
    outputs: Mapping[str, Column]


@dataclass(frozen=True)
class Steps:
    """What a batch goes through, its parts, and which catalogues and modules are silent, and why."""

    steps: tuple[Step, ...]
    parts: tuple[Part, ...]
    silent: Mapping[str, str]


@dataclass(frozen=True)
class Cost:
    """What one part took for all alerts [s], and the share of alerts that it answered."""

    name: str
    kind: str
    seconds: float
    answered: float | None


@dataclass(frozen=True)
class Timing:
    """The costs, dearest first; ``seconds`` is the time of everything together."""

    n_alerts: int
    seconds: float
    costs: tuple[Cost, ...]
    failures: Mapping[str, str]

    @property
    def alerts_per_second(self) -> float:
        """How many alerts a second of CPU goes through all of it."""
        return self.n_alerts / self.seconds

    def rows(self) -> list[dict[str, Any]]:
        """The table: us an alert, share of the total, share of alerts answered."""
        return [
            {"name": c.name, "kind": c.kind, "us_per_alert": 1e6 * c.seconds / self.n_alerts,
             "share": c.seconds / self.seconds, "answered": c.answered}
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
    left, batches = limit, []
    for block in blocks(sources, broken.append):
        taken = block[:left]
        left -= len(taken)
        batches += [
            fill_flags(usable(batch)) for batch, _ in decoder(Block.of([packet.data for packet in taken])).batches
        ]
        if not left:
            break
    batches = [batch for batch in batches if batch.num_rows]
    if not batches:
        raise broken[0] if broken else SourceError("no usable alert in these packets; `redpoll try` says more")
    return batches


def open_steps(config: Config, clock: Clock = time.process_time) -> Steps:
    """Everything between quality and the archive, as `config` has it, timed by `clock`."""
    stage, graph = open_stage(config), build_graph(config)
    steps = (
        Stage(stage.contexts, stage.missing, clock),
        Graph(graph.nodes, graph.settings, graph.models, clock, graph.min_probability),
    )
    parts = [Part(context.name, "cross-match", context.columns) for context in stage.contexts]
    parts += [Part(node.name, "module" if node.is_module else "filter", node.outputs) for node in graph.nodes]
    silent = {missing.name: missing.why for missing in stage.missing}
    silent |= {name: f"no model '{model}'" for name, model in graph.without_model.items()}
    return Steps(steps, tuple(parts), silent)


def measure(
    chain: Steps,
    batches: Sequence[pa.RecordBatch],
    *,
    rounds: int = 3,
    clock: Clock = time.process_time,
    progress: Callable[[int, int, str], None] = lambda done, total, note: None,
) -> Timing:
    """Time all parts on all batches; each part's cost is the least of the rounds.

    One round before them warms up: numba compiles, files are mapped. It is not counted.
    """
    progress(0, rounds + 1, "warming up")
    answers, failures = _warm_up(chain, batches)
    best: dict[str, float] = {}
    for number in range(1, rounds + 1):
        progress(number, rounds + 1, f"round {number} of {rounds}")
        seconds = _one_round(chain, batches, clock)
        best = {name: min(s, best.get(name, s)) for name, s in seconds.items()}
    n_alerts = sum(batch.num_rows for batch in batches)
    costs = [Cost(p.name, p.kind, best.get(p.name, 0.0), answers[p.name] / n_alerts) for p in chain.parts]
    costs.append(Cost(OVERHEAD, "", max(0.0, best[OVERHEAD]), None))
    costs.sort(key=lambda cost: -cost.seconds)
    return Timing(n_alerts, sum(cost.seconds for cost in costs), tuple(costs), failures)


def _warm_up(chain: Steps, batches: Sequence[pa.RecordBatch]) -> tuple[Counter[str], dict[str, str]]:
    """How many alerts each part answers, and what fails."""
    answers: Counter[str] = Counter()
    failures: dict[str, str] = {}
    for batch in batches:
        for step in chain.steps:
            result = step.run(batch)
            batch = result.batch
            failures |= result.failures
        answers.update({part.name: int(answered(part.outputs, batch).sum()) for part in chain.parts})
    return answers, failures


def _one_round(chain: Steps, batches: Sequence[pa.RecordBatch], clock: Clock) -> dict[str, float]:
    """Seconds of each part over all batches, and of what is between them."""
    seconds: dict[str, float] = {}
    start = clock()
    for batch in batches:
        for step in chain.steps:
            result = step.run(batch)
            batch = result.batch
            for name, taken in result.seconds.items():
                seconds[name] = seconds.get(name, 0.0) + taken
    return seconds | {OVERHEAD: clock() - start - sum(seconds.values())}


def answered(outputs: Mapping[str, Column], batch: pa.RecordBatch) -> NDArray[np.bool_]:
    """Which alerts have an answer, of shape (n,).

    A part that makes numbers or texts has answered where one of them is known; its counts and flags, which are always
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
