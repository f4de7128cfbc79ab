"""A user's file or expression tried on packets; nothing is stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from redpoll.config import Config
from redpoll.errors import SourceError
from redpoll.ingest.block import Block
from redpoll.pipeline.assemble import open_enrichment, packet_decoder, store_graph
from redpoll.pipeline.enrich import EnrichResult
from redpoll.pipeline.intake import first_blocks
from redpoll.plugin.expression_filter import expression_filter
from redpoll.plugin.files import NOTHING, Loaded, load_file
from redpoll.plugin.ports import Source
from redpoll.schema.names import PASS

EXPRESSION = "expr"
"""The topic of the expression that is tried."""
_SHOWN = ("object_id", "alert_id", "band", "mag")


@dataclass
class Trial:
    """Answers of a user's modules and filters, one row an alert; ``seconds`` is their time alone.

    ``n_alerts`` counts the alerts tried, ``source_errors`` what could not be read.
    """

    columns: list[str]
    rows: list[dict[str, Any]] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    source_errors: list[str] = field(default_factory=list)
    n_packets: int = 0
    n_alerts: int = 0
    seconds: float = 0.0

    def summary(self) -> list[dict[str, Any]]:
        """For each column made: how many of the rows have a value, and its range."""
        return [_summary(name, [row[name] for row in self.rows]) for name in self.columns]


def try_out(
    sources: Sequence[Source],
    config: Config,
    *,
    file: Path | None = None,
    expression: str | None = None,
    passing: bool = False,
    store: Path | None = None,
    limit: int = 1000,
) -> Trial:
    """Run a file's modules and filters, an expression, or both on up to `limit` packets, as a run would.

    Parameters
    ----------
    sources
        Where the packets come from.
    config
        As for a run; its cuts are not applied.
    file
        A Python file with science modules and filters.
    expression
        A filter in one line, with the topic ``expr``.
    passing
        Keep only alerts that pass one of the filters tried.
    store
        A store whose histories are joined to the light curves, and whose models are used.
    limit
        Maximum number of packets to read.

    Raises
    ------
    PluginError, UnknownColumn, ExpressionError
        If the file cannot be loaded, or its modules or the expression do not fit.
    SourceError
        If no packet could be read.
    """
    own = _own(file, expression)
    nodes = [*own.modules, *own.filters]
    enrich = open_enrichment(config, graph=store_graph(config, store, own), store=store)
    trial = Trial([name for node in nodes for name in node.outputs])
    trial.failures = {f"model {model}": why for model, why in enrich.unusable_models.items()}
    decoder = packet_decoder(config)
    broken: list[SourceError] = []
    for packets in first_blocks(sources, broken.append, limit):
        trial.n_packets += len(packets)
        for batch, _ in decoder(Block.of([packet.data for packet in packets])).batches:
            _add(enrich(batch), {node.name for node in nodes}, trial, passing=passing)
    if broken and not trial.n_packets:
        raise broken[0]
    trial.source_errors = [str(error) for error in broken]
    return trial


def _own(file: Path | None, expression: str | None) -> Loaded:
    loaded = load_file(file) if file else NOTHING
    filters = [expression_filter(EXPRESSION, expression)] if expression is not None else []
    return Loaded(loaded.modules, [*loaded.filters, *filters])


def _add(result: EnrichResult, own: set[str], trial: Trial, *, passing: bool) -> None:
    batch = result.batch.select([*_SHOWN, *trial.columns])
    trial.n_alerts += batch.num_rows
    rows = batch.to_pylist()
    topics = [name for name in trial.columns if name.startswith(PASS)]
    trial.rows += [row for row in rows if any(row[name] for name in topics)] if passing else rows
    trial.failures.update({name: why for name, why in result.failures.items() if name in own})
    trial.seconds += sum(seconds for name, seconds in result.node_seconds.items() if name in own)


def _summary(name: str, values: list[Any]) -> dict[str, Any]:
    known = [v for v in values if v is not None]
    row = {"column": name, "non_null": f"{len(known)} of {len(values)}"}
    if known and isinstance(known[0], bool):
        return row | {"max": f"{sum(known)} true"}
    if known and isinstance(known[0], int | float):
        return row | {"min": min(known), "median": float(np.median(known)), "max": max(known)}
    return row | ({"min": min(known), "max": max(known)} if known and isinstance(known[0], str) else {})
