"""Summaries of the objects that selected alerts belong to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from redpoll.client.columns import ColumnNames, listed_columns
from redpoll.client.result import QueryResult, lower
from redpoll.schema.alert import COLUMNS

if TYPE_CHECKING:
    from redpoll.store import Store

_ROWS = 1000
"""Objects per record batch."""


def summaries(store: Store, alerts: QueryResult, columns: ColumnNames, limit: int | None) -> QueryResult:
    """The objects of some alerts, each once, in the order of the alerts."""
    schema = _schema(store)
    names = (
        schema.names
        if columns is None or (isinstance(columns, str) and columns == "all")
        else listed_columns(columns, schema.names)
    )
    wanted = pa.schema([schema.field(name) for name in names])

    def read(some: Sequence[str] | None, max_rows: int | None) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
        only = wanted if some is None else pa.schema([schema.field(name) for name in some])
        return only, _batches(store, alerts, only, lower(limit, max_rows))

    return QueryResult(read, count_column="object_id")


def _schema(store: Store) -> pa.Schema:
    """Columns of an object's summary, as those of the newest object."""
    if store.alerts.schema().names:
        first = store.alerts.scan(["object_id"], limit=1).to_table()
        return store.objects.get(first["object_id"][0].as_py()).schema
    return pa.schema([COLUMNS[name].field(name).with_type(pa.string()) for name in ("survey", "object_id")])


def _batches(store: Store, alerts: QueryResult, schema: pa.Schema, limit: int | None) -> Iterator[pa.RecordBatch]:
    waiting: list[str] = []
    for n, object_id in enumerate(_distinct(alerts), 1):
        if limit is not None and n > limit:
            break
        waiting.append(object_id)
        if len(waiting) == _ROWS:
            yield _batch(store, waiting, schema)
            waiting = []
    if waiting:
        yield _batch(store, waiting, schema)


def _distinct(alerts: QueryResult) -> Iterator[str]:
    seen: set[str] = set()
    for batch in alerts.batches():
        for object_id in batch["object_id"].to_pylist():
            if object_id is not None and object_id not in seen:
                seen.add(object_id)
                yield object_id


def _batch(store: Store, object_ids: Sequence[str], schema: pa.Schema) -> pa.RecordBatch:
    if schema.names == ["object_id"]:
        return pa.RecordBatch.from_arrays([pa.array(object_ids, schema.field(0).type)], schema=schema)
    return pa.RecordBatch.from_pylist(store.objects.get_all(object_ids).to_rows(), schema)
