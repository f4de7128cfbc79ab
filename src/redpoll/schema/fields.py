"""Fields of packets of any schema version; a field that the version lacks is null."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from redpoll.errors import FieldError, SchemaError
from redpoll.schema.bands import BANDS
from redpoll.schema.light_curve import BAND_TYPE

_EXACT = 2.0**53
"""Integers from here on may differ from the float64 that holds them."""


def field(packets: pa.Array, *paths: str, dtype: pa.DataType | None = None) -> pa.Array:
    """Values at the first of these dotted paths that the packets have; null inside null structs, all null if none.

    Raises
    ------
    FieldError
        If a value cannot be converted to `dtype`. NaN is converted to null.
    """
    for path in paths:
        array = packets
        for name in path.split("."):
            array = None if array is None else _child(array, name)
        if array is not None:
            return array if dtype is None or array.type == dtype else _cast(array, dtype, path)
    return pa.nulls(len(packets), dtype or pa.null())


def identifier(packets: pa.Array, *paths: str) -> pa.Array:
    """A 64-bit identifier, by the first of these dotted paths that the packets have; all null if none.

    Raises
    ------
    FieldError
        If an identifier is no integer, or a float too large to be exact.
    """
    for path in paths:
        if has_field(packets, path):
            found = field(packets, path)
            if pa.types.is_floating(found.type) and pc.any(pc.greater_equal(pc.abs(found), _EXACT)).as_py():
                raise FieldError(f"{path} is a float of at least 2**53, which holds no exact identifier; send integers")
            return field(packets, path, dtype=pa.int64())
    return pa.nulls(len(packets), pa.int64())


def _cast(array: pa.Array, dtype: pa.DataType, path: str) -> pa.Array:
    if pa.types.is_floating(array.type) and pa.types.is_integer(dtype):
        array = pc.if_else(pc.is_nan(array), pa.scalar(None, array.type), array)
    try:
        return array.cast(dtype)
    except pa.ArrowInvalid as error:
        raise FieldError(f"{path}: {error}") from error
    except pa.ArrowNotImplementedError as error:
        raise SchemaError(f"{path} is {array.type}, which cannot be read as {dtype}") from error


def _child(array: pa.Array, name: str) -> pa.Array | None:
    """A field of structs by its name; None if there is no such field."""
    index = array.type.get_field_index(name) if pa.types.is_struct(array.type) else -1
    return None if index < 0 else _child_at(array, index)


def _child_at(array: pa.StructArray, index: int) -> pa.Array:
    """A field of structs, null where the struct is null; without a copy if none is."""
    return pc.struct_field(array, index) if array.null_count else array.field(index)


def has_field(packets: pa.Array, path: str) -> bool:
    """Whether the packets' schema has this dotted path."""
    kind = packets.type
    for name in path.split("."):
        if not pa.types.is_struct(kind) or kind.get_field_index(name) < 0:
            return False
        kind = kind.field(name).type
    return True


def floats(packets: pa.Array, *paths: str, sentinel: float | None = None) -> NDArray[np.float64]:
    """A field as float64; NaN for null and for values at or below the survey's `sentinel`."""
    values = field(packets, *paths, dtype=pa.float64()).to_numpy(zero_copy_only=False)
    if sentinel is None:
        return np.asarray(values)
    return np.where(values <= sentinel, np.nan, values)


def nullable(values: NDArray[Any], dtype: pa.DataType) -> pa.Array:
    """An Arrow array with null for NaN."""
    return pa.array(values, mask=~np.isfinite(values)).cast(dtype)


def band_array(codes: NDArray[np.int8]) -> pa.DictionaryArray:
    """Arrow dictionary array of bands from their codes; null for -1."""
    return pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes < 0), pa.array(BANDS)).cast(BAND_TYPE)


def codes_of(names: pa.Array, order: Sequence[str] = BANDS) -> NDArray[np.int8]:
    """Code of each name in `order`, -1 for an unknown or missing one."""
    found = pc.index_in(names.cast(pa.string()), value_set=pa.array(order, pa.string()))
    return np.asarray(found.fill_null(-1).to_numpy(zero_copy_only=False), np.int8)


def any_flag(packets: pa.Array, *paths: str) -> pa.Array:
    """True if any of these flags is set, null if none is set and one is null; flags not in the schema are ignored."""
    flags = [field(packets, path, dtype=pa.bool_()) for path in paths if has_field(packets, path)]
    result = pa.array(np.zeros(len(packets), bool))
    for flag in flags:
        result = pc.or_kleene(result, flag)
    return result


def without(packets: pa.StructArray, drop: Sequence[str]) -> pa.StructArray:
    """The structs without the fields in `drop`; a dotted path drops a field of an inner struct."""
    outer = {path for path in drop if "." not in path}
    inner = {path.partition(".")[0]: path.partition(".")[2] for path in drop if "." in path}
    arrays, fields = [], []
    for index, kind in enumerate(packets.type):
        if kind.name in outer:
            continue
        array = _child_at(packets, index)
        if kind.name in inner and pa.types.is_struct(array.type):
            array = _drop_inner(array, inner[kind.name])
        arrays.append(array)
        fields.append(pa.field(kind.name, array.type))
    return pa.StructArray.from_arrays(arrays, fields=fields)


def _drop_inner(array: pa.StructArray, name: str) -> pa.StructArray:
    kept = [i for i, kind in enumerate(array.type) if kind.name != name]
    fields, parts = [array.type.field(i) for i in kept], [array.field(i) for i in kept]
    mask = array.is_null() if array.null_count else None
    return pa.StructArray.from_arrays(parts, fields=fields, mask=mask) if kept else pa.nulls(len(array), pa.struct([]))
