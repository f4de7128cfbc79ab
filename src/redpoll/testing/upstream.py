"""Inputs of a module under test: columns of installed modules, and synthetic columns of catalogues."""

from __future__ import annotations

import pyarrow as pa

from redpoll.errors import UnknownColumn
from redpoll.plugin.contract import ScienceModule
from redpoll.plugin.discovery import installed_modules
from redpoll.plugin.graph import Graph
from redpoll.plugin.node import Node
from redpoll.schema.column import Column
from redpoll.testing.context_columns import with_context_columns
from redpoll.testing.models import FakeModel


def with_inputs(node: Node, batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with all that `node` reads.

    Raises
    ------
    UnknownColumn
        If the batch lacks a column that no installed module makes.
    """
    if not set(node.reads) - set(batch.schema.names):
        return batch
    batch = with_context_columns(batch)
    columns = {field.name: Column(field.type) for field in batch.schema}
    makers = _makers(node, columns)
    models = {maker.model: FakeModel(n_classes=len(maker.outputs) + 1) for maker in makers if maker.model}
    return Graph.build(makers, [], models=models, columns=columns).run(batch).batch


def _makers(node: Node, columns: dict[str, Column]) -> list[ScienceModule]:
    """The modules that make what `node` reads, those that make what they read, and so on."""
    by_output = {output: module for module in installed_modules() for output in module.outputs}
    found: dict[str, ScienceModule] = {}
    waiting: list[Node] = [node]
    while waiting:
        reader = waiting.pop()
        for name in reader.reads:
            if name in columns:
                continue
            if name not in by_output:
                raise UnknownColumn(reader.name, name, [*columns, *by_output])
            if by_output[name].name not in found:
                found[by_output[name].name] = by_output[name]
                waiting.append(by_output[name])
    return list(found.values())
