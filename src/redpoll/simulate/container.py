"""Avro as the surveys frame it: an object container of one alert, or a Confluent-framed datum."""

from __future__ import annotations

import io
from typing import Any

import fastavro

_SYNC = b"redpoll-simulate"


class Encoder:
    """Writes records of one schema; `parsed` once, used for every packet."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._schema = fastavro.parse_schema(schema)
        header = io.BytesIO()
        fastavro.writer(header, self._schema, [], sync_marker=_SYNC)
        self._header = header.getvalue()

    def datum(self, record: dict[str, Any]) -> bytes:
        """The bare Avro bytes of a record."""
        buffer = io.BytesIO()
        fastavro.schemaless_writer(buffer, self._schema, record)
        return buffer.getvalue()

    def container(self, record: dict[str, Any]) -> bytes:
        """An Avro object container of one record; the same record gives the same bytes."""
        datum = self.datum(record)
        return b"".join((self._header, b"\x02", _varint(len(datum)), datum, _SYNC))

    def framed(self, record: dict[str, Any], schema_id: int) -> bytes:
        """A Confluent-framed record: a zero byte, the schema's id in four bytes, the datum."""
        return b"\x00" + schema_id.to_bytes(4, "big") + self.datum(record)


def array(items: list[Any]) -> tuple[str, list[Any]] | None:
    """A nullable array as fastavro writes it fastest, told which branch of the union it is; None if empty."""
    return ("array", items) if items else None


def _varint(value: int) -> bytes:
    """A non-negative long as Avro writes it: zigzag, seven bits a byte."""
    rest, out = value << 1, bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*out, rest])
