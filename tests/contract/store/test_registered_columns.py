"""The record of columns, which commits of the same columns do not make again."""

from __future__ import annotations

import pyarrow as pa
import pytest

from redpoll.errors import StoreError
from redpoll.schema.column import field_fact
from redpoll.store import Commit, Store, indexed_columns, writer
from redpoll.testing.store_batches import store_batch


def commit(store: Store, batch: pa.RecordBatch) -> int:
    return store.runs.commit(Commit(indexed_columns(batch), store.segments.write(batch)))


def batch_with(name: str, kind: pa.DataType, unit: str, *, start: int) -> pa.RecordBatch:
    batch = store_batch(3, start=start)
    field = pa.field(name, kind, metadata={"unit": unit, "indexed": "0"})
    return batch.append_column(field, pa.nulls(3, kind))


def column(store: Store, name: str) -> tuple[str, str] | None:
    schema = store.alerts.schema()
    if name not in schema.names:
        return None
    field = schema.field(name)
    return str(field.type), field_fact(field, "unit")


def test_a_column_that_a_later_batch_brings_is_recorded(store: Store) -> None:
    commit(store, store_batch(3, start=10))
    commit(store, store_batch(3, start=20))
    assert column(store, "slope") is None
    commit(store, batch_with("slope", pa.float32(), "mag", start=30))
    assert column(store, "slope") == ("float", "mag")


@pytest.mark.parametrize("change", [(pa.float32(), "mag/d"), (pa.float64(), "mag")], ids=["unit", "type"])
def test_a_column_described_anew_is_recorded_anew(store: Store, change: tuple[pa.DataType, str]) -> None:
    commit(store, batch_with("slope", pa.float32(), "mag", start=10))
    commit(store, batch_with("slope", *change, start=20))
    assert column(store, "slope") == (str(change[0]), change[1])


def test_columns_of_a_commit_that_failed_are_recorded_by_the_next(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise StoreError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(writer, "insert_rejected", fail)
        with pytest.raises(StoreError, match="disk is full"):
            commit(store, batch_with("slope", pa.float32(), "mag", start=10))
    assert column(store, "slope") is None
    commit(store, batch_with("slope", pa.float32(), "mag", start=20))
    assert column(store, "slope") == ("float", "mag")
