"""Tables as files: CSV, JSON, VOTable, Parquet and Arrow, written batch by batch for server and command line."""

from __future__ import annotations

from redpoll.formats.writers import Format, TableWriter, check_schema, encode, open_writer

__all__ = ["Format", "TableWriter", "check_schema", "encode", "open_writer"]
