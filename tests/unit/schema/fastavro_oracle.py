"""What fastavro says: encoding, decoding and exact comparison, for tests of our own decoder."""

from __future__ import annotations

import io
import json
import math
from typing import Any

import fastavro
import numpy as np
import pyarrow as pa

from redpoll.schema.avro.decoder import Decoded, decode

PRIMITIVES = {
    "null": pa.null(), "boolean": pa.bool_(), "int": pa.int32(), "long": pa.int64(), "float": pa.float32(),
    "double": pa.float64(), "bytes": pa.binary_view(), "string": pa.string(),
}  # fmt: skip

LOGICAL = {
    "timestamp-millis": pa.timestamp("ms", "UTC"), "timestamp-micros": pa.timestamp("us", "UTC"), "date": pa.date32()
}  # fmt: skip


def record(*fields: tuple[str, Any], name: str = "r") -> dict[str, Any]:
    """A record schema of (name, type) pairs."""
    return {"type": "record", "name": name, "fields": [{"name": n, "type": t} for n, t in fields]}


def encode(schema: dict[str, Any], *records: dict[str, Any]) -> list[bytes]:
    """Schemaless datums, written by fastavro."""
    parsed, found = fastavro.parse_schema(json.loads(json.dumps(schema))), []
    for one in records:
        out = io.BytesIO()
        fastavro.schemaless_writer(out, parsed, one)
        found.append(out.getvalue())
    return found


def read(schema: dict[str, Any], datum: bytes) -> dict[str, Any]:
    """The record of a schemaless datum, read by fastavro."""
    return fastavro.schemaless_reader(io.BytesIO(datum), fastavro.parse_schema(json.loads(json.dumps(schema))), None)


def container(schema: dict[str, Any], *records: dict[str, Any], **options: Any) -> bytes:
    """An object container, written by fastavro."""
    out = io.BytesIO()
    fastavro.writer(out, schema, records, **options)
    return out.getvalue()


def decode_all(schema: dict[str, Any], *datums: bytes) -> Decoded:
    """Our decoder's answer for datums laid end to end."""
    stops = np.cumsum([len(datum) for datum in datums], dtype=np.int64)
    starts = np.concatenate([[0], stops])[:-1].astype(np.int64)
    return decode(json.dumps(schema), pa.py_buffer(b"".join(datums)), starts, stops)


def is_same(found: Any, expected: Any) -> bool:
    """Whether a value from Arrow is the one from fastavro: same type, NaN equals NaN and differs from None."""
    if isinstance(expected, dict) and isinstance(found, list):
        found = dict(found)  # Arrow gives a map as a list of pairs
    if isinstance(expected, dict):
        return (
            type(found) is dict and list(found) == list(expected) and all(is_same(found[k], expected[k]) for k in found)
        )
    if isinstance(expected, list):
        return type(found) is list and len(found) == len(expected) and all(map(is_same, found, expected))
    if type(found) is not type(expected):
        return False
    return found == expected or (isinstance(expected, float) and math.isnan(found) and math.isnan(expected))


def arrow_type(schema: Any, known: dict[str, Any] | None = None, space: str = "") -> pa.DataType:
    """The Arrow type that a schema must become, worked out apart from the decoder."""
    known = {} if known is None else known
    if isinstance(schema, list):
        (schema,) = [branch for branch in schema if branch != "null"]
    if isinstance(schema, str):
        if schema in PRIMITIVES:
            return PRIMITIVES[schema]
        return known[schema if schema in known else f"{space}.{schema}"]
    kind = schema["type"]
    if isinstance(kind, dict | list):
        return arrow_type(kind, known, space)
    if kind == "array":
        return pa.list_(pa.field("element", arrow_type(schema["items"], known, space)))
    if kind == "map":
        return pa.map_(pa.string(), pa.field("value", arrow_type(schema["values"], known, space)))
    if schema.get("logicalType") in LOGICAL:
        return LOGICAL[schema["logicalType"]]
    if kind not in ("record", "enum", "fixed"):
        return arrow_type(kind, known, space)
    space, name = schema.get("namespace", space), schema["name"]
    space = name.rpartition(".")[0] or space
    full = name if "." in name or not space else f"{space}.{name}"
    known[full] = _named_type(schema, known, space)
    return known[full]


def _named_type(schema: dict[str, Any], known: dict[str, Any], space: str) -> pa.DataType:
    if schema["type"] == "enum":
        return pa.dictionary(pa.int32(), pa.string())
    if schema["type"] == "fixed":
        return pa.binary_view()
    return pa.struct([pa.field(f["name"], arrow_type(f["type"], known, space)) for f in schema["fields"]])
