"""Arrow types of stored columns: the one type that holds the values of every batch, and casting to it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa

_NUMBER_TESTS = (pa.types.is_integer, pa.types.is_floating)


def plain_type(kind: pa.DataType) -> pa.DataType:
    """The type without dictionaries and views, at any depth; field names and metadata stay."""
    if pa.types.is_dictionary(kind):
        return plain_type(kind.value_type)
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(plain_type(field.type)).with_nullable(True) for field in kind])
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pa.list_(kind.value_field.with_type(plain_type(kind.value_type)).with_nullable(True))
    return {pa.binary_view(): pa.binary(), pa.string_view(): pa.string()}.get(kind, kind)


def join_types(a: pa.DataType, b: pa.DataType) -> pa.DataType:
    """The narrowest type that holds the values of two plain types; text where nothing else does.

    >>> join_types(pa.int32(), pa.float32()), join_types(pa.int8(), pa.string())
    (DataType(double), DataType(string))
    """
    if a.equals(b):
        return a
    if pa.types.is_null(a) or pa.types.is_null(b):
        return b if pa.types.is_null(a) else a
    if pa.types.is_struct(a) and pa.types.is_struct(b):
        return _join_structs(a, b)
    if pa.types.is_list(a) and pa.types.is_list(b):
        return pa.list_(a.value_field.with_type(join_types(a.value_type, b.value_type)))
    if all(any(test(kind) for test in _NUMBER_TESTS) for kind in (a, b)):
        return _join_numbers(a, b)
    return pa.string()


def conform(values: pa.Array | pa.ChunkedArray, kind: pa.DataType) -> pa.Array:
    """The values as one array of a type that `join_types` gave; values that differ in kind become text."""
    array = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if array.type.equals(kind, check_metadata=True):
        return array
    if pa.types.is_null(array.type):
        return pa.nulls(len(array), kind)
    if pa.types.is_struct(kind) and pa.types.is_struct(array.type):
        return _conform_struct(array, kind)
    if pa.types.is_list(kind) and (pa.types.is_list(array.type) or pa.types.is_large_list(array.type)):
        return _conform_list(array, kind)
    if pa.types.is_string(kind) and pa.types.is_nested(array.type):
        return pa.array(
            [None if value is None else json.dumps(value, default=str) for value in array.to_pylist()], kind
        )
    return array.cast(kind, safe=not pa.types.is_floating(kind))


def write_type(kind: pa.DataType) -> bytes:
    """A type as bytes."""
    return bytes(pa.schema([pa.field("", kind)]).serialize().to_pybytes())


def read_type(data: bytes) -> pa.DataType:
    """The type in the bytes of `write_type`."""
    return pa.ipc.read_schema(pa.py_buffer(data)).field(0).type


def _join_structs(a: pa.StructType, b: pa.StructType) -> pa.DataType:
    fields = {field.name: field for field in a}
    for field in b:
        before = fields.get(field.name)
        fields[field.name] = field if before is None else field.with_type(join_types(before.type, field.type))
    return pa.struct(list(fields.values()))


def _join_numbers(a: pa.DataType, b: pa.DataType) -> pa.DataType:
    floats = [kind for kind in (a, b) if pa.types.is_floating(kind)]
    if floats:
        return pa.float64()
    unsigned = [pa.types.is_unsigned_integer(kind) for kind in (a, b)]
    if unsigned[0] == unsigned[1]:
        return max(a, b, key=lambda kind: kind.bit_width)
    return pa.int64() if pa.uint64() not in (a, b) else pa.string()


def _conform_struct(array: pa.StructArray, kind: pa.StructType) -> pa.Array:
    present = {array.type.field(i).name for i in range(array.type.num_fields)}
    fields = list(kind)
    children = [
        conform(array.field(field.name), field.type) if field.name in present else pa.nulls(len(array), field.type)
        for field in fields
    ]
    return pa.StructArray.from_arrays(children, fields=fields, mask=array.is_null())


def _conform_list(array: pa.ListArray, kind: pa.ListType) -> pa.Array:
    flat = conform(array.flatten(), kind.value_type)
    lengths: Callable[..., Any] = array.value_lengths
    offsets = _offsets(lengths().fill_null(0).to_numpy(zero_copy_only=False))
    return pa.ListArray.from_arrays(pa.array(offsets), flat, type=kind, mask=array.is_null())


def _offsets(lengths: Any) -> Any:
    import numpy as np

    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
