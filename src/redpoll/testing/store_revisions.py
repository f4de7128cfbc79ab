"""Revisions for tests of a store: new values of some alerts, with the values that they replace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from redpoll.schema.classifications import CLASSES, CLASSES_COLUMN
from redpoll.schema.column import Column
from redpoll.schema.names import PASS
from redpoll.store import Revision, Store
from redpoll.testing.store_batches import MODULE_COLUMNS

__all__ = ["new_values", "replaced_values", "revise", "revised_field"]


def revised_field(name: str, by: str, column: Column | None = None) -> pa.Field:
    """The field of a column in a revision: a column of `MODULE_COLUMNS`, a topic, the classes, or a new one."""
    if name.startswith(PASS):
        return pa.field(name, pa.bool_(), metadata={"indexed": "0", "by": by})
    known = {**MODULE_COLUMNS, CLASSES: CLASSES_COLUMN}
    return (column or known.get(name) or Column("float32", "", f"Synthetic: {name}.")).field(name, by=by)


def new_values(
    alert_ids: Sequence[int],
    columns: Mapping[str, Sequence[Any]],
    *,
    survey: str = "ztf",
    by: str = "synthetic@2",
    declared: Mapping[str, Column] | None = None,
) -> pa.RecordBatch:
    """New values of some alerts as `Revisions.write` takes them."""
    fields = [revised_field(name, by, (declared or {}).get(name)) for name in columns]
    arrays = [pa.array(values, field.type) for values, field in zip(columns.values(), fields, strict=True)]
    keys = [pa.array([survey] * len(alert_ids)), pa.array(list(alert_ids), pa.int64())]
    schema = pa.schema([pa.field("survey", pa.string()), pa.field("alert_id", pa.int64()), *fields])
    return pa.RecordBatch.from_arrays([*keys, *arrays], schema=schema)


def replaced_values(store: Store, values: pa.RecordBatch) -> pa.RecordBatch:
    """The values that a store has now in the place of new ones, as `Revisions.write` takes them."""
    stored = {*store.alerts.schema().names, CLASSES}
    names = [name for name in values.schema.names[2:] if name in stored]
    survey = values["survey"][0].as_py()
    rows = [store.alerts.get(i, survey, names) for i in values["alert_id"].to_pylist()]
    fields = [*(values.schema.field(i) for i in range(2)), *(store.alerts.schema().field(name) for name in names)]
    arrays = [
        pa.array([row[name][0].as_py() for row in rows], field.type)
        for name, field in zip(names, fields[2:], strict=True)
    ]
    return pa.RecordBatch.from_arrays([values[0], values[1], *arrays], schema=pa.schema(fields))


def revise(
    store: Store,
    alert_ids: Sequence[int],
    columns: Mapping[str, Sequence[Any]],
    *,
    job: str = "job",
    after: str | None = None,
    **how: Any,
) -> int:
    """Write and commit new values; returns how many alerts have them."""
    values = new_values(alert_ids, columns, **how)
    segment = store.revisions.write(values, replaced_values(store, values))
    return store.revisions.commit(Revision(segment, job, after))
