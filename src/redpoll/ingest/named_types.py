"""Resolution of named types in Avro schemas that refer to other schemas."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from redpoll.errors import SchemaError

_PRIMITIVE = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})
_NAMED = frozenset({"record", "error", "enum", "fixed"})
MAX_NESTING = 64


def self_contained(text: str, load: Callable[[str], str | None], what: str) -> str:
    """The schema `text`, with each type defined elsewhere inserted where it is first used.

    Parameters
    ----------
    text
        A schema as JSON.
    load
        Returns the schema of a full name such as ``lsst.v9_0.diaSource``, or None.
    what
        Description of the schema for messages.

    Raises
    ------
    SchemaError
        If it is not a schema, or names a type that `load` does not return.

    Examples
    --------
    >>> inner = '{"type": "fixed", "name": "a.hash", "size": 4}'
    >>> self_contained('{"type": "array", "items": "a.hash"}', {"a.hash": inner}.get, "an example")
    '{"type": "array", "items": {"type": "fixed", "name": "a.hash", "size": 4}}'
    """
    resolver = _Resolver(load, what)
    return json.dumps(resolver.resolve(resolver.parsed(text), "", 0))


class _Resolver:
    """Walks a schema in the order of its text, in which names are defined before they are used."""

    def __init__(self, load: Callable[[str], str | None], what: str) -> None:
        self._load, self._what = load, what
        self._defined: set[str] = set()

    def parsed(self, text: str) -> Any:
        try:
            schema = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise SchemaError(f"{self._what}: not JSON ({error}); check its source") from error
        if not isinstance(schema, str | dict | list):
            raise SchemaError(f"{self._what}: {type(schema).__name__} is no Avro schema")
        return schema

    def resolve(self, schema: Any, namespace: str, depth: int) -> Any:
        if depth > MAX_NESTING:
            raise SchemaError(f"{self._what}: nested deeper than {MAX_NESTING}")
        if isinstance(schema, str):
            return self._named(schema, namespace, depth)
        if isinstance(schema, list):
            return [self.resolve(branch, namespace, depth + 1) for branch in schema]
        if not isinstance(schema, dict) or "type" not in schema:
            raise SchemaError(f"{self._what}: {str(schema)[:80]} is no Avro type")
        return self._complex(schema, namespace, depth)

    def _named(self, name: str, namespace: str, depth: int) -> Any:
        full = name if "." in name or not namespace else f"{namespace}.{name}"
        if name in _PRIMITIVE or full in self._defined or name in self._defined:
            return name
        for known in dict.fromkeys((full, name)):
            if (text := self._load(known)) is not None:
                return self.resolve(self.parsed(text), "", depth + 1)
        raise SchemaError(f"{self._what}: type '{full}' is neither in it nor in another file; add its .avsc file")

    def _complex(self, schema: dict[str, Any], namespace: str, depth: int) -> dict[str, Any]:
        kind, out = schema["type"], dict(schema)
        if kind in ("array", "map"):
            key = "items" if kind == "array" else "values"
            out[key] = self.resolve(schema.get(key), namespace, depth + 1)
        elif not isinstance(kind, str) or kind not in _NAMED:
            out["type"] = self.resolve(kind, namespace, depth + 1)
        else:
            inner = self._define(schema, namespace)
            if kind in ("record", "error"):
                out["fields"] = [self.resolve(f, inner, depth + 1) for f in self._fields(schema)]
        return out

    def _fields(self, schema: dict[str, Any]) -> list[Any]:
        fields = schema.get("fields")
        if not isinstance(fields, list):
            raise SchemaError(f"{self._what}: record {str(schema.get('name'))[:80]} has no list of fields")
        return fields

    def _define(self, schema: dict[str, Any], namespace: str) -> str:
        """Record the type's full name, and return the namespace within it."""
        name, own = str(schema.get("name", "")), schema.get("namespace", namespace)
        full = name if "." in name or not own else f"{own}.{name}"
        self._defined.add(full)
        return full.rpartition(".")[0]
