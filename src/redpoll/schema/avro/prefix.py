"""The first fields of many packets, read without the rest of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.errors import SchemaError
from redpoll.schema.avro.decoder import decode_beginnings
from redpoll.schema.avro.program import Program, compile_tree
from redpoll.schema.avro.tree import AvroNode, parse_schema


def rows_until_double(
    schema_text: str, path: Sequence[str], datums: Sequence[bytes]
) -> tuple[pa.StructArray, NDArray[np.int64]]:
    """The fields of each datum up to the double at a path of field names, and the numbers of the datums that have them.

    A datum that cannot be read so far has no row. `datums` may be cut after the value: what follows it is not read.

    Raises
    ------
    SchemaError
        If the schema cannot be used, or has no double at this path.
    """
    program = _program_until(schema_text, tuple(path))
    found, numbers = [], []
    first = 0
    while first < len(datums):  # reading stops at a datum that cannot be read, and goes on after it
        rows, n_read = decode_beginnings(program, datums[first:])
        found.append(rows)
        numbers.append(np.arange(first, first + len(rows)))
        first += n_read
    return pa.concat_arrays(found), np.concatenate(numbers)


@lru_cache(maxsize=64)
def _program_until(schema_text: str, path: tuple[str, ...]) -> Program:
    return compile_tree(_until(parse_schema(schema_text), path))


def _until(node: AvroNode, path: tuple[str, ...]) -> AvroNode:
    """The record with its fields up to the one at the path."""
    names = [child.name for child in node.children] if node.kind == "record" else []
    if path[0] not in names:
        raise SchemaError(f"the writer schema has no field {path[0]}")
    at = names.index(path[0])
    last = node.children[at]
    if len(path) > 1:
        last = _until(last, path[1:])
    elif last.kind != "double":
        raise SchemaError(f"{path[0]} is a {last.kind}, not a double")
    children = (*node.children[:at], last)
    fields = [pa.field(child.name, child.arrow) for child in children]
    return replace(node, children=children, arrow=pa.struct(fields))
