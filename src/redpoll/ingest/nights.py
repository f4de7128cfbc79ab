"""Survey, night and object of packets, read from their first bytes without decoding the rest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from redpoll.errors import PacketError, SchemaError
from redpoll.ingest.arrow_rows import ARROW_STREAM, DAMAGE
from redpoll.ingest.framing import Framing
from redpoll.ingest.schemas import SchemaLookup
from redpoll.schema.avro.prefix import rows_until_double
from redpoll.schema.avro.tree import parse_schema
from redpoll.schema.survey import OBJECT_ID, TRIGGER_TIME, nights_of_times, survey_of

_BEGINNING = 1024
"""Bytes of a datum in which the time of the triggering detection is looked for; surveys have it in the first 200."""


class PacketNight(NamedTuple):
    """Survey, night (0: not known), writer schema and object (None: not known) of a packet."""

    survey: str
    night: int
    schema: object
    object_id: str | None = None


class PacketNights:
    """Finds the nights of packets; the answer for a packet that cannot be used is None."""

    def __init__(self, schemas: SchemaLookup) -> None:
        self._framing = Framing(schemas)

    def __call__(self, packets: Sequence[bytes]) -> list[PacketNight | None]:
        """Survey, night and object of each packet; SourceError if a registry cannot be reached.

        None means that the decoder refuses the packet. Night 0 means that the night is not known: it lies too far from
        the beginning of the packet, or is no night, or cannot be read.
        """
        found: list[PacketNight | None] = [None] * len(packets)
        beginnings: dict[str, list[tuple[int, bytes]]] = defaultdict(list)
        for i, packet in enumerate(packets):
            if packet[:4] == ARROW_STREAM:
                found[i] = _of_row(packet)
                continue
            try:
                schema, start, stop = self._framing.datum_of(packet)
            except (PacketError, SchemaError):
                continue
            beginnings[schema].append((i, packet[start : min(stop, start + _BEGINNING)]))
        for schema, some in beginnings.items():
            if (survey := _survey_of(schema)) is None:
                continue
            for (i, _), one in zip(some, _of_datums(survey, schema, [datum for _, datum in some]), strict=True):
                found[i] = one
        return found


@lru_cache(maxsize=64)
def _survey_of(schema: str) -> str | None:
    """The survey whose packets have this schema; None if the decoder refuses it."""
    try:
        return survey_of(parse_schema(schema).arrow)
    except SchemaError:
        return None


def _of_datums(survey: str, schema: str, datums: Sequence[bytes]) -> list[PacketNight]:
    found = [PacketNight(survey, 0, schema)] * len(datums)
    with suppress(SchemaError):
        rows, numbers = rows_until_double(schema, TRIGGER_TIME[survey], datums)
        time: pa.Array = rows
        for name in TRIGGER_TIME[survey]:
            time = pa.compute.struct_field(time, name)
        nights = nights_of_times(survey, np.asarray(time.to_numpy(zero_copy_only=False), np.float64)).tolist()
        for number, night, name in zip(numbers.tolist(), nights, _object_ids(survey, rows), strict=True):
            found[number] = PacketNight(survey, night, schema, name)
    return found


def _object_ids(survey: str, rows: pa.StructArray) -> list[Any]:
    """The objects of rows; None where it is not among the first fields, or more than one field decides."""
    field = OBJECT_ID.get(survey)
    if field is None or field not in [child.name for child in rows.type]:
        return [None] * len(rows)
    return [None if name is None else str(name) for name in rows.field(field).to_pylist()]


def _of_row(packet: bytes) -> PacketNight | None:
    """The answer for an Arrow stream of one row."""
    try:
        size = 8 + int.from_bytes(packet[4:8], "little")
        message = packet[:size]
        survey, schema, column = _row_schema(message)
        trigger = pa.ipc.read_record_batch(pa.py_buffer(packet).slice(size), schema).column(column)
        trigger.validate(full=True)
        time = pa.compute.struct_field(trigger, TRIGGER_TIME[survey][1]).cast(pa.float64())
        values = np.asarray(time.to_numpy(zero_copy_only=False), np.float64)
        return PacketNight(survey, int(nights_of_times(survey, values[:1])[0]), message)
    except (SchemaError, *DAMAGE):
        return None


@lru_cache(maxsize=64)
def _row_schema(message: bytes) -> tuple[str, pa.Schema, int]:
    """Survey of rows with this schema message, the schema, and the column that holds the time."""
    schema = pa.ipc.read_schema(pa.py_buffer(message))
    survey = survey_of(pa.struct(list(schema)))
    return survey, schema, schema.get_field_index(TRIGGER_TIME[survey][0])
