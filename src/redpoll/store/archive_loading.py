"""Filling a new index from the archive: catalogues, segments, histories and revisions."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from errno import ENOSPC
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from redpoll.store import columns
from redpoll.store.archive import LIGHT_CURVE, Archive, archived_schema, join_rows, read_head
from redpoll.store.catalogue_revisions import read_held
from redpoll.store.checksums import SUMS, checksum_of, read_sums, sha256_of
from redpoll.store.hats import ROW, SEGMENT, Pixel
from redpoll.store.histories import add_archived
from redpoll.store.insert import exists, insert_alerts, key
from redpoll.store.layout import ALERTS, COMMIT, CUTOUT_FILE, LIGHT_CURVES, VALUES, Layout, is_segment_name
from redpoll.store.objects import register
from redpoll.store.parquet import PARQUET_ERRORS, read, read_schema
from redpoll.store.records import Progress
from redpoll.store.revise import add_revision, describe_columns
from redpoll.store.revision_files import find_committed, mark_committed, read_committed, read_values, values_schema


@dataclass(frozen=True)
class Archived:
    """Segments that count, with the run that wrote each; the catalogue of each survey, and its pixels if known.

    ``revisions`` that count are in their order.
    """

    runs: dict[str, int | None]
    catalogues: dict[str, Path]
    pixels: dict[str, set[str]]
    revisions: list[str]

    @classmethod
    def find(cls, old: sqlite3.Connection | None, layout: Layout) -> Archived:
        """Segments, catalogues and revisions named by the old index; all in the archive if it cannot be read."""
        try:
            if old is not None:
                return cls.named(old, layout)
        except sqlite3.DatabaseError:
            pass
        found = sorted(path.name for path in layout.segments.iterdir() if is_segment_name(path.name))
        catalogues = {link.name: link.resolve() for link in layout.hats.iterdir() if link.is_dir()}
        listed = {survey: set(read_sums(folder) or ()) for survey, folder in catalogues.items()}
        pixels = {survey: {name for name in names if "/Npix=" in name} for survey, names in listed.items()}
        return cls(dict.fromkeys(found), catalogues, pixels, find_committed(layout))

    @classmethod
    def named(cls, index: sqlite3.Connection, layout: Layout) -> Archived:
        """Segments, catalogues and revisions named by an index."""
        runs = dict(index.execute("SELECT name, run FROM segments ORDER BY _id").fetchall())
        sql = "SELECT s.name, g.name, g.survey FROM generations g JOIN surveys s ON s._id = g.survey"
        found = index.execute(sql).fetchall()
        sql = "SELECT start, stop, norder, npix, rows FROM pixels WHERE survey = ?"
        pixels = {name: {Pixel(*row).path for row in index.execute(sql, (key,))} for name, _, key in found}
        revisions = [name for (name,) in index.execute("SELECT name FROM revisions ORDER BY _id")]
        catalogues = {survey: layout.generations / name for survey, name, _ in found}
        return cls(runs, catalogues, pixels, revisions)


class Load:
    """Fills a new index from the archive; ``missing`` and ``damaged`` name the files that it could not load.

    Names are paths inside the folder ``archive``: of a segment's folder, or of a pixel's file.
    """

    def __init__(
        self, connection: sqlite3.Connection, layout: Layout, progress: Progress, *, writes: bool = True
    ) -> None:
        self._connection, self._layout, self._progress, self._writes = connection, layout, progress, writes
        self._keys: dict[str, int] = {}
        self.missing: list[str] = []
        self.damaged: list[str] = []

    def archive(self, archived: Archived) -> None:
        """Insert catalogues, then segments that were not compacted, then revisions.

        Without `writes`, a segment that repeats alerts of another is damaged: nothing is written to the archive.
        """
        for name, run in archived.runs.items():
            self._guarded(f"segments/{name}", self._layout.segments / name / CUTOUT_FILE, self._add_segment, name, run)
        moved: set[str] = set()
        for survey, folder in archived.catalogues.items():
            moved |= self._catalogue(survey, folder, archived.pixels.get(survey, set()))
        self._connection.executemany("UPDATE segments SET compacted = 1 WHERE name = ?", [(name,) for name in moved])
        names = list(self._keys)
        for i, name in enumerate(names):
            self._progress("segments", i, len(names))
            alerts = self._layout.segments / name / ALERTS
            if name not in moved and not self._guarded(f"segments/{name}", alerts, self._insert_segment, name):
                self._connection.execute("DELETE FROM segments WHERE _id = ?", (self._keys.pop(name),))
        self._connection.execute(_COUNT_LOST)
        self._revisions(archived.revisions, [name for name in names if name in self._keys and name not in moved])
        self._progress("segments", len(names), len(names))

    def _revisions(self, names: Sequence[str], segments: Sequence[str]) -> None:
        """Insert revisions; columns are described by the last of the revisions and of the segments not compacted."""
        for i, name in enumerate(names):
            self._progress("revisions", i, len(names))
            path = self._layout.revisions / name / VALUES
            self._guarded(f"revisions/{name}", path, self._add_revision, name)
        self._progress("revisions", len(names), len(names))
        if names:
            self._describe(segments)

    def _describe(self, segments: Sequence[str]) -> None:
        connection = self._connection
        sql = """SELECT ifnull(v.segment, 0), v._id, v.name FROM revisions v
            WHERE v._id > ifnull((SELECT g.revision FROM generations g WHERE g.survey = v.survey), 0)"""
        steps = [(*place, self._layout.revisions / name) for *place, name in connection.execute(sql)]
        steps += [(self._keys[name], 0, self._layout.segments / name) for name in segments]
        for _, number, folder in sorted(steps):
            if number:
                describe_columns(connection, values_schema(folder))
            else:
                register(connection, archived_schema(folder))

    def _add_revision(self, name: str) -> None:
        folder = self._layout.revisions / name
        committed, values = read_committed(folder), read_values(folder)
        if committed is None:
            raise pa.ArrowInvalid(f"{folder / COMMIT} is damaged")
        sql = "SELECT revision FROM generations WHERE survey = (SELECT _id FROM surveys WHERE name = ?)"
        held = self._connection.execute(sql, (name.split("-")[0],)).fetchone()
        checksum = checksum_of(folder)
        lost = add_revision(self._connection, committed, name, values, checksum, held=held[0] if held else 0)
        if self._writes and set(lost) != set(committed.lost):
            checksum = mark_committed(folder, replace(committed, lost=tuple(lost)))
        sql = "UPDATE revisions SET lost = ?, checksum = ? WHERE name = ?"
        self._connection.execute(sql, (len(lost), checksum, name))

    def _guarded(self, name: str, path: Path, work: Callable[..., None], *values: Any) -> bool:
        """Do `work`; a file that is not there or cannot be read is noted, and what was inserted of it taken back."""
        if not path.exists():
            self.missing.append(name)
            return False
        self._connection.execute("SAVEPOINT file")
        try:
            work(*values)
        except (*PARQUET_ERRORS, KeyError) as error:
            if isinstance(error, OSError) and error.errno == ENOSPC:
                raise
            self._connection.execute("ROLLBACK TO file")
            self.damaged.append(name)
            return False
        finally:
            self._connection.execute("RELEASE file")
        return True

    def _add_segment(self, name: str, run: int | None) -> None:
        connection, segment = self._connection, self._layout.segments / name
        register(connection, archived_schema(segment))
        survey = key(connection, "surveys", "name", name.split("-")[0])
        head = read_head(segment)
        made = key(connection, "provenance", "mapping", head.made_by)
        row = (name, survey, run, len(head.alert_ids), made, checksum_of(segment))
        sql = "INSERT INTO segments (name, survey, run, rows, provenance, checksum) VALUES (?, ?, ?, ?, ?, ?)"
        self._keys[name] = int(connection.execute(sql + " RETURNING _id", row).fetchone()[0])

    def _insert_segment(self, name: str) -> None:
        """Insert the alerts of a segment, except those of an earlier segment (a crash can leave both)."""
        survey, segment = name.split("-")[0], self._keys[name]
        sums = read_sums(self._layout.segments / name) or {}
        for file in (ALERTS, LIGHT_CURVES):
            _verify(self._layout.segments / name / file, sums.get(file))
        table = read(self._layout.segments / name / ALERTS)
        ids = columns.filled(table["alert_id"].combine_chunks(), 0)
        fresh = np.flatnonzero(~exists(self._connection, survey, ids))
        if len(fresh) < table.num_rows:
            if not self._writes:
                raise pa.ArrowInvalid(f"{name} repeats alerts of another segment")
            self._connection.execute("DELETE FROM segments WHERE _id = ?", (segment,))
            if not len(fresh):
                return
            batch = columns.one_batch(join_rows(self._layout.segments / name, fresh))
            written = Archive(self._layout.root).write(batch)
            self._add_segment(written, None)
            table, segment = table.take(pa.array(fresh)), self._keys[written]
        register(self._connection, archived_schema(self._layout.segments / name))  # newer than the catalogue's
        batch = columns.indexed_columns(columns.one_batch(table))
        number = key(self._connection, "surveys", "name", survey)
        insert_alerts(self._connection, number, batch, [segment] * batch.num_rows, range(batch.num_rows))
        curves = read(self._layout.segments / name / LIGHT_CURVES)
        if LIGHT_CURVE in curves.column_names:
            alerts = table.select(["alert_id", "night", "mjd"])
            rows = fresh if curves.num_rows > table.num_rows else np.arange(table.num_rows)
            alerts = alerts.append_column(LIGHT_CURVE, curves[LIGHT_CURVE].take(pa.array(rows)))
            add_archived(self._connection, survey, alerts)

    def _catalogue(self, survey: str, folder: Path, named: set[str]) -> set[str]:
        """Insert all pixels of a catalogue; returns the names of the segments it holds."""
        there = {path.relative_to(folder).as_posix() for path in folder.rglob("Npix=*.parquet")}
        number = key(self._connection, "surveys", "name", survey)
        checksum = checksum_of(folder) if (folder / SUMS).exists() else ""
        row = (number, folder.name, checksum, read_held(folder))
        self._connection.execute("INSERT INTO generations VALUES (?, ?, ?, ?)", row)
        segments: set[str] = set()
        sums = read_sums(folder) or {}
        paths = sorted(there | named)
        for i, path in enumerate(paths):
            self._progress(f"{survey} pixels", i, len(paths))
            name = f"generations/{folder.name}/{path}"
            self._guarded(name, folder / path, self._insert_pixel, number, folder / path, sums.get(path), segments)
        self._progress(f"{survey} pixels", len(paths), len(paths))
        with suppress(*PARQUET_ERRORS):  # pixels that were not written anew describe columns as they were
            self._register(folder / "dataset" / "_common_metadata")
        return segments

    def _insert_pixel(self, survey: int, path: Path, checksum: str | None, segments: set[str]) -> None:
        _verify(path, checksum)
        own = self._register(path)
        wanted = [field.name for field in own if columns.belongs_in_index(field)]
        batch = columns.one_batch(read(path, [*wanted, SEGMENT, ROW]))
        names, rows = batch[SEGMENT].to_pylist(), batch[ROW].to_pylist()
        last: dict[str, int] = {}
        for name, row in zip(names, rows, strict=True):
            last[name] = max(row, last.get(name, 0))
        for name, row in last.items():
            self._add_without_cutouts(survey, name, row)
        insert_alerts(self._connection, survey, batch.select(wanted), [self._keys[name] for name in names], rows)
        if LIGHT_CURVE in {field.name for field in own}:
            needed = ["alert_id", "night", "mjd", LIGHT_CURVE]
            add_archived(self._connection, names[0].split("-")[0], read(path, needed))
        pixel = Pixel.at(path, batch.num_rows)
        values = (survey, pixel.start, pixel.stop, pixel.norder, pixel.npix, pixel.rows)
        self._connection.execute("INSERT INTO pixels VALUES (?, ?, ?, ?, ?, ?)", values)
        segments.update(names)

    def _register(self, path: Path) -> list[pa.Field]:
        own = [field for field in read_schema(path) if not field.name.startswith("_")]
        register(self._connection, pa.schema(own))
        return own

    def _add_without_cutouts(self, survey: int, name: str, row: int) -> None:
        """Add a segment of which only alerts in the catalogue are left; its checksum is empty."""
        if name not in self._keys:
            made = key(self._connection, "provenance", "mapping", "{}")
            sql = (
                "INSERT INTO segments (name, survey, rows, provenance, checksum) VALUES (?, ?, 0, ?, '') RETURNING _id"
            )
            self._keys[name] = int(self._connection.execute(sql, (name, survey, made)).fetchone()[0])
        sql = "UPDATE segments SET rows = max(rows, ?) WHERE _id = ? AND checksum = ''"
        self._connection.execute(sql, (row + 1, self._keys[name]))


def _verify(path: Path, checksum: str | None) -> None:
    if checksum is not None and sha256_of(path) != checksum:
        raise pa.ArrowInvalid(f"{path} is not the file that was written")


_COUNT_LOST = """UPDATE segments SET lost = rows - (SELECT count(*) FROM alerts WHERE _segment = segments._id)
    WHERE compacted"""
