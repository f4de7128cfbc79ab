"""Task of a worker for a block of stored alerts: read, enrich, write the new values; the same on every engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.errors import StoreError
from redpoll.ingest.block import Block
from redpoll.pipeline.enrich import Enrichment, EnrichResult
from redpoll.pipeline.reprocess_plan import CROSSMATCH, PlannedNode, ReprocessPlan
from redpoll.pipeline.reprocess_result import ReprocessResult, count, count_changes, merged_classes, no_result
from redpoll.plugin.classes import classes_field
from redpoll.schema.classifications import CLASSES, CLASSES_TYPE
from redpoll.schema.rows import take_rows

Mask = NDArray[np.bool_]
_KEYS = ("survey", "alert_id")


class RevisesAlerts(Protocol):
    """The store, as far as a worker needs it."""

    def read(self, survey: str, alert_ids: Sequence[int], columns: Sequence[str]) -> pa.RecordBatch:
        """Columns of stored alerts, one row each."""
        ...

    def write(self, values: pa.RecordBatch, replaced: pa.RecordBatch) -> str:
        """Write new values, which do not count until they are committed, and those that they replace; their name."""
        ...


def alert_key(survey: str, alert_id: int) -> bytes:
    """A stored alert as it is sent to a worker.

    >>> alert_key("ztf", 12)
    b'ztf 12'
    """
    return f"{survey} {alert_id}".encode()


class ReprocessTask:
    """From a block of keys of stored alerts to the segments with their new values.

    An alert on which a node fails keeps the values that the node gave it before, and those of the nodes that depend on
    it, if it has any; a failure never removes a value.

    Parameters
    ----------
    enrich
        The stages that run again.
    store
        Where alerts are read and new values are written.
    plan
        What runs and what it reads.
    """

    def __init__(self, enrich: Enrichment, store: RevisesAlerts, plan: ReprocessPlan) -> None:
        self._enrich, self._store, self._plan = enrich, store, plan
        self._maker = {name: node for node in plan.nodes for name in node.outputs}

    def __call__(self, block: Block) -> ReprocessResult:
        """Reprocess the alerts of a block with the models of its generation."""
        result = no_result()
        result["unusable_models"] = self._enrich.change_to(block.generation)
        for survey, alert_ids in _by_survey(block).items():
            self._revise(survey, alert_ids, result)
        return result

    def _revise(self, survey: str, alert_ids: Sequence[int], result: ReprocessResult) -> None:
        plan = self._plan
        names = dict.fromkeys([*_KEYS, *plan.stored, *plan.before, CLASSES])
        alerts = self._store.read(survey, alert_ids, list(names))
        if alerts.num_rows != len(alert_ids):
            raise StoreError(f"{len(alert_ids)} alerts of {survey} were to be read, {alerts.num_rows} are stored")
        result["n_alerts"] += alerts.num_rows
        alerts = take_rows(alerts, np.flatnonzero(self._is_complete(alerts, result)))
        if not alerts.num_rows:
            return
        enriched = self._enrich(self._inputs(alerts))
        _count_work(enriched, result)
        kept = self._kept(enriched, alerts, result)
        for rows, nodes in _groups(kept, plan.nodes):
            if nodes:
                self._write(enriched.batch, alerts, rows, nodes, result)

    def _is_complete(self, alerts: pa.RecordBatch, result: ReprocessResult) -> Mask:
        """Whether no boolean that a node reads is unknown: nodes cannot read those."""
        complete = np.ones(alerts.num_rows, bool)
        for name in self._plan.flags:
            is_known = np.asarray(alerts[name].is_valid())
            count(result["unknown"], [(name, int((~is_known).sum()))])
            complete &= is_known
        return complete

    def _inputs(self, alerts: pa.RecordBatch) -> pa.RecordBatch:
        """The columns that the nodes read, as a run has them; those of history as the archive has them."""
        kinds = {"survey": pa.dictionary(pa.int8(), pa.string()), "alert_id": pa.int64(), **self._plan.stored}
        columns = {name: _as(alerts[name], kind) for name, kind in kinds.items()}
        return pa.record_batch(
            columns | {name: pa.nulls(alerts.num_rows, kind) for name, kind in self._plan.blank.items()}
        )

    def _kept(self, enriched: EnrichResult, alerts: pa.RecordBatch, result: ReprocessResult) -> Mapping[str, Mask]:
        """For each column that is made, the alerts that keep the value before."""
        kept: dict[str, Mask] = {}
        for node in self._plan.nodes:
            lost = self._lost(node, enriched)
            count(result["lost"], [(node.name, int(lost.sum()))])
            mask = lost & _has_values(alerts, node.outputs)
            for name in node.reads:
                if name in self._maker:
                    mask = mask | kept[name]
            count(result["kept"], [(node.name, int(mask.sum()))])
            kept |= dict.fromkeys(node.outputs, mask)
        return kept

    def _lost(self, node: PlannedNode, enriched: EnrichResult) -> Mask:
        """The alerts that a node has no result for, because it failed or its model cannot be opened here."""
        n = enriched.batch.num_rows
        if node.kind == CROSSMATCH:
            return np.full(n, node.name in enriched.failures)
        if node.name in self._enrich.graph.without_model:
            return np.ones(n, bool)
        return enriched.lost.get(node.name, np.zeros(n, bool))

    def _write(
        self,
        made: pa.RecordBatch,
        alerts: pa.RecordBatch,
        rows: NDArray[np.int64],
        nodes: Sequence[PlannedNode],
        result: ReprocessResult,
    ) -> None:
        """Write the columns of some nodes for some rows, and the classes if they differ."""
        made, alerts = take_rows(made, rows), take_rows(alerts, rows)
        names = [*_KEYS, *(name for node in nodes for name in node.outputs)]
        before = [name for name in alerts.schema.names if name in names]
        values, replaced = made.select(names), alerts.select(before)
        fresh = made[CLASSES].to_pylist() if CLASSES in made.schema.names else [None] * len(rows)
        old = alerts[CLASSES].to_pylist()
        classes = merged_classes(old, fresh, frozenset(node.name for node in nodes))
        if classes != [entries or [] for entries in old]:
            field = made.schema.field(CLASSES) if CLASSES in made.schema.names else classes_field()
            values = values.append_column(field, pa.array(classes, CLASSES_TYPE))
            replaced = replaced.append_column(CLASSES, alerts[CLASSES])
        result["segments"].append(self._store.write(values, replaced))
        count_changes(result, values, replaced)


def _by_survey(block: Block) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for i in range(len(block)):
        survey, alert_id = bytes(block.packet(i)).decode().split(" ")
        found.setdefault(survey, []).append(int(alert_id))
    return found


def _count_work(enriched: EnrichResult, result: ReprocessResult) -> None:
    for name, why in enriched.failures.items():
        result["reasons"].setdefault(name, why)
    count(result["unknown_words"], enriched.unknown_words.items())
    for stage, seconds in enriched.seconds.items():
        result["seconds"][stage] = result["seconds"].get(stage, 0.0) + seconds


def _has_values(alerts: pa.RecordBatch, names: Sequence[str]) -> Mask:
    """Whether each alert has a value in any of the columns."""
    found = np.zeros(alerts.num_rows, bool)
    for name in names:
        if name in alerts.schema.names:
            found |= np.asarray(alerts[name].is_valid())
    return found


def _groups(
    kept: Mapping[str, Mask], nodes: Sequence[PlannedNode]
) -> Iterator[tuple[NDArray[np.int64], list[PlannedNode]]]:
    """Rows whose new values are those of the same nodes, and these nodes."""
    masks = np.stack([kept[node.outputs[0]] for node in nodes])
    patterns, of_row = np.unique(masks, axis=1, return_inverse=True)
    for i, pattern in enumerate(patterns.T):
        yield (
            np.flatnonzero(of_row.ravel() == i),
            [node for node, keeps in zip(nodes, pattern, strict=True) if not keeps],
        )


def _as(values: pa.Array, kind: pa.DataType) -> pa.Array:
    """Stored values as the type that a run has; nested ones stay as they are stored."""
    if values.type == kind or pa.types.is_nested(values.type):
        return values
    return values.cast(kind, safe=not pa.types.is_floating(kind))
