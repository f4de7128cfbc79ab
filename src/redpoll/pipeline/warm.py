"""Compiling the kernels of the science modules before the first night, a share in each of a few processes.

Compiled code is kept on disk, so this matters once after an installation: then it takes half a minute of one core, and
as long on two if both compile the same.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import pyarrow as pa

from redpoll.config import Config
from redpoll.crossmatch.known_columns import known_columns
from redpoll.ingest.block import Block
from redpoll.pipeline.assemble import build_graph, packet_decoder
from redpoll.plugin.columns import Columns
from redpoll.plugin.isolation import Guard
from redpoll.plugin.node import Node
from redpoll.quality.flags import fill_flags
from redpoll.simulate.source import simulated_source

SHARES = (
    frozenset({"rainbow_rise", "rainbow_shape", "microlensing", "agn"}),
    frozenset({
        "periodic", "artefact", "hostless", "light_curve_statistics", "anomaly_features", "orphan_afterglow",
        "rise_rate",
    }),
)  # fmt: skip
"""Modules with large kernels; those that share one stand in one share. The others compile in no time."""
_PACKETS = "simulate://ztf?alerts=60&seed=1"


@contextmanager
def compiling_ahead(config: Config) -> Iterator[None]:
    """Compile in processes of their own while the body goes on; leaving waits for them, an error ends them."""
    context = multiprocessing.get_context("spawn")
    turn = context.Lock()
    processes = [context.Process(target=compile_share, args=(config, share, turn), daemon=True) for share in SHARES]
    for process in processes:
        process.start()
    try:
        yield
        for process in processes:
            process.join()
    finally:
        for process in processes:
            process.terminate()


def compile_share(config: Config, share: frozenset[str], turn: AbstractContextManager[object]) -> None:
    """Run the modules of a share, and those that are in none, over a few simulated alerts.

    All need the decoder: processes take turns in making the alerts, so that the first compiles it for the others.
    """
    graph = build_graph(config)
    heavy = frozenset().union(*SHARES) - share
    with turn:
        columns = Columns(_some_alerts())
    for node in graph.nodes:
        made = None
        if node.name not in heavy and node.name not in graph.without_model:
            guard = Guard(node, columns.n)
            settings = graph.settings[node.name]
            made = guard.attempt(node.compute, columns=columns, settings=settings, attempt=guard.attempt_one)
        columns.add(made or _blank(node, columns.n))


def _some_alerts() -> pa.RecordBatch:
    """A simulated batch with null answers of all catalogues."""
    packets = [packet.data for packet in simulated_source(_PACKETS).packets()]
    (batch, _), *_ = packet_decoder(Config())(Block.of(packets)).batches
    batch = fill_flags(batch)
    for name, column in known_columns().items():
        batch = batch.append_column(column.field(name), pa.nulls(batch.num_rows, column.arrow_type))
    return batch


def _blank(node: Node, n: int) -> dict[str, pa.Array]:
    """What a module that is left out would make: false and null."""
    no = pa.repeat(False, n)
    return {k: no if pa.types.is_boolean(c.arrow_type) else pa.nulls(n, c.arrow_type) for k, c in node.outputs.items()}
