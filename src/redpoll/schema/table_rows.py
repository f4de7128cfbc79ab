"""A table as rows of Python values, some ten times faster than Arrow's own conversion."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pyarrow as pa

Row = dict[str, Any]
_FEW_ROWS = 4


def table_rows(table: pa.Table) -> list[Row]:
    """One dict for each row; null and NaN are None, maps are dicts.

    >>> table_rows(pa.table({"mag": [18.5, None], "topics": [["a"], []]}))
    [{'mag': 18.5, 'topics': ['a']}, {'mag': None, 'topics': []}]
    """
    if table.num_rows <= _FEW_ROWS:
        names = table.column_names
        columns = [_few_values(column) for column in table.itercolumns()]
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    (batch, *others) = table.combine_chunks().to_batches()
    assert not others
    columns = [column_values(column) for column in batch.columns]
    names = batch.schema.names  # a property that copies the list
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _few_values(column: pa.ChunkedArray) -> list[Any]:
    """The values of a column of few rows, for which Arrow's own conversion is the fastest."""
    if pa.types.is_nested(column.type):
        return column_values(column)
    return [None if value != value else value for value in column.to_pylist()]


def column_values(column: pa.ChunkedArray | pa.Array) -> list[Any]:
    """The values of a column."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    kind = array.type
    if pa.types.is_floating(kind):
        return [None if value != value else value for value in array.to_numpy(zero_copy_only=False).tolist()]
    if (pa.types.is_integer(kind) or pa.types.is_boolean(kind)) and not array.null_count:
        return list(array.to_numpy(zero_copy_only=False).tolist())
    if pa.types.is_struct(kind) and not array.null_count:
        names = [kind.field(i).name for i in range(kind.num_fields)]
        children = [column_values(child) for child in array.flatten()]
        return [dict(zip(names, row, strict=True)) for row in zip(*children, strict=True)]
    if pa.types.is_list(kind) and not array.null_count:
        flat, offsets = column_values(array.values), array.offsets.to_pylist()
        return [flat[start:stop] for start, stop in pairwise(offsets)]
    return list(array.to_pylist(maps_as_pydicts="strict"))
