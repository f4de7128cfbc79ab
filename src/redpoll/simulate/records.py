"""From columns to the records that Avro writes."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from numpy.typing import NDArray

from redpoll.schema.packet_schemas import packet_schema


@lru_cache(maxsize=8)
def field_names(survey: str, version: str) -> dict[str, list[str]]:
    """Names of the fields of each record of a packet's schema, in order, by the record's name without namespace.

    >>> field_names("rubin", "10.0")["diaForcedSource"][:3]
    ['diaForcedSourceId', 'diaObjectId', 'ra']
    """
    found: dict[str, list[str]] = {}
    schema = packet_schema(survey, version)
    _visit(schema, schema["name"].removesuffix("alert"), found)
    return found


def _visit(kind: Any, namespace: str, found: dict[str, list[str]]) -> None:
    if isinstance(kind, list):
        for each in kind:
            _visit(each, namespace, found)
    elif isinstance(kind, dict) and kind["type"] == "array":
        _visit(kind["items"], namespace, found)
    elif isinstance(kind, dict) and kind["type"] == "record":
        found[kind["name"].removeprefix(namespace)] = [field["name"] for field in kind["fields"]]
        for field in kind["fields"]:
            _visit(field["type"], namespace, found)


def records(columns: dict[str, NDArray], names: list[str]) -> list[dict[str, Any]]:
    """One dict a row, with every name in order; a name that has no column is null."""
    n = len(next(iter(columns.values())))
    values = [columns[name].tolist() if name in columns else [None] * n for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]
