"""Two layouts of a list of structs: the canonical one, and the struct of lists that LSDB reads.

``list<struct<mjd, flux>>`` and ``struct<mjd: list, flux: list>`` hold the same values in the same child arrays. The
first is the type of a light curve everywhere in Redpoll. The second is what nested-pandas and LSDB can read by
sub-column, as a cone search does, so the catalogues of the archive are written in it. Only columns of that type
change; lists of structs inside a struct (the packet's own) stay as they are.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_LAYOUT, _STRUCT_OF_LISTS = b"layout", b"struct_of_lists"
"""Metadata of a field that was a list of structs: a module may have a column that is a struct of lists itself."""


def split_schema(schema: pa.Schema) -> pa.Schema:
    """The schema with each list of structs as a struct of lists."""
    return pa.schema([_split_field(field) for field in schema], metadata=schema.metadata)


def joined_schema(schema: pa.Schema) -> pa.Schema:
    """The schema that `split_schema` was given."""
    return pa.schema([_joined_field(field) for field in schema], metadata=schema.metadata)


def split_lists(table: pa.Table) -> pa.Table:
    """The table with each list of structs as a struct of lists, over the same values.

    A struct that is null inside a list becomes one whose fields are all null.
    """
    for i, field in enumerate(table.schema):
        if _is_list_of_structs(field.type):
            split = _split_field(field)
            chunks = [_split(chunk, split.type) for chunk in table.column(i).chunks]
            table = table.set_column(i, split, pa.chunked_array(chunks, split.type))
    return table


def join_lists(table: pa.Table) -> pa.Table:
    """The table that `split_lists` was given; OSError if the lists of a row differ in length."""
    for i, field in enumerate(table.schema):
        if _is_split(field):
            joined = _joined_field(field)
            try:
                chunks = [_joined(chunk, joined.type) for chunk in table.column(i).chunks]
            except pa.ArrowInvalid as error:
                raise OSError(f"column '{field.name}' is damaged: {error}") from error
            table = table.set_column(i, joined, pa.chunked_array(chunks, joined.type))
    return table


def _is_list_of_structs(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) and pa.types.is_struct(kind.value_type) and kind.value_type.num_fields)


def _is_split(field: pa.Field) -> bool:
    return (field.metadata or {}).get(_LAYOUT) == _STRUCT_OF_LISTS


def _split_field(field: pa.Field) -> pa.Field:
    if not _is_list_of_structs(field.type):
        return field
    element = field.type.value_field
    lists = [inner.with_type(pa.list_(pa.field(element.name, inner.type))) for inner in element.type]
    return field.with_type(pa.struct(lists)).with_metadata({**(field.metadata or {}), _LAYOUT: _STRUCT_OF_LISTS})


def _joined_field(field: pa.Field) -> pa.Field:
    if not _is_split(field):
        return field
    points = pa.struct([inner.with_type(inner.type.value_type) for inner in field.type])
    others = {key: value for key, value in field.metadata.items() if key != _LAYOUT}
    kind = pa.list_(pa.field(field.type.field(0).type.value_field.name, points))
    return field.with_type(kind).with_metadata(others or None)


def _split(array: pa.ListArray, kind: pa.StructType) -> pa.StructArray:
    """A list of structs as a struct of lists, which share its offsets and validity."""
    shared = array.buffers()[:2]
    lists = [
        pa.Array.from_buffers(inner.type, len(array), shared, offset=array.offset, children=[values])
        for inner, values in zip(kind, array.values.flatten(), strict=True)
    ]
    mask = array.is_null() if array.null_count else None
    return pa.StructArray.from_arrays(lists, fields=list(kind), mask=mask)


def _joined(array: pa.StructArray, kind: pa.ListType) -> pa.ListArray:
    """A struct of lists as a list of structs with the offsets of the first list; ArrowInvalid if others differ."""
    lists = array.flatten()
    ends = [np.asarray(inner.offsets) for inner in lists]
    counts = [each - each[0] for each in ends]
    if not all(np.array_equal(counts[0], other) for other in counts[1:]):
        raise pa.ArrowInvalid("the lists of a row differ in length")
    values = [inner.values.slice(each[0], counts[0][-1]) for inner, each in zip(lists, ends, strict=True)]
    points = pa.StructArray.from_arrays(values, fields=list(kind.value_type))
    offsets = lists[0].offsets
    if offsets.offset or ends[0][0]:
        offsets = pc.subtract(offsets, pa.scalar(ends[0][0], pa.int32()))
    mask = lists[0].is_null() if lists[0].null_count else None
    return pa.ListArray.from_arrays(offsets, points, type=kind, mask=mask)
