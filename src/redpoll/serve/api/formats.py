"""Rows in the format that was asked for: JSON, Arrow IPC, Parquet or CSV."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Literal, get_args

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as parquet

from redpoll.errors import BadQuery

Format = Literal["json", "arrow", "parquet", "csv"]
MEDIA_TYPES: dict[str, Format] = {
    "application/json": "json",
    "application/vnd.apache.arrow.stream": "arrow",
    "application/vnd.apache.parquet": "parquet",
    "text/csv": "csv",
}
_TYPE_OF = {name: media_type for media_type, name in MEDIA_TYPES.items()}


def choose(asked: Format | None, accept: str) -> Format:
    """The format of ``?format=``, else the best one of the Accept header, else JSON.

    >>> choose(None, "text/csv;q=0.5, application/vnd.apache.parquet"), choose(None, "*/*"), choose("arrow", "text/csv")
    ('parquet', 'json', 'arrow')
    """
    if asked is not None:
        return asked
    wanted = sorted((_preference(part) for part in accept.split(",") if part.strip()), key=lambda p: -p[1])
    for media_type, q in wanted:
        if q > 0 and media_type in MEDIA_TYPES:
            return MEDIA_TYPES[media_type]
        if q > 0 and media_type in ("*/*", "application/*"):
            return "json"
    if wanted:
        raise BadQuery(f"none of the accepted types is offered; ?format= takes {', '.join(get_args(Format))}")
    return "json"


def _preference(part: str) -> tuple[str, float]:
    media_type, *options = (piece.strip().lower() for piece in part.split(";"))
    q = next((option[2:] for option in options if option.startswith("q=")), "1")
    return media_type, float(q) if q.replace(".", "", 1).isdecimal() and q.isascii() else 0.0


def encode(table: pa.Table, format: Format) -> tuple[bytes, str]:
    """Body and media type of a table as Arrow IPC stream, Parquet or CSV."""
    writers: dict[str, Callable[[pa.Table], bytes]] = {"arrow": _arrow, "parquet": _parquet, "csv": _csv}
    return writers[format](table), _TYPE_OF[format]


def _arrow(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def _parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    parquet.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def _csv(table: pa.Table) -> bytes:
    flat = [_flat(column) for column in table.columns]
    sink = io.BytesIO()
    csv.write_csv(pa.table(dict(zip(table.column_names, flat, strict=True))), sink)
    return sink.getvalue()


def _flat(column: pa.ChunkedArray) -> pa.Array:
    """A column as CSV can hold it: lists joined by spaces, dictionaries decoded, a class as ``name:probability:by``."""
    if pa.types.is_list(column.type):
        return pa.array([None if row is None else " ".join(map(_word, row)) for row in column.to_pylist()], pa.string())
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _word(item: object) -> str:
    if not isinstance(item, dict):
        return str(item)
    return ":".join("" if v is None else f"{v:.4g}" if isinstance(v, float) else str(v) for v in item.values())
