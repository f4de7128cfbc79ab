"""A user's file tried on packets, without a store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from redpoll.config import Config
from redpoll.crossmatch.stage import Stage
from redpoll.errors import SourceError
from redpoll.ingest.block import Block
from redpoll.pipeline.assemble import build_graph, packet_decoder
from redpoll.pipeline.blocks import blocks
from redpoll.pipeline.contexts import open_stage
from redpoll.plugin.files import load_file
from redpoll.plugin.graph import Graph
from redpoll.plugin.ports import Source
from redpoll.quality.flags import fill_flags
from redpoll.quality.usable import usable

_SHOWN = ("object_id", "alert_id", "band", "mag")


@dataclass
class Trial:
    """Answers of a user's modules and filters: one row an alert; ``seconds`` is their time alone."""

    columns: list[str]
    rows: list[dict[str, Any]] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    n_packets: int = 0
    seconds: float = 0.0

    def summary(self) -> list[dict[str, Any]]:
        """For each column made: how many alerts got an answer, and its range."""
        return [_summary(name, [row[name] for row in self.rows]) for name in self.columns]


def try_file(file: Path, sources: Sequence[Source], config: Config, *, limit: int = 1000) -> Trial:
    """Run what `file` defines on up to `limit` packets, in the graph that a run would build with it.

    Raises
    ------
    PluginError, UnknownColumn
        If the file cannot be loaded or its modules do not fit.
    SourceError
        If no packet could be read.
    """
    loaded = load_file(file)
    own = [*loaded.modules, *loaded.filters]
    stage, graph = open_stage(config), build_graph(config, loaded)
    trial = Trial([name for node in own for name in node.outputs])
    decoder = packet_decoder(config)
    broken: list[SourceError] = []
    for block in islice(blocks(sources, broken.append, batch_size=limit), 1):
        trial.n_packets = len(block)
        for batch, _ in decoder(Block.of([packet.data for packet in block])).batches:
            _try_batch(batch, stage, graph, {node.name for node in own}, trial)
    if broken and not trial.n_packets:
        raise broken[0]
    return trial


def _try_batch(batch: pa.RecordBatch, stage: Stage, graph: Graph, own: set[str], trial: Trial) -> None:
    result = graph.run(stage.run(fill_flags(usable(batch))).batch)
    trial.rows += result.batch.select([*_SHOWN, *trial.columns]).to_pylist()
    trial.failures.update({name: why for name, why in result.failures.items() if name in own})
    trial.seconds += sum(seconds for name, seconds in result.seconds.items() if name in own)


def _summary(name: str, values: list[Any]) -> dict[str, Any]:
    known = [v for v in values if v is not None]
    row = {"column": name, "answered": f"{len(known)} of {len(values)}"}
    if known and isinstance(known[0], bool):
        return row | {"most": f"{sum(known)} true"}
    if known and isinstance(known[0], int | float):
        return row | {"least": min(known), "median": float(np.median(known)), "most": max(known)}
    return row | ({"least": min(known), "most": max(known)} if known and isinstance(known[0], str) else {})
