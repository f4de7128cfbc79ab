"""Which columns of a batch are indexed, which are topics, and the record of all columns."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa

from redpoll.errors import StoreError
from redpoll.schema.alert import COLUMNS, CUTOUTS, PACKET
from redpoll.schema.classifications import CLASSES
from redpoll.schema.column import field_fact
from redpoll.schema.names import COLUMN_NAME, PASS
from redpoll.store.types import join_types, plain_type, read_type, write_type

HISTORY_NEWS = "history_news"
"""Column with what each packet adds to the stored history of its object; it is not archived."""
CORE = ("alert_id", "night", "mjd", "ra", "dec", "hpx29")
"""Columns every index has from the start, besides survey and object_id, which are stored as keys."""
KEYS = ("survey", "object_id")
_DESCRIBED = ("unit", "doc", "ucd", "label", "aggregate")
_RANK = {name: i for i, name in enumerate(COLUMNS)} | {PACKET: len(COLUMNS) + 1}


def indexed_columns(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The columns of a batch that `commit` reads: scalars for the index, the topics and the classes.

    A worker sends this to the writer instead of the whole batch, whose cutouts and histories are in the segment.
    """
    return batch.select([f.name for f in batch.schema if belongs_in_index(f)])


def one_batch(table: pa.Table) -> pa.RecordBatch:
    """The rows of a table as one batch, also if there are none."""
    if not table.num_rows:
        return pa.RecordBatch.from_pylist([], schema=table.schema)
    (batch,) = table.combine_chunks().to_batches()
    return batch


def belongs_in_index(field: pa.Field) -> bool:
    """Whether the index is made from this column."""
    return is_indexed(field) or is_topic(field) or is_classes(field) or field.name == HISTORY_NEWS


def is_indexed(field: pa.Field) -> bool:
    """Whether a column goes into the index: marked indexed and of a type SQLite can hold."""
    return field_fact(field, "indexed") != "0" and not is_topic(field) and _dtype(field.type) is not None


def is_topic(field: pa.Field) -> bool:
    """Whether a column holds which alerts passed a filter."""
    name: str = field.name
    return name.startswith(PASS) and bool(pa.types.is_boolean(field.type))


def is_classes(field: pa.Field) -> bool:
    """Whether a column is the list of classifications of each alert."""
    return bool(field.name == CLASSES and pa.types.is_list(field.type) and pa.types.is_struct(field.type.value_type))


def check_names(schema: pa.Schema) -> None:
    """Raise StoreError if a column's name is not a lower-case identifier, or stands twice."""
    for name in schema.names:
        if not COLUMN_NAME.fullmatch(name):
            raise StoreError(f"column '{name}' cannot be stored: names are small letters, digits and underscores")
    if len(set(schema.names)) < len(schema.names):
        raise StoreError(f"a column stands twice in {', '.join(schema.names)}")


def provenance(schema: pa.Schema) -> str:
    """Column -> module@version of the columns that name their maker, as JSON with sorted keys."""
    made = {field.name: by for field in schema if (by := field_fact(field, "by"))}
    return json.dumps(made, sort_keys=True)


def rank(name: str) -> tuple[int, str]:
    """Where a column stands among the others: those of the data model first, then those of modules by name.

    >>> sorted(["packet", "rise_rate", "mjd", "age", "survey"], key=rank)
    ['survey', 'mjd', 'age', 'rise_rate', 'packet']
    """
    return _RANK.get(name, len(COLUMNS)), name


def values(column: pa.Array) -> list[Any]:
    """Python values for SQLite; unknown (null or NaN) is None or NaN, which SQLite stores as NULL."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    numeric = pa.types.is_floating(column.type) or (pa.types.is_integer(column.type) and not column.null_count)
    return list(column.to_numpy(zero_copy_only=False).tolist() if numeric else column.to_pylist())


def register(connection: sqlite3.Connection, schema: pa.Schema) -> None:
    """Record the columns of an archived batch, and add those not seen before to the index."""
    check_names(schema)
    stored = {row[0]: row[1:] for row in connection.execute("SELECT * FROM columns")}
    for field in schema:
        before = stored.get(field.name)
        facts = (*_facts(field), *_joined(before[-2:] if before else None, field.type))
        if before != facts:
            sql = "INSERT INTO columns VALUES (?,?,?,?,?,?,?,?,?,?) ON CONFLICT (name) DO UPDATE SET"
            sql += " dtype = excluded.dtype, unit = excluded.unit, doc = excluded.doc, ucd = excluded.ucd,"
            sql += " label = excluded.label, aggregate = excluded.aggregate, type = excluded.type,"
            sql += " mixed = excluded.mixed, indexed = max(indexed, excluded.indexed)"
            connection.execute(sql, (field.name, *facts))
    indexed = [f for f in schema if is_indexed(f) and f.name not in KEYS]
    _add(connection, "alerts", (f.name for f in indexed))
    _add(connection, "objects", (f"{how}_{name}" for name, how in aggregate_columns(schema)))


def field_facts(connection: sqlite3.Connection) -> dict[str, dict[bytes, bytes]]:
    """Column -> unit, doc, ucd, label and aggregate as the metadata of its field."""
    sql = f"SELECT name, {', '.join(_DESCRIBED)} FROM columns"
    return {
        name: {key.encode(): value.encode() for key, value in zip(_DESCRIBED, facts, strict=True)}
        for name, *facts in connection.execute(sql)
    }


def aggregate_columns(schema: pa.Schema) -> list[tuple[str, str]]:
    """(name, "max" or "min") of the columns whose best value an object keeps."""
    indexed = (f for f in schema if is_indexed(f) and (pa.types.is_floating(f.type) or pa.types.is_integer(f.type)))
    return [(f.name, field_fact(f, "aggregate")) for f in indexed if field_fact(f, "aggregate") in ("max", "min")]


def table_columns(connection: sqlite3.Connection, table: str) -> list[str]:
    """Names of the columns of an index table, in order."""
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]


def filled(column: pa.Array, missing: Any) -> np.ndarray[Any, Any]:
    """The column as numpy, nulls replaced."""
    return np.asarray(column.fill_null(missing).to_numpy(zero_copy_only=False))


def _add(connection: sqlite3.Connection, table: str, names: Iterable[str]) -> None:
    present = set(table_columns(connection, table))
    for name in names:
        if name not in present:
            connection.execute(f'ALTER TABLE {table} ADD COLUMN "{name}"')


def _joined(before: tuple[bytes, int] | None, kind: pa.DataType) -> tuple[bytes, int]:
    """The type that holds the values of every batch so far, serialized, and whether their Python types differ."""
    fresh = write_type(plain_type(kind))
    if before is None or before[0] == fresh:
        return fresh, before[1] if before else 0
    old = read_type(before[0])
    mixed = before[1] or python_type(old) != python_type(kind)
    return write_type(join_types(old, plain_type(kind))), int(mixed)


def _facts(field: pa.Field) -> tuple[str, str, str, str, str, int, str]:
    dtype = _dtype(field.type) or ("bytes" if field.name in CUTOUTS else "struct" if field.name == PACKET else "list")
    unit, doc, ucd, label, best = (field_fact(field, key) for key in ("unit", "doc", "ucd", "label", "aggregate"))
    return dtype, unit, doc, ucd, label, int(is_indexed(field)), best


def python_type(kind: pa.DataType) -> type:
    """The Python type of the values of an indexed column."""
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    if pa.types.is_boolean(kind):
        return bool
    if pa.types.is_integer(kind):
        return int
    return float if pa.types.is_floating(kind) else str


def _dtype(kind: pa.DataType) -> str | None:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return "string"
    if pa.types.is_boolean(kind):
        return "bool"
    if pa.types.is_floating(kind) or (pa.types.is_integer(kind) and kind != pa.uint64()):
        return {"float": "float32", "double": "float64", "halffloat": "float16"}.get(str(kind), str(kind))
    return None
