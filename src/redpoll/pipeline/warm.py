"""Compiling kernels before the first night: a process for each compile group of modules, and one for histories.

Compiled code is kept on disk, so this matters once after an installation: then it takes half a minute of one core, and
as long on two if both compile the same. A module declares its group with ``compile_group`` of `science_module`.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from redpoll.answer_cache import content_keys
from redpoll.astro.time import NIGHT_OFFSET, night_of
from redpoll.config import Config
from redpoll.crossmatch.context import Missing
from redpoll.crossmatch.known_columns import known_columns
from redpoll.crossmatch.stage import Stage
from redpoll.history.stage import open_history
from redpoll.ingest.block import Block
from redpoll.pipeline.assemble import build_graph, open_enrichment, packet_decoder
from redpoll.pipeline.enrich import EnrichResult
from redpoll.plugin.columns import Columns
from redpoll.plugin.graph import Graph
from redpoll.plugin.node import Attempt, Node, unguarded
from redpoll.plugin.polling import all_packets
from redpoll.schema.column import Column
from redpoll.schema.light_curve import LightCurves
from redpoll.simulate.source import simulated_source

_PACKETS = "simulate://ztf?alerts=60&seed=1"


@contextmanager
def compiling_ahead(config: Config) -> Iterator[None]:
    """Compile kernels in other processes while the body runs; wait for them at its end, terminate them on an error."""
    context = multiprocessing.get_context("spawn")
    turn = context.Lock()
    groups = compile_groups(build_graph(config))
    processes = [context.Process(target=compile_group, args=(config, group, turn), daemon=True) for group in groups]
    processes.append(context.Process(target=compile_history, daemon=True))
    for process in processes:
        process.start()
    try:
        yield
        for process in processes:
            process.join()
    finally:
        for process in processes:
            process.terminate()


def compile_groups(graph: Graph) -> dict[str, frozenset[str]]:
    """Modules that are expensive to compile, by the group that they declare."""
    groups: dict[str, set[str]] = {}
    for node in graph.nodes:
        if node.compile_group:
            groups.setdefault(node.compile_group, set()).add(node.name)
    return {group: frozenset(names) for group, names in sorted(groups.items())}


def compile_group(config: Config, group: str, turn: AbstractContextManager[object]) -> EnrichResult:
    """Enrich a few simulated alerts with the modules of a group and those of no group; the other groups are null.

    All need the decoder: processes take turns in making the alerts, so that the first compiles it for the others.
    """
    graph = build_graph(config)
    left_out = frozenset[str]().union(*compile_groups(graph).values()) - compile_groups(graph)[group]
    nodes = tuple(NullNode(node) if node.name in left_out else node for node in graph.nodes)
    graph = Graph(nodes, graph.settings, graph.models, min_probability=graph.min_probability)
    enrich = open_enrichment(config, graph=graph, crossmatch=Stage((), [Missing("catalogues", known_columns())]))
    with turn:
        alerts = _some_alerts()
    return enrich(alerts)


def compile_history() -> pa.RecordBatch:
    """Compile the history kernels by joining the light curves of two alerts of one object, and the hash of answers."""
    mjd, some = np.array([60000.2, 60000.3, 60001.2, 60001.3]), np.ones(4, np.float32)
    curves = LightCurves(np.array([0, 2, 4]), mjd, np.ones(4, np.int8), some, some, np.zeros(4, np.int8))
    own = mjd[[1, 3]]
    alerts = {
        "survey": pa.array(["ztf"] * 2), "object_id": pa.array(["compiled"] * 2), "mjd": pa.array(own),
        "night": pa.array(night_of(own, NIGHT_OFFSET["ztf"])), "light_curve": curves.to_arrow(),
    }  # fmt: skip
    content_keys("", curves.offsets, [mjd])
    return open_history(None).join(pa.record_batch(alerts))


@dataclass(frozen=True)
class NullNode:
    """Stands in a graph for a module or filter and answers nothing."""

    node: Node
    model: None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.node, name)

    def compute(
        self, columns: Columns, settings: Mapping[str, Any], model: Any = None, attempt: Attempt = unguarded
    ) -> dict[str, pa.Array]:
        """False or null for every alert."""
        return {name: _blank(column, columns.n) for name, column in self.node.outputs.items()}


def _blank(column: Column, n: int) -> pa.Array:
    return pa.repeat(False, n) if pa.types.is_boolean(column.arrow_type) else pa.nulls(n, column.arrow_type)


def _some_alerts() -> pa.RecordBatch:
    packets = [packet.data for packet in all_packets(simulated_source(_PACKETS))]
    (batch, _), *_ = packet_decoder(Config())(Block.of(packets)).batches
    return batch
