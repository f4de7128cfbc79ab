"""Alert tables of packets that are Arrow streams of one row, made from Parquet copies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.config import QualityConfig
from redpoll.errors import PacketError, SchemaError
from redpoll.schema.survey import to_alerts

ARROW_STREAM = b"\xff\xff\xff\xff"
DAMAGE = (pa.ArrowException, OSError, ValueError, LookupError, MemoryError)
"""Exceptions that Arrow raises on damaged streams, including those of Python when it decodes their text."""


def decode_rows(
    packets: Sequence[tuple[int, memoryview]], errors: dict[int, str], quality: QualityConfig
) -> list[tuple[pa.RecordBatch | None, NDArray[np.int64]]]:
    """Alert tables of numbered packets, one per schema, with the numbers of its rows; fills ``errors``."""
    groups: dict[bytes, list[tuple[int, pa.RecordBatch]]] = defaultdict(list)
    for i, packet in packets:
        try:
            row = _one_row(packet)
            groups[_schema_message(packet)].append((i, row))
        except PacketError as error:
            errors[i] = str(error)
    found = []
    for group in groups.values():
        found += _to_alerts(group, errors, quality)
    return found


def _to_alerts(
    group: list[tuple[int, pa.RecordBatch]], errors: dict[int, str], quality: QualityConfig
) -> list[tuple[pa.RecordBatch | None, NDArray[np.int64]]]:
    """One alert table of rows with one schema; if that fails, one table per row."""
    try:
        table = pa.Table.from_batches([row for _, row in group]).combine_chunks()
        return [(to_alerts(table.to_struct_array().combine_chunks(), quality), np.array([i for i, _ in group]))]
    except (SchemaError, *DAMAGE) as error:
        if len(group) > 1:
            return [found for one in group for found in _to_alerts([one], errors, quality)]
        errors[group[0][0]] = str(error)
        return []


def _schema_message(packet: memoryview) -> bytes:
    """The first message of a stream, which is the same for all rows of a table."""
    return bytes(packet[: 8 + int.from_bytes(packet[4:8], "little")])


def _one_row(packet: memoryview) -> pa.RecordBatch:
    """The row of a stream, validated, because Arrow does not check the offsets in a stream."""
    try:
        table = pa.ipc.open_stream(packet).read_all()
        table.validate(full=True)
    except DAMAGE as error:
        raise PacketError(f"an Arrow stream that cannot be read: {error}") from error
    if table.num_rows != 1:
        raise PacketError(f"an Arrow stream of {table.num_rows} rows; a packet holds one")
    return table.combine_chunks().to_batches()[0]
