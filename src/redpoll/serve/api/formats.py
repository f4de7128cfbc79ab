"""The format of an answer, chosen by ``?format=`` or the Accept header: JSON, Arrow IPC, Parquet, CSV or VOTable."""

from __future__ import annotations

from typing import Literal, get_args

import pyarrow as pa

from redpoll import formats
from redpoll.errors import BadQuery

Format = Literal["json", "arrow", "parquet", "csv", "votable"]
MEDIA_TYPES: dict[str, Format] = {
    "application/json": "json",
    "application/vnd.apache.arrow.stream": "arrow",
    "application/vnd.apache.parquet": "parquet",
    "text/csv": "csv",
    "application/x-votable+xml": "votable",
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
    """Body and media type of a table as Arrow IPC stream, Parquet, CSV or VOTable."""
    return formats.encode(table, format), _TYPE_OF[format]
