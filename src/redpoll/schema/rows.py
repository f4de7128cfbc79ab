"""Selection of rows of a batch without copying the bytes of its cutouts."""

from __future__ import annotations

from functools import cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def take_rows(batch: pa.RecordBatch, rows: NDArray[np.int64]) -> pa.RecordBatch:
    """The rows of `batch` with these indices, in this order.

    >>> batch = pa.record_batch({"c": pa.array([b"a", None, b"longer than twelve"], pa.binary_view())})
    >>> take_rows(batch, np.array([2, 1]))["c"].to_pylist()
    [b'longer than twelve', None]
    """
    index = pa.array(rows, pa.int64())
    arrays = [_take_views(a, rows) if a.type == pa.binary_view() else a.take(index) for a in batch.columns]
    return pa.RecordBatch.from_arrays(arrays, schema=batch.schema)


def _take_views(array: pa.Array, rows: NDArray[np.int64]) -> pa.Array:
    _, views, *data = array.buffers()
    table = np.frombuffer(views, np.dtype("V16"))[array.offset : array.offset + len(array)][rows]
    valid = pa.array(array.is_valid().to_numpy(zero_copy_only=False)[rows]) if array.null_count else None
    validity = valid.buffers()[1] if valid is not None else None
    return pa.Array.from_buffers(pa.binary_view(), len(rows), [validity, pa.py_buffer(table), *data])


@cache
def without_views(kind: pa.DataType) -> pa.DataType:
    """The type with plain binary in place of binary views, at any depth."""
    if kind == pa.binary_view():
        return pa.binary()
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(f.name, without_views(f.type), f.nullable) for f in kind])
    if pa.types.is_list(kind):
        return pa.list_(pa.field(kind.value_field.name, without_views(kind.value_type)))
    if pa.types.is_map(kind):
        return pa.map_(kind.key_type, without_views(kind.item_type))
    return kind
