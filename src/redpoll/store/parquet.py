"""Parquet files whose pages carry checksums, which every reading verifies; columns come back in canonical types."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from redpoll.store.struct_lists import join_lists, joined_schema

PARQUET_ERRORS = (OSError, pa.ArrowException, UnicodeDecodeError)
"""Errors raised by reading a file that is missing, truncated or damaged."""


def write(path: Path, table: pa.Table, **settings: Any) -> None:
    """Write a Parquet file with a checksum in each page."""
    pq.write_table(table, path, write_page_checksum=True, **settings)


def read(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a Parquet file, or some of its columns; OSError if the checksum of a page does not match."""
    names = None if columns is None else list(columns)
    return join_lists(pq.read_table(path, columns=names, partitioning=None, page_checksum_verification=True))


def read_group(file: pq.ParquetFile, group: int, columns: Sequence[str] | None) -> pa.Table:
    """A row group of an open Parquet file, or some of its columns."""
    return join_lists(file.read_row_group(group, columns=columns, use_threads=False))


def read_schema(path: Path) -> pa.Schema:
    """Names and types of the columns that `read` returns."""
    return joined_schema(pq.read_schema(path))
