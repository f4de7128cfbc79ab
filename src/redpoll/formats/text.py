"""Columns as text formats hold them: plain values as they are, short lists as words, nothing else."""

from __future__ import annotations

import pyarrow as pa

from redpoll.formats.values import shortest
from redpoll.schema.classifications import CLASSIFICATION_TYPE


def is_flat(kind: pa.DataType) -> bool:
    """Whether a column of this type fits into one cell of text: numbers, text, lists of them, and classifications.

    >>> is_flat(pa.int64()), is_flat(pa.list_(pa.string())), is_flat(pa.binary()), is_flat(pa.struct([]))
    (True, True, False, False)
    """
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _is_value(kind.value_type) or _is_classification(kind.value_type)
    return _is_value(kind)


def plain_field(field: pa.Field) -> pa.Field:
    """The field without dictionary encoding, its description kept."""
    return field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field


def plain_batch(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """The batch with dictionaries decoded, as in `schema`."""
    arrays = [array.dictionary_decode() if pa.types.is_dictionary(array.type) else array for array in batch.columns]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def text_column(array: pa.Array) -> pa.Array:
    """Lists joined by spaces, a classification as ``name:probability:source``; other columns as they are."""
    if not (pa.types.is_list(array.type) or pa.types.is_large_list(array.type)):
        return array
    is_float32 = pa.types.is_float32(array.type.value_type)
    rows = (None if row is None else " ".join(_word(item, is_float32) for item in row) for row in array.to_pylist())
    return pa.array(list(rows), pa.string())


def _word(item: object, is_float32: bool) -> str:
    if isinstance(item, dict):
        return ":".join(_word(value, True) for value in item.values())
    if isinstance(item, float) and is_float32:
        return str(shortest(item))
    return "" if item is None else str(item)


def _is_value(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _is_value(kind.value_type)
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)
    return bool(is_text or is_number or pa.types.is_temporal(kind) or pa.types.is_null(kind))


def _is_classification(kind: pa.DataType) -> bool:
    names = [field.name for field in kind] if pa.types.is_struct(kind) else []
    return names == [field.name for field in CLASSIFICATION_TYPE]
