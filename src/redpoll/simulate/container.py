"""Framing of alerts as the surveys do: an Avro object container, or a Confluent-framed message."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from redpoll.schema.packet_schemas import packet_schema
from redpoll.simulate.avro_rows import varint

_SYNC = b"redpoll-simulate"
Encoded = bytes | memoryview


class Encoder:
    """Encoder of alerts of one schema, with inner records and arrays that are already encoded."""

    def __init__(self, survey: str, version: str) -> None:
        schema = packet_schema(survey, version)
        text = json.dumps(schema, separators=(",", ":")).encode()
        metadata = prefixed(b"avro.codec") + prefixed(b"null") + prefixed(b"avro.schema") + prefixed(text)
        self._header = b"Obj\x01" + varint(2) + metadata + b"\x00" + _SYNC
        self._fields = [(field["name"], field["type"]) for field in schema["fields"]]

    def datum(self, alert: Mapping[str, Encoded | str | int | None]) -> bytes:
        """The Avro bytes of an alert; missing fields are null."""
        return b"".join(piece for name, kind in self._fields for piece in _value(kind, alert.get(name)))

    def container(self, alert: Mapping[str, Encoded | str | int | None]) -> bytes:
        """An Avro object container of one alert; the same alert gives the same bytes."""
        datum = self.datum(alert)
        return b"".join((self._header, varint(1), varint(len(datum)), datum, _SYNC))

    def framed(self, alert: Mapping[str, Encoded | str | int | None], schema_id: int) -> bytes:
        """A Confluent-framed alert: a zero byte, the schema's id in four bytes, the datum."""
        return b"\x00" + schema_id.to_bytes(4, "big") + self.datum(alert)


def prefixed(data: bytes) -> bytes:
    """Bytes or text as Avro writes them: the length, then the bytes."""
    return varint(len(data)) + data


def _value(kind: Any, value: Encoded | str | int | None) -> list[Encoded]:
    if isinstance(kind, list):
        if value is None:
            return [varint(kind.index("null"))]
        branch = 1 - kind.index("null")
        return [varint(branch), *_value(kind[branch], value)]
    if isinstance(value, str):
        return [prefixed(value.encode())]
    if isinstance(value, int):
        return [varint(value)]
    if value is None:
        raise TypeError(f"a field of type {kind} may not be null")
    return [prefixed(bytes(value))] if kind == "bytes" else [value]
