"""Tree of an Avro schema, with the Arrow type of each node."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from redpoll.errors import SchemaError

MAX_NODES = 5_000
_DEPTH = 24
_MAX_TEXT = 4 << 20
_MAX_NAME = 1000
_PRIMITIVES = {
    "null": pa.null(),
    "boolean": pa.bool_(),
    "int": pa.int32(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "bytes": pa.binary_view(),
    "string": pa.string(),
}
_LOGICAL = {
    ("long", "timestamp-millis"): pa.timestamp("ms", "UTC"),
    ("long", "timestamp-micros"): pa.timestamp("us", "UTC"),
    ("int", "date"): pa.date32(),
}


@dataclass(frozen=True)
class AvroNode:
    """One value of the schema: its kind, name, Arrow type, children, and the union branch of null.

    ``null_index`` is -1 where the value cannot be null; ``size`` is the byte length of a fixed, or the
    number of symbols of an enum; ``min_bytes`` the minimum bytes of a value.
    """

    kind: str
    name: str
    arrow: pa.DataType
    children: tuple[AvroNode, ...] = ()
    null_index: int = -1
    size: int = 0
    symbols: tuple[str, ...] = ()

    @property
    def min_bytes(self) -> int:
        """Minimum bytes of a value."""
        if self.null_index >= 0:
            return 1
        own = {"null": 0, "float": 4, "double": 8, "fixed": self.size}.get(self.kind, 1)
        return sum(child.min_bytes for child in self.children) if self.kind == "record" else own


def parse_schema(text: str) -> AvroNode:
    """The tree of an Avro schema given as JSON text; SchemaError names what cannot be used and where."""
    if len(text) > _MAX_TEXT:
        raise SchemaError(f"the writer schema has {len(text)} characters; at most {_MAX_TEXT} are read")
    try:
        schema = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SchemaError(f"the writer schema is not JSON: {error}") from error
    reader = _SchemaReader()
    node = reader.node(schema, "", "", 0)
    if node.kind != "record" or node.null_index >= 0:
        raise SchemaError(f"the writer schema is a {node.kind}, not a record")
    return node


class _SchemaReader:
    """Resolves named types and counts nodes, so that a hostile schema cannot grow without bound."""

    def __init__(self) -> None:
        self.named: dict[str, Any] = {}
        self.open: list[str] = []
        self.count = 0

    def node(self, schema: Any, name: str, space: str, depth: int) -> AvroNode:
        self.count += 1
        if self.count > MAX_NODES or depth > _DEPTH:
            raise SchemaError(f"the writer schema has more than {MAX_NODES} fields or {_DEPTH} levels")
        if isinstance(schema, list):
            return self._union(schema, name, space, depth)
        if isinstance(schema, str):
            return self._reference(schema, name, space, depth)
        if isinstance(schema, dict) and isinstance(schema.get("type"), str):
            return self._complex(schema, name, space, depth)
        if isinstance(schema, dict) and isinstance(schema.get("type"), dict | list):
            return self.node(schema["type"], name, space, depth + 1)
        raise SchemaError(f"field '{name}' has no usable type: {_short(schema)}")

    def _union(self, branches: list[Any], name: str, space: str, depth: int) -> AvroNode:
        others = [b for b in branches if b != "null"]
        if len(branches) != 2 or len(others) != 1:
            raise SchemaError(f"field '{name}' is a union of {len(branches)} types; only null and one type is read")
        inner = self.node(others[0], name, space, depth + 1)
        if inner.null_index >= 0:
            raise SchemaError(f"field '{name}' is a union within a union")
        return replace(inner, null_index=branches.index("null"))

    def _reference(self, kind: str, name: str, space: str, depth: int) -> AvroNode:
        if kind in _PRIMITIVES:
            return AvroNode(kind, name, _PRIMITIVES[kind])
        full = kind if "." in kind or not space else f"{space}.{kind}"
        full = full if full in self.named else kind
        if full in self.open:
            raise SchemaError(f"field '{name}' makes type {_short(kind)} contain itself")
        if full not in self.named:
            raise SchemaError(f"field '{name}' has the unknown type {_short(kind)}")
        definition, space = self.named[full]
        return self._define(definition, full, name, space, depth)

    def _complex(self, schema: dict[str, Any], name: str, space: str, depth: int) -> AvroNode:
        kind = schema["type"]
        if kind == "array":
            item = self.node(schema.get("items"), "element", space, depth + 1)
            return AvroNode("array", name, pa.list_(_field(item)), (item,))
        if kind == "map":
            key, item = (
                AvroNode("string", "key", pa.string()),
                self.node(schema.get("values"), "value", space, depth + 1),
            )
            return AvroNode("map", name, pa.map_(pa.string(), _field(item)), (key, item))
        if kind in ("record", "enum", "fixed"):
            own = _text(schema.get("name"), f"the type of field '{name}'")
            space = own.rpartition(".")[0] or str(schema.get("namespace", space))
            full = own if "." in own or not space else f"{space}.{own}"
            self.named[full] = (schema, space)
            return self._define(schema, full, name, space, depth)
        if kind in _PRIMITIVES:
            return AvroNode(kind, name, _LOGICAL.get((kind, str(schema.get("logicalType"))), _PRIMITIVES[kind]))
        return self._reference(kind, name, space, depth)

    def _define(self, schema: dict[str, Any], full: str, name: str, space: str, depth: int) -> AvroNode:
        if schema["type"] == "enum":
            listed = schema.get("symbols")
            symbols = tuple(_text(s, f"a symbol of enum '{full}'") for s in listed) if isinstance(listed, list) else ()
            if not symbols:
                raise SchemaError(f"enum '{full}' has no symbols")
            return AvroNode("enum", name, pa.dictionary(pa.int32(), pa.string()), size=len(symbols), symbols=symbols)
        if schema["type"] == "fixed":
            size = schema.get("size")
            if not isinstance(size, int) or not 0 < size < 1 << 24:
                raise SchemaError(f"fixed '{full}' has no usable size")
            return AvroNode("fixed", name, pa.binary_view(), size=size)
        return self._record(schema, full, name, space, depth)

    def _record(self, schema: dict[str, Any], full: str, name: str, space: str, depth: int) -> AvroNode:
        fields = schema.get("fields")
        if not isinstance(fields, list) or not all(isinstance(f, dict) for f in fields):
            raise SchemaError(f"record '{full}' has no usable fields")
        self.open.append(full)
        children = tuple(
            self.node(f.get("type"), _text(f.get("name"), f"a field of '{full}'"), space, depth + 1) for f in fields
        )
        self.open.pop()
        if len({c.name for c in children}) != len(children):
            raise SchemaError(f"record '{full}' names a field twice")
        return AvroNode("record", name, pa.struct([_field(c) for c in children]), children)


def _text(value: Any, what: str) -> str:
    """A name as Arrow takes it: text that can be encoded as UTF-8, which lone surrogates cannot."""
    if not isinstance(value, str) or not value or len(value) > _MAX_NAME or not _is_unicode(value):
        raise SchemaError(f"{what} has no usable name: {_short(value)}")
    return value


def _is_unicode(value: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in value)


def _short(value: Any) -> str:
    return ascii(value)[:80]


def _field(node: AvroNode) -> pa.Field:
    return pa.field(node.name, node.arrow)
