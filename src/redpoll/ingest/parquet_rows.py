"""Packets from rows of Parquet copies: one Arrow IPC stream of one row each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from redpoll.errors import SourceError
from redpoll.ingest.origin import Origin
from redpoll.plugin.ports import ReceivedPacket

ALERT_COLUMNS = ("candidate", "diaSource")
_ROWS_AT_ONCE = 64
_DAMAGE = (pa.ArrowException, OSError, ValueError, LookupError, ArithmeticError)
"""Exceptions that Arrow raises on damaged files, including those of Python when it decodes their text."""
_END_OF_STREAM = b"\xff\xff\xff\xff\x00\x00\x00\x00"


def is_packet_table(file: str | BinaryIO) -> bool:
    """Whether a Parquet file has a column that only alerts have; SourceError if it cannot be read."""
    with _opened(file, Origin(str(file))) as table:
        return _has_alerts(table.schema_arrow)


def row_packets(
    file: str | BinaryIO, origin: Origin, *, on_row: Callable[[float], None] = lambda done: None
) -> Iterator[ReceivedPacket]:
    """Packets of all rows; `on_row` is called with the fraction of rows returned, 0 to 1.

    Raises
    ------
    SourceError
        If the file is not Parquet or its rows are not alerts; or, after the rows before it, at damage.
    """
    with _opened(file, origin) as table:
        schema, n_rows, row = table.schema_arrow, table.metadata.num_rows, 0
        if not _has_alerts(schema):
            wanted = " nor ".join(ALERT_COLUMNS)
            raise SourceError(
                f"{origin}: rows of this Parquet file are not alerts: it has no struct {wanted}; leave it out"
            )
        for batch in _batches(table, origin):
            for data in _rows(batch):
                row += 1
                on_row(min(1.0, row / max(n_rows, 1)))
                yield origin.within(f"row {row}").packet(data)
        if row != n_rows:
            raise SourceError(f"{origin}: {row} rows where the Parquet file claims {n_rows}; copy it again")


def _has_alerts(schema: pa.Schema) -> bool:
    return any(field.name in ALERT_COLUMNS and pa.types.is_struct(field.type) for field in schema)


def _opened(file: str | BinaryIO, origin: Origin) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(file)
    except _DAMAGE as error:
        raise SourceError(f"{origin}: not a Parquet file that can be read ({error}); copy it again") from error


def _batches(table: pq.ParquetFile, origin: Origin) -> Iterator[pa.RecordBatch]:
    try:
        yield from table.iter_batches(batch_size=_ROWS_AT_ONCE)
    except _DAMAGE as error:
        raise SourceError(
            f"{origin}: the Parquet file is damaged ({error}); rows before were read. Copy it again"
        ) from error


def _rows(batch: pa.RecordBatch) -> Iterator[bytes]:
    """IPC streams of one row each; the schema message is serialised once."""
    if any(map(_has_dictionary, batch.schema.types)):
        yield from (_stream(batch.slice(i, 1)) for i in range(batch.num_rows))
        return
    head = batch.schema.serialize().to_pybytes()
    for i in range(batch.num_rows):
        yield b"".join((head, batch.slice(i, 1).serialize(), _END_OF_STREAM))


def _stream(batch: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    data: bytes = sink.getvalue().to_pybytes()
    return data


def _has_dictionary(kind: pa.DataType) -> bool:
    return pa.types.is_dictionary(kind) or any(_has_dictionary(kind.field(i).type) for i in range(kind.num_fields))
