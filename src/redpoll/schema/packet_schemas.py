"""Avro schemas of alert packets, with the field names, types and order of the surveys.

The files in `packet_schemas/` hold one field a line, `name type`, under the `[record]` it belongs to; a type ends
in `[]` for an array and in `?` where null is allowed. ``long:timestamp-micros`` names a logical type, and
``int?=0`` a default other than null. They serve to read real packets and to write simulated ones.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib import resources
from typing import Any

from redpoll.errors import SchemaError

_PRIMITIVES = frozenset({"string", "long", "int", "float", "double", "boolean", "bytes"})
_LINE = re.compile(
    r"(?P<name>\w+) (?P<base>[\w.]+?)(?::(?P<logical>[\w-]+))?(?P<array>\[\])?(?P<null>\?)?(?:=(?P<default>.+))?"
)
_VERSIONS = {"ztf": ("3.3", "4.02"), "rubin": ("9.0", "10.0", "11.0", "11.1"), "elasticc": ("0.9",)}


def known_versions(survey: str) -> tuple[str, ...]:
    """Versions of a survey's packet schema that `packet_schema` supports, oldest first.

    >>> known_versions("ztf")
    ('3.3', '4.02')
    """
    if survey not in _VERSIONS:
        raise SchemaError(f"no packet schemas of survey '{survey}'; known: {', '.join(_VERSIONS)}")
    return _VERSIONS[survey]


def packet_schema(survey: str, version: str) -> dict[str, Any]:
    """Avro schema of a survey's packets as parsed JSON; a new dict for each call.

    Parameters
    ----------
    survey
        ``"ztf"``, ``"rubin"`` or ``"elasticc"``.
    version
        As the survey writes it: ``"4.02"``, ``"10.0"``.

    Raises
    ------
    SchemaError
        If the survey or its version is unknown.

    Examples
    --------
    >>> packet_schema("rubin", "10.0")["name"]
    'lsst.v10_0.alert'
    """
    if version not in known_versions(survey):
        raise SchemaError(f"no packet schema {survey} {version}; known: {', '.join(known_versions(survey))}")
    schema: dict[str, Any] = json.loads(_compiled(survey, version))
    return schema


def confluent_schema(schema_id: int) -> dict[str, Any] | None:
    """Schema of Rubin packets framed with this registry id, which is major * 100 + minor; None if unknown.

    >>> confluent_schema(1101)["name"]
    'lsst.v11_1.alert'
    """
    version = f"{schema_id // 100}.{schema_id % 100}"
    return packet_schema("rubin", version) if version in _VERSIONS["rubin"] else None


@cache
def _compiled(survey: str, version: str) -> str:
    text = (resources.files("redpoll.schema") / "packet_schemas" / f"{survey}_{version}.txt").read_text("ascii")
    namespace, records = _parse(text)
    schema = _record("alert", namespace, records, set())
    if survey == "ztf":
        schema["version"] = version
    return json.dumps(schema)


def _parse(text: str) -> tuple[str, dict[str, list[re.Match[str]]]]:
    """The namespace and the fields of each record."""
    first, *lines = text.splitlines()
    records: dict[str, list[re.Match[str]]] = {}
    for line in filter(None, lines):
        if line.startswith("["):
            fields = records.setdefault(line.strip("[]"), [])
        elif match := _LINE.fullmatch(line):
            fields.append(match)
        else:
            raise SchemaError(f"cannot read the schema line '{line}'; write 'name type'")
    return first.removeprefix("namespace "), records


def _record(name: str, namespace: str, records: dict[str, list[re.Match[str]]], seen: set[str]) -> dict[str, Any]:
    """A record with its inner records defined where they first occur, as Avro requires."""
    seen.add(name)
    fields = [_field(match, namespace, records, seen) for match in records[name]]
    return {"type": "record", "name": f"{namespace}.{name}", "fields": fields}


def _field(
    match: re.Match[str], namespace: str, records: dict[str, list[re.Match[str]]], seen: set[str]
) -> dict[str, Any]:
    base = match["base"]
    kind: Any
    if base in _PRIMITIVES:
        kind = {"type": base, "logicalType": match["logical"]} if match["logical"] else base
    elif base in seen:
        kind = f"{namespace}.{base}"
    else:
        kind = _record(base, namespace, records, seen)
    if match["array"]:
        kind = {"type": "array", "items": kind}
    if match["default"]:
        return {"name": match["name"], "type": [kind, "null"], "default": json.loads(match["default"])}
    if match["null"]:
        return {"name": match["name"], "type": ["null", kind], "default": None}
    return {"name": match["name"], "type": kind}
