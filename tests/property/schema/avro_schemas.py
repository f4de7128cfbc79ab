"""Random Avro schemas with random data, and an encoder that splits arrays into blocks as the format allows."""

from __future__ import annotations

import datetime as dt
import random
import struct
from typing import Any

from hypothesis import strategies as st

from redpoll.schema.avro.container import write_long

UTC = dt.UTC
SIMPLE = {
    "null": st.none(),
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "float": st.floats(width=32),
    "double": st.floats(),
    "bytes": st.binary(max_size=30),
    "string": st.text(max_size=15),
}
TIMES = st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1), timezones=st.just(UTC))
MILLIS = TIMES.map(lambda t: t.replace(microsecond=t.microsecond // 1000 * 1000))
LOGICAL = {
    ("long", "timestamp-micros"): TIMES,
    ("long", "timestamp-millis"): MILLIS,
    ("int", "date"): st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1)),
}


class Maker:
    """Draws a schema and the strategy of its values; remembers named types, to refer to them later."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.named: dict[str, st.SearchStrategy[Any]] = {}

    def kind(self, depth: int) -> tuple[Any, st.SearchStrategy[Any]]:
        """A type, possibly null, and its values."""
        schema, values = self._plain(depth)
        if schema == "null" or not self.draw(st.booleans()):
            return schema, values
        return self.draw(st.sampled_from([["null", schema], [schema, "null"]])), st.none() | values

    def record(self, depth: int) -> tuple[dict[str, Any], st.SearchStrategy[Any]]:
        """A record and its values."""
        name = f"r{len(self.named)}"
        self.named[name] = st.nothing()  # not to be referred to from within
        n = self.draw(st.integers(1 if depth == 0 else 0, 5))
        parts = [(f"f{k}", *self.kind(depth + 1)) for k in range(n)]
        values = st.fixed_dictionaries({field: value for field, _, value in parts})
        self.named[name] = values
        return {"type": "record", "name": name, "fields": [{"name": f, "type": t} for f, t, _ in parts]}, values

    def _plain(self, depth: int) -> tuple[Any, st.SearchStrategy[Any]]:
        known = [name for name, values in self.named.items() if not values.is_empty]
        kinds = ["simple", "simple", "simple", "logical", "enum", "fixed"]
        kinds += ["array", "map", "record"] if depth < 4 else []
        kinds += ["reference"] if known else []
        match self.draw(st.sampled_from(kinds)):
            case "simple":
                kind = self.draw(st.sampled_from(sorted(SIMPLE)))
                return (kind if self.draw(st.booleans()) or kind == "null" else {"type": kind}), SIMPLE[kind]
            case "logical":
                base, logical = self.draw(st.sampled_from(sorted(LOGICAL)))
                return {"type": base, "logicalType": logical}, LOGICAL[base, logical]
            case "array":
                item, values = self.kind(depth + 1)
                return {"type": "array", "items": item}, st.lists(values, max_size=4)
            case "map":
                item, values = self.kind(depth + 1)
                return {"type": "map", "values": item}, st.dictionaries(st.text(max_size=4), values, max_size=3)
            case "record":
                return self.record(depth)
            case "reference":
                name = self.draw(st.sampled_from(known))
                return name, self.named[name]
            case kind:
                return self._named(kind)

    def _named(self, kind: str) -> tuple[dict[str, Any], st.SearchStrategy[Any]]:
        name = f"{kind}{len(self.named)}"
        if kind == "enum":
            symbols = [f"S{k}" for k in range(self.draw(st.integers(1, 4)))]
            self.named[name] = st.sampled_from(symbols)
            return {"type": "enum", "name": name, "symbols": symbols}, self.named[name]
        size = self.draw(st.sampled_from([1, 4, 12, 13, 40]))
        self.named[name] = st.binary(min_size=size, max_size=size)
        return {"type": "fixed", "name": name, "size": size}, self.named[name]


@st.composite
def schemas_with_rows(draw: st.DrawFn, max_rows: int = 6) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A record schema and rows of it."""
    schema, values = Maker(draw).record(0)
    return schema, draw(st.lists(values, max_size=max_rows))


def in_blocks(schema: Any, value: Any, rng: random.Random) -> bytes:
    """The value's bytes with arrays and maps in blocks of random length, some with their size in bytes."""
    named: dict[str, Any] = {}
    _learn(schema, named)
    return _in_blocks(schema, value, rng, named)


def _in_blocks(schema: Any, value: Any, rng: random.Random, named: dict[str, Any]) -> bytes:
    if isinstance(schema, list):
        at = next(k for k, branch in enumerate(schema) if (branch == "null") == (value is None))
        return write_long(at) + _in_blocks(schema[at], value, rng, named)
    if isinstance(schema, str):
        return _in_blocks(named[schema], value, rng, named) if schema in named else _simple(schema, value)
    kind = schema["type"]
    if kind == "record":
        return b"".join(_in_blocks(f["type"], value[f["name"]], rng, named) for f in schema["fields"])
    if kind == "enum":
        return write_long(schema["symbols"].index(value))
    if kind == "fixed":
        return value
    if kind == "array":
        return _blocks([_in_blocks(schema["items"], one, rng, named) for one in value], rng)
    if kind == "map":
        items = [_simple("string", k) + _in_blocks(schema["values"], v, rng, named) for k, v in value.items()]
        return _blocks(items, rng)
    return _simple(kind, _number(value, schema.get("logicalType")))


def _learn(schema: Any, named: dict[str, Any]) -> None:
    """Find the named types."""
    if isinstance(schema, list):
        for branch in schema:
            _learn(branch, named)
    if isinstance(schema, dict):
        if "name" in schema:
            named[schema["name"]] = schema
        for inner in (schema.get("items"), schema.get("values"), *[f["type"] for f in schema.get("fields", [])]):
            _learn(inner, named)


def _blocks(items: list[bytes], rng: random.Random) -> bytes:
    out = b""
    while items:
        n = rng.randint(1, len(items))
        body, items = b"".join(items[:n]), items[n:]
        out += write_long(n) + body if rng.random() < 0.5 else write_long(-n) + write_long(len(body)) + body
    return out + (b"\0" if rng.random() < 0.9 else b"\x80\0")


def _number(value: Any, logical: str | None) -> Any:
    if logical == "date":
        return (value - dt.date(1970, 1, 1)).days
    if logical:
        micros = (value - dt.datetime(1970, 1, 1, tzinfo=UTC)) // dt.timedelta(microseconds=1)
        return micros if logical == "timestamp-micros" else micros // 1000
    return value


def _simple(kind: str, value: Any) -> bytes:
    match kind:
        case "null":
            return b""
        case "boolean":
            return bytes([value])
        case "int" | "long":
            return write_long(value)
        case "float":
            return struct.pack("<f", value)
        case "double":
            return struct.pack("<d", value)
        case "string":
            return write_long(len(value.encode())) + value.encode()
        case _:
            return write_long(len(value)) + value
