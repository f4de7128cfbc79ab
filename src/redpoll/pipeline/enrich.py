"""Everything between a decoded packet and its answers: quality, history, cross-match, science, filters, in this order.

`run`, `try`, `modules --timing`, the compilation ahead and every engine call the same `Enrichment`;
`redpoll.pipeline.assemble.open_enrichment` is the one function that assembles it.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.answer_cache import AnswerCache, using
from redpoll.crossmatch.stage import Stage
from redpoll.history.stage import split_news
from redpoll.pipeline.models import Champions
from redpoll.plugin.graph import Graph
from redpoll.quality.stage import LeftOut, QualityResult
from redpoll.schema.column import Column

Clock = Callable[[], float]


@dataclass(frozen=True)
class EnrichResult:
    """Alerts with every column, and the failures and counts of the stages.

    ``rows`` are the rows of the given batch that the alerts were, ``left_out`` the rows that quality left out.
    ``failures`` names catalogues, modules and filters that failed, with the reason. ``seconds`` has the time of each
    stage, ``node_seconds`` that of each catalogue, module and filter. ``unknown_words`` counts words of catalogues that
    are no class of the taxonomy. ``history_news`` is what each packet adds to the stored history of its object.
    ``lost`` has, for each module and filter that failed, the alerts without its result; a catalogue that fails has
    none for the whole batch.
    """

    batch: pa.RecordBatch
    rows: NDArray[np.int64]
    left_out: dict[int, LeftOut]
    failures: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    node_seconds: dict[str, float] = field(default_factory=dict)
    unknown_words: Counter[str] = field(default_factory=Counter)
    history_news: pa.Array | None = None
    lost: dict[str, NDArray[np.bool_]] = field(default_factory=dict)


@dataclass(frozen=True)
class EnrichmentNode:
    """One catalogue (or other source of cross-matches), module or filter, with the columns it reads and makes."""

    name: str
    kind: str
    version: str
    reads: tuple[str, ...]
    outputs: Mapping[str, Column]


class ChecksAlerts(Protocol):
    """The first stage: which alerts go on."""

    def run(self, batch: pa.RecordBatch) -> QualityResult:
        """Check a batch of one survey."""
        ...


class JoinsHistory(Protocol):
    """The second stage: the light curves that modules read."""

    def join(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch of one survey with joined light curves."""
        ...


class Enrichment:
    """One pure function of a batch, the histories, the open catalogues and the models.

    Parameters
    ----------
    quality, history, crossmatch, graph
        The stages; `graph` holds the science modules and, after them, the filters.
    clock
        Seconds, for the times of the stages.
    champions
        The models of a store; `change_to` selects the generation that the graph uses.
    answers
        Cache of searches and fits, which only saves time.
    """

    def __init__(
        self,
        quality: ChecksAlerts,
        history: JoinsHistory,
        crossmatch: Stage,
        graph: Graph,
        clock: Clock = time.process_time,
        champions: Champions | None = None,
        answers: AnswerCache | None = None,
    ) -> None:
        self.quality, self.history, self.crossmatch, self.graph = quality, history, crossmatch, graph
        self._clock, self._champions, self._answers = clock, champions, answers

    def __call__(self, batch: pa.RecordBatch) -> EnrichResult:
        """Enrich decoded alerts of one survey."""
        seconds: dict[str, float] = {}
        with self._timed("quality", seconds):
            checked = self.quality.run(batch)
        with self._timed("history", seconds):
            joined, news = split_news(self.history.join(checked.batch))
        with self._timed("crossmatch", seconds):
            matched = self.crossmatch.run(joined)
        with self._timed("science", seconds), using(self._answers):
            answered = self.graph.run(matched.batch)
        seconds["filters"] = sum(
            answered.seconds.get(node.name, 0.0) for node in self.graph.nodes if not node.is_module
        )
        seconds["science"] -= seconds["filters"]  # one graph runs both: modules first
        return EnrichResult(
            answered.batch, checked.rows, checked.left_out, matched.failures | answered.failures,
            seconds, matched.seconds | answered.seconds, answered.unknown_words, news, answered.lost,
        )  # fmt: skip

    def change_to(self, generation: int | None = None) -> dict[str, str]:
        """Use the models of a generation of the registry, by default the newest.

        Returns `unusable_models`.
        """
        if self._champions is not None and self._champions.change_to(generation):
            self.graph = self.graph.with_models(self._champions.models)
        return self.unusable_models

    @property
    def unusable_models(self) -> dict[str, str]:
        """The champions that cannot be used, by ``model@version``, and why."""
        return {} if self._champions is None else self._champions.unusable

    @property
    def nodes(self) -> tuple[EnrichmentNode, ...]:
        """Catalogues, modules and filters, in the order in which they run."""
        found = [
            EnrichmentNode(context.name, "cross-match", context.version, context.reads, context.columns)
            for context in self.crossmatch.contexts
        ]
        for node in self.graph.nodes:
            kind = "module" if node.is_module else "filter"
            found.append(EnrichmentNode(node.name, kind, node.version, node.reads, node.outputs))
        return tuple(found)

    @property
    def silent(self) -> dict[str, str]:
        """Catalogues and modules whose columns are null, and why."""
        found = {missing.name: missing.why for missing in self.crossmatch.missing}
        unusable = {name.split("@")[0]: f"model {name}: {why}" for name, why in self.unusable_models.items()}
        return found | {
            name: unusable.get(model, f"no model '{model}'") for name, model in self.graph.without_model.items()
        }

    @contextmanager
    def _timed(self, stage: str, seconds: dict[str, float]) -> Iterator[None]:
        start = self._clock()
        yield
        seconds[stage] = self._clock() - start
