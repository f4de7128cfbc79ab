"""Writers of tables, one per format, that take record batches and need memory for one of them."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import BinaryIO, Literal, Protocol

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as parquet

from redpoll.errors import UsageError
from redpoll.formats.sink import ByteSink
from redpoll.formats.text import is_flat, plain_batch, plain_field, text_column
from redpoll.formats.values import plain_rows, to_json
from redpoll.formats.votable import VotableWriter
from redpoll.schema.table_rows import table_rows

Format = Literal["json", "csv", "votable", "parquet", "arrow", "arrow_file"]
"""``arrow`` is Arrow's IPC stream, ``arrow_file`` its IPC file."""
_GROUP_BYTES = 32 << 20
_GROUP_ROWS = 100_000


class TableWriter(Protocol):
    """Writes record batches of one schema as one table."""

    def write(self, batch: pa.RecordBatch) -> None:
        """Write the rows of a batch."""
        ...

    def close(self) -> None:
        """Write what ends the table; the file that it is written to stays open."""
        ...


def open_writer(format: Format, file: BinaryIO, schema: pa.Schema) -> TableWriter:
    """A writer of tables of this schema in this format; UsageError if the format cannot hold a column.

    >>> file = io.BytesIO()
    >>> writer = open_writer("csv", file, pa.schema([("alert_id", pa.int64()), ("name", pa.string())]))
    >>> writer.write(pa.record_batch({"alert_id": [2**60], "name": ["a"]}))
    >>> writer.close()
    >>> file.getvalue().decode().splitlines()
    ['"alert_id","name"', '1152921504606846976,"a"']
    """
    check_schema(format, schema)
    plain = pa.schema([plain_field(field) for field in schema])
    return _WRITERS[format](file, plain)


def check_schema(format: Format, schema: pa.Schema) -> None:
    """UsageError, naming the columns and the formats that hold them, if a format cannot hold a column."""
    fits: Callable[[pa.DataType], bool] | None = {"csv": is_flat, "votable": is_flat, "json": _is_json}.get(format)
    refused = [] if fits is None else [field.name for field in schema if not fits(field.type)]
    if refused:
        more = f" and {len(refused) - 5} more" if len(refused) > 5 else ""
        others = "json (light curves, not cutouts), parquet or arrow" if format != "json" else "parquet or arrow"
        raise UsageError(
            f"{format} cannot hold the nested or binary columns {', '.join(refused[:5])}{more}: "
            f"use {others}, or leave these columns out"
        )


def encode(table: pa.Table, format: Format) -> bytes:
    """A table as the bytes of a file."""
    file = io.BytesIO()
    writer = open_writer(format, file, table.schema)
    for batch in table.to_batches():
        writer.write(batch)
    writer.close()
    return file.getvalue()


class CsvWriter:
    """CSV with a header: text is quoted, null is empty, numbers have all their digits."""

    def __init__(self, file: BinaryIO, schema: pa.Schema) -> None:
        self._file, self._schema = file, schema
        self._write(pa.RecordBatch.from_pylist([], schema), header=True)

    def write(self, batch: pa.RecordBatch) -> None:
        """Write the rows of a batch."""
        self._write(plain_batch(batch, self._schema), header=False)

    def close(self) -> None:
        """Nothing ends a CSV file."""

    def _write(self, batch: pa.RecordBatch, *, header: bool) -> None:
        flat = pa.table(dict(zip(self._schema.names, map(text_column, batch.columns), strict=True)))
        piece = io.BytesIO()
        csv.write_csv(flat, piece, csv.WriteOptions(include_header=header))
        self._file.write(piece.getbuffer())


class JsonWriter:
    """A JSON array of objects, one a line; NaN and infinity are null, identifiers are strings."""

    def __init__(self, file: BinaryIO, schema: pa.Schema) -> None:
        self._file, self._schema, self._before = file, schema, b"[\n"

    def write(self, batch: pa.RecordBatch) -> None:
        """Write the rows of a batch."""
        rows = table_rows(pa.Table.from_batches([plain_batch(batch, self._schema)]))
        for row in plain_rows(rows, self._schema):
            self._file.write(self._before + to_json(row))
            self._before = b",\n"

    def close(self) -> None:
        """Close the array."""
        self._file.write(b"[]\n" if self._before == b"[\n" else b"\n]\n")


class ParquetWriter:
    """Parquet, zstd; units and meanings in the metadata of the fields; row groups of about 32 MB."""

    def __init__(self, file: BinaryIO, schema: pa.Schema) -> None:
        self._schema, self._bytes, self._rows = schema, 0, 0
        self._writer = parquet.ParquetWriter(ByteSink(file), schema, compression="zstd")
        self._waiting: list[pa.RecordBatch] = []

    def write(self, batch: pa.RecordBatch) -> None:
        """Write the rows of a batch, with those of others in one row group."""
        self._waiting.append(plain_batch(batch, self._schema))
        self._bytes, self._rows = self._bytes + batch.nbytes, self._rows + batch.num_rows
        if self._bytes >= _GROUP_BYTES or self._rows >= _GROUP_ROWS:
            self._flush()

    def close(self) -> None:
        """Write the last row group and the footer."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(pa.Table.from_batches(self._waiting, self._schema))
        self._waiting, self._bytes, self._rows = [], 0, 0


class ArrowWriter:
    """Arrow IPC, as a stream or as a file."""

    def __init__(self, file: BinaryIO, schema: pa.Schema, new: Callable[..., pa.RecordBatchWriter]) -> None:
        self._schema, self._writer = schema, new(ByteSink(file), schema)

    def write(self, batch: pa.RecordBatch) -> None:
        """Write the rows of a batch."""
        self._writer.write_batch(plain_batch(batch, self._schema))

    def close(self) -> None:
        """Write what ends the stream or the file."""
        self._writer.close()


def _is_json(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        return all(_is_json(field.type) for field in kind)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _is_json(kind.value_type)
    return is_flat(kind)


_WRITERS: dict[Format, Callable[[BinaryIO, pa.Schema], TableWriter]] = {
    "json": JsonWriter,
    "csv": CsvWriter,
    "votable": VotableWriter,
    "parquet": ParquetWriter,
    "arrow": lambda file, schema: ArrowWriter(file, schema, pa.ipc.new_stream),
    "arrow_file": lambda file, schema: ArrowWriter(file, schema, pa.ipc.new_file),
}
