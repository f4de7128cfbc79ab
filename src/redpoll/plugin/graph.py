"""Science modules and filters as one function from Arrow batch to Arrow batch."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.plugin.checks import check_names, in_order
from redpoll.plugin.classes import MIN_PROBABILITY, assigned_classes, assigning_fields, check_assigns, classes_field
from redpoll.plugin.columns import Columns
from redpoll.plugin.isolation import FailureLog, Guard, printing_to_stderr
from redpoll.plugin.node import Node
from redpoll.plugin.settings import check_settings
from redpoll.schema.alert import COLUMNS, PACKET
from redpoll.schema.classifications import CLASSES
from redpoll.schema.column import Column

Clock = Callable[[], float]


@dataclass(frozen=True)
class GraphResult:
    """A processed batch, with the failures and the run time in seconds of each module and filter.

    ``unknown_words`` counts words of catalogues that have no class in the taxonomy. ``lost`` has, for each module and
    filter that failed, the alerts that it has no result for: a boolean each.
    """

    batch: pa.RecordBatch
    failures: dict[str, str]
    seconds: dict[str, float]
    unknown_words: Counter[str] = field(default_factory=Counter)
    lost: dict[str, NDArray[np.bool_]] = field(default_factory=dict)


class Graph:
    """Science modules in dependency order, then filters; made by `Graph.build`.

    Pickling a graph for worker processes stores modules by name, and settings and models by value.

    Examples
    --------
    >>> from redpoll import Column, alert_filter, science_module
    >>> @science_module(version="1", outputs={"snr": Column("float32", doc="flux / flux_err")})
    ... def snr(flux, flux_err):
    ...     return flux / flux_err
    >>> @alert_filter()
    ... def significant(snr, *, min_snr=5.0):
    ...     return snr > min_snr
    >>> graph = Graph.build([snr], [significant], settings={"significant": {"min_snr": 10}})
    >>> batch = pa.record_batch({"flux": pa.array([90.0, 110.0, None]), "flux_err": pa.array([10.0] * 3)})
    >>> graph.run(batch).batch["pass_significant"].to_pylist()
    [False, True, False]
    """

    def __init__(
        self,
        nodes: tuple[Node, ...],
        settings: Mapping[str, Mapping[str, Any]],
        models: Mapping[str, Any],
        clock: Clock = time.monotonic,
        min_probability: float = MIN_PROBABILITY,
    ) -> None:
        self.nodes, self.models = nodes, dict(models)
        self.settings = {node.name: dict(settings.get(node.name, {})) for node in nodes}
        self.min_probability = min_probability
        self._clock = clock
        self._log = FailureLog(clock)
        self._last: tuple[pa.Schema, pa.Schema, list[pa.Field]] | None = None

    @classmethod
    def build(
        cls,
        modules: Iterable[Node],
        filters: Iterable[Node],
        *,
        settings: Mapping[str, Mapping[str, Any]] | None = None,
        models: Mapping[str, Any] | None = None,
        columns: Mapping[str, Column] = COLUMNS,
        clock: Clock = time.monotonic,
        min_probability: float = MIN_PROBABILITY,
    ) -> Graph:
        """A graph with checked names and settings, its modules in dependency order.

        Parameters
        ----------
        modules, filters
            What to run; independent modules keep their order.
        settings
            Settings that differ from their defaults, by module name or topic.
        models
            Trained models by name; the columns of a module without its model are null.
        columns
            Columns of the batches that the graph will run on.
        clock
            Clock for the run time of each node.
        min_probability
            Minimum probability at which a score assigns its class (see `redpoll.plugin.classes`).

        Raises
        ------
        UnknownColumn
            If a module or filter reads a column that does not exist.
        PluginError
            If names or outputs are duplicated, modules depend on each other in a cycle, or a column assigns an
            unknown class.
        ConfigError
            If a setting is unknown or has the wrong type.
        ExpressionError
            If a filter's expression does not fit the columns.
        """
        modules, filters = list(modules), list(filters)
        check_names(modules, filters, columns)
        known = {**columns, **{name: column for module in modules for name, column in module.outputs.items()}}
        for node in [*modules, *filters]:
            node.check(known)
        for name, column in known.items():
            check_assigns(name, column)
        nodes = (*in_order(modules), *filters)
        return cls(nodes, check_settings(nodes, settings or {}), models or {}, clock, min_probability)

    def __reduce__(self) -> tuple[Any, ...]:
        return Graph, (self.nodes, self.settings, self.models, time.monotonic, self.min_probability)

    def timed_by(self, clock: Clock) -> Graph:
        """The same graph, its nodes timed by another clock."""
        return Graph(self.nodes, self.settings, self.models, clock, self.min_probability)

    def only(self, names: Container[str]) -> Graph:
        """The graph of some of its modules and filters; the columns of the others must be in its batches."""
        nodes = tuple(node for node in self.nodes if node.name in names)
        return Graph(nodes, self.settings, self.models, self._clock, self.min_probability)

    def with_models(self, models: Mapping[str, Any]) -> Graph:
        """The same graph with other trained models."""
        return Graph(self.nodes, self.settings, models, self._clock, self.min_probability)

    @cached_property
    def without_model(self) -> dict[str, str]:
        """Modules whose columns are null because their model is missing: module name -> model name."""
        return {node.name: node.model for node in self.nodes if node.model and node.model not in self.models}

    @cached_property
    def fields(self) -> tuple[pa.Field, ...]:
        """The fields the graph appends, with unit, doc and maker in their metadata."""
        return tuple(
            column.field(name, by=self._by(node)) for node in self.nodes for name, column in node.outputs.items()
        )

    def output_schema(self, schema: pa.Schema) -> pa.Schema:
        """The schema of a processed batch; the graph's columns come last, before ``packet``.

        The last of them is ``classes``, if any column assigns a class.
        """
        made = {field.name for field in self.fields} | {CLASSES, PACKET}
        added = [*(field for field in schema if field.name not in made), *self.fields]
        classes = [classes_field()] if assigning_fields(added) else []
        packet = [field for field in schema if field.name == PACKET]
        return pa.schema([*added, *classes, *packet], metadata=schema.metadata)

    def _layout(self, schema: pa.Schema) -> tuple[pa.Schema, list[pa.Field]]:
        """The schema of a processed batch, and its fields that assign classes; kept for the next of the same schema."""
        if self._last is None or not self._last[0].equals(schema, check_metadata=True):
            made = self.output_schema(schema)
            self._last = schema, made, assigning_fields(made)
        return self._last[1:]

    def provenance(self) -> dict[str, dict[str, Any]]:
        """For each column of the graph, its maker ``by`` and the settings used."""
        return {
            name: {"by": self._by(node), "settings": {**node.settings, **self.settings[node.name]}}
            for node in self.nodes
            for name in node.outputs
        }

    def run(self, batch: pa.RecordBatch) -> GraphResult:
        """Add every module's columns, every filter's ``pass_<topic>``, and ``classes`` to a batch.

        The columns of a module that raises are null in this batch, and a filter that raises passes no alert; both are
        listed in ``failures``. Columns of the batch that the graph adds are replaced.

        Raises
        ------
        SchemaError
            If the batch lacks a column that the graph reads.
        """
        given = set(batch.schema.names)
        columns = Columns(batch.drop_columns([f.name for f in self.fields if f.name in given]))
        self._check_batch(columns)
        failures: dict[str, str] = {}
        lost: dict[str, NDArray[np.bool_]] = {}
        seconds: dict[str, float] = {}
        for node in self.nodes:
            start = self._clock()
            guard = Guard(node, columns.n)
            with printing_to_stderr():
                columns.add(self._compute(node, columns, guard))
            seconds[node.name] = self._clock() - start
            if guard.error:
                failures[node.name], lost[node.name] = guard.message, guard.lost
                self._log.report(guard)
        schema, assigning = self._layout(batch.schema)
        unknown: Counter[str] = Counter()
        if assigning:
            classes, unknown = assigned_classes(assigning, columns.arrow, columns.n, self.min_probability)
            columns.add({CLASSES: classes})
        arrays = [columns.arrow(name) for name in schema.names]
        return GraphResult(pa.RecordBatch.from_arrays(arrays, schema=schema), failures, seconds, unknown, lost)

    def _compute(self, node: Node, columns: Columns, guard: Guard) -> dict[str, pa.Array]:
        """The node's columns; null (False for a filter) for an empty batch, a missing model or a failure."""
        found = None
        if columns.n and node.name not in self.without_model:
            settings, model = self.settings[node.name], self._model(node)
            found = guard.attempt(
                node.compute, columns=columns, settings=settings, model=model, attempt=guard.attempt_one
            )
        return found or _no_answer(node, columns.n)

    def _check_batch(self, columns: Columns) -> None:
        made = {field.name for field in self.fields}
        for node in self.nodes:
            for name in node.reads:
                if name not in made:
                    columns.arrow(name)

    def _model(self, node: Node) -> Any:
        return self.models.get(node.model) if node.model else None

    def _by(self, node: Node) -> str:
        model = self._model(node)
        return f"{node.name}@{node.version}" + (f", {node.model}@{model.version}" if model else "")


def _no_answer(node: Node, n: int) -> dict[str, pa.Array]:
    if node.is_module:
        return {name: pa.nulls(n, column.arrow_type) for name, column in node.outputs.items()}
    return {name: pa.repeat(False, n) for name in node.outputs}
