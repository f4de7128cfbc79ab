"""Newest values in the compacted catalogue: what compaction replaces in its pixels, and which revisions it holds.

A catalogue holds all revisions up to a number, the last one when it was written. Readers apply only those after it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from redpoll.errors import StoreError
from redpoll.store.columns import field_facts
from redpoll.store.hats import Pixel
from redpoll.store.layout import VALUES, Layout
from redpoll.store.parquet import PARQUET_ERRORS
from redpoll.store.revised_values import read_revisions, replace
from redpoll.store.revision_files import revised_fields
from redpoll.store.rows import RevisedRow
from redpoll.store.types import conform

HELD = "revision.json"
_OF_PIXEL = """SELECT a.alert_id, r.revision, v.name, r.row FROM alerts a CROSS JOIN segments p ON p._id = a._segment
    CROSS JOIN revised r ON r.alert = a._id CROSS JOIN revisions v ON v._id = r.revision
    WHERE a._survey = ? AND a.hpx29 >= ? AND a.hpx29 < ? AND (NOT p.compacted OR r.revision > ?)"""


@dataclass(frozen=True)
class CatalogueRevisions:
    """Revisions of a survey: those up to ``held`` are in its catalogue, those up to ``newest`` are committed."""

    connection: sqlite3.Connection
    layout: Layout
    survey: int
    held: int
    newest: int

    @classmethod
    def pending(cls, connection: sqlite3.Connection, layout: Layout, survey: int) -> CatalogueRevisions:
        """Revisions that the index has now."""
        sql = """SELECT ifnull((SELECT revision FROM generations WHERE survey = ?1), 0),
            ifnull((SELECT max(_id) FROM revisions WHERE survey = ?1), 0)"""
        return cls(connection, layout, survey, *connection.execute(sql, (survey,)).fetchone())

    @property
    def schemas(self) -> list[pa.Schema]:
        """Revised columns of the revisions that the catalogue does not hold yet."""
        sql = "SELECT name FROM revisions WHERE survey = ? AND _id > ? ORDER BY _id"
        names = [name for (name,) in self.connection.execute(sql, (self.survey, self.held))]
        try:
            return [pa.schema(revised_fields(pq.read_schema(self.layout.revisions / name / VALUES))) for name in names]
        except PARQUET_ERRORS as error:
            raise StoreError(f"a revision is damaged: {error}; run `redpoll store check`") from error

    def described(self, schema: pa.Schema) -> pa.Schema:
        """The schema with unit, meaning and the other facts of each column as the index has them now."""
        facts = field_facts(self.connection)
        return pa.schema([f.with_metadata({**(f.metadata or {}), **facts.get(f.name, {})} or None) for f in schema])

    def of_pixel(self, pixel: Pixel) -> dict[int, list[RevisedRow]]:
        """Identifiers of the alerts in a pixel that have new values, with their revisions."""
        if not self.newest:
            return {}
        found: dict[int, list[RevisedRow]] = {}
        values = (self.survey, pixel.start, pixel.stop, self.held)
        for alert_id, number, name, row in self.connection.execute(_OF_PIXEL, values):
            found.setdefault(alert_id, []).append(RevisedRow(number, self.layout.revisions / name, row))
        return found

    def replaced(self, table: pa.Table, revised: dict[int, list[RevisedRow]]) -> pa.Table:
        """The alerts of a pixel with their newest values."""
        if not revised:
            return table
        rows: list[Sequence[RevisedRow]] = [revised.get(i, ()) for i in table["alert_id"].to_pylist()]
        try:
            newer = list(read_revisions(rows, table.column_names))
        except PARQUET_ERRORS as error:
            raise StoreError(f"a revision is damaged: {error}; run `redpoll store check`") from error
        for name in {name for revision in newer for name in revision.table.column_names}:
            at = table.schema.get_field_index(name)
            values = replace(conform(table[name], table.schema.field(at).type), name, newer)
            table = table.set_column(at, table.schema.field(at), values)
        return table


def write_held(folder: Path, revision: int) -> None:
    """Record in a catalogue which revisions it holds, for a rebuild."""
    (folder / HELD).write_text(json.dumps({"revision": revision}) + "\n")


def read_held(folder: Path) -> int:
    """The newest revision that a catalogue holds; 0 if it does not say, so that all are applied again."""
    try:
        return int(json.loads((folder / HELD).read_text())["revision"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0
