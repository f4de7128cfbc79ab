"""Nightly compaction: from segments in order of arrival to one catalogue per survey, sorted by position.

A new generation of the catalogue is written beside the old one; pixels that got no new alerts are linked, not copied.
One transaction makes the new generation count; only then do old files go. A crash at any point leaves one generation
that counts, and `tidy` removes the other. Cutouts stay where they were first written: nothing ever copies them.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from redpoll.errors import StoreError
from redpoll.store import database
from redpoll.store.catalogue_revisions import CatalogueRevisions, write_held
from redpoll.store.checksums import checksum_of, read_sums, sha256_of, write_sums
from redpoll.store.hats import (
    ROW,
    SEGMENT,
    Pixel,
    catalogue_schema,
    describe,
    moved_schema,
    parquet_settings,
    pixels_of,
    write_pixel,
)
from redpoll.store.layout import ALERTS, LIGHT_CURVES, Layout, disk_errors, segment_name, sync, sync_tree
from redpoll.store.parquet import PARQUET_ERRORS, read
from redpoll.store.records import Compacted, Progress
from redpoll.store.rows import HEALPIX
from redpoll.store.struct_lists import joined_schema, split_schema
from redpoll.store.tidy import drop_replaced

_PIXEL_BYTES = 256 << 20
_RUN_BYTES = 256 << 20


@dataclass(frozen=True)
class _Segment:
    key: int
    folder: Path
    rows: int
    n_bytes: int
    schema: pa.Schema


def compact(
    connection: sqlite3.Connection, layout: Layout, *, rows_per_pixel: int | None = None, progress: Progress
) -> list[Compacted]:
    """Move the alerts of all committed segments into the catalogues of their surveys.

    Memory is bounded by the size of a pixel (256 MB of alerts; see `rows_per_pixel`), not by the night's.
    """
    surveys = connection.execute("SELECT _id, name FROM surveys ORDER BY _id").fetchall()
    with disk_errors(f"cannot compact {layout.root}"):
        done = [_compact_survey(connection, layout, key, name, rows_per_pixel, progress) for key, name in surveys]
    return [report for report in done if report is not None]


def _compact_survey(
    connection: sqlite3.Connection, layout: Layout, key: int, survey: str, max_rows: int | None, progress: Progress
) -> Compacted | None:
    segments, damaged = _waiting(connection, layout, key, progress)
    old = _Catalogue.current(connection, layout, key)
    newer = CatalogueRevisions.pending(connection, layout, key)
    if not segments and not (old.pixels and newer.newest > newer.held):
        return Compacted(survey, 0, 0, 0, 0, damaged) if damaged else None
    sql = "SELECT hpx29 FROM alerts WHERE _survey = ?"
    if damaged:  # their alerts do not move
        sql += f""" AND _segment NOT IN (SELECT _id FROM segments WHERE name IN ({", ".join("?" * len(damaged))}))"""
    found = connection.execute(sql, (key, *damaged))
    indices = np.sort(np.fromiter((row[0] for row in found), np.int64))
    max_rows = max_rows or (_rows_per_pixel(segments) if segments else max(p.rows for p in old.pixels.values()))
    pixels = pixels_of(indices, max_rows)
    generation = layout.generations / segment_name(survey, _number(connection, key) + 1)
    try:
        rewritten = _write(generation, survey, pixels, segments, old, newer, progress)
        sync_tree(generation)
        sync(layout.generations)
        with database.transaction(connection, layout.index):
            _swap(connection, key, generation, pixels, segments, newer.newest)
    finally:
        drop_replaced(connection, layout)  # the old generation if the new one counts, else the new one
    return Compacted(survey, len(segments), sum(p.rows for p in segments), len(pixels), rewritten, damaged)


def _write(
    folder: Path,
    survey: str,
    pixels: Sequence[Pixel],
    segments: Sequence[_Segment],
    old: _Catalogue,
    newer: CatalogueRevisions,
    progress: Progress,
) -> int:
    """Write a complete generation; returns how many pixels had to be written anew."""
    (folder / "dataset").mkdir(parents=True)
    schema = newer.described(
        catalogue_schema([*old.schemas, *(segment.schema for segment in segments), *newer.schemas])
    )
    stored = split_schema(schema)
    settings = parquet_settings(stored)
    same_schema = old.stored == stored
    runs = list(_write_runs(folder / "runs", pixels, segments, progress))
    rewritten, linked = 0, set()
    for i, pixel in enumerate(pixels):
        progress(f"{survey} pixels", i, len(pixels))
        pieces = [run.piece(i) for run in runs if i in run.batches]
        revised = newer.of_pixel(pixel)
        if same_schema and not pieces and not revised and old.pixels.get(pixel.start) == pixel:
            _link(old.folder / pixel.path, folder / pixel.path)
            linked.add(pixel.path)
            continue
        table = pa.concat_tables([schema.empty_table(), *pieces, *old.rows(pixel)], promote_options="permissive")
        write_pixel(folder / pixel.path, newer.replaced(table.cast(schema), revised), settings)
        rewritten += 1
    progress(f"{survey} pixels", len(pixels), len(pixels))
    del runs
    shutil.rmtree(folder / "runs")
    describe(folder, survey, pixels, stored)
    write_held(folder, newer.newest)
    _write_sums(folder, linked, old)
    return rewritten


def _write_sums(folder: Path, linked: set[str], old: _Catalogue) -> None:
    """Write the checksums of a generation; those of linked pixels are known already."""
    known = (read_sums(old.folder) or {}) if linked else {}
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    kept = {name: known[name] for name in linked if name in known}
    write_sums(folder, {name: kept.get(name) or sha256_of(folder / name) for name in names})


def _swap(
    connection: sqlite3.Connection,
    survey: int,
    generation: Path,
    pixels: Sequence[Pixel],
    segments: Sequence[_Segment],
    revision: int,
) -> None:
    connection.execute("DELETE FROM pixels WHERE survey = ?", (survey,))
    rows = [(survey, p.start, p.stop, p.norder, p.npix, p.rows) for p in pixels]
    connection.executemany("INSERT INTO pixels VALUES (?, ?, ?, ?, ?, ?)", rows)
    row = (survey, generation.name, checksum_of(generation), revision)
    connection.execute("INSERT OR REPLACE INTO generations VALUES (?, ?, ?, ?)", row)
    connection.executemany("UPDATE segments SET compacted = 1 WHERE _id = ?", [(segment.key,) for segment in segments])


@dataclass(frozen=True)
class _Catalogue:
    """The generation that counts now; without pixels and schema of its files if there is none yet."""

    folder: Path
    pixels: dict[int, Pixel]
    stored: pa.Schema | None

    @classmethod
    def current(cls, connection: sqlite3.Connection, layout: Layout, survey: int) -> _Catalogue:
        found = connection.execute("SELECT name FROM generations WHERE survey = ?", (survey,)).fetchone()
        if found is None:
            return cls(layout.generations, {}, None)
        folder = layout.generations / found[0]
        sql = "SELECT start, stop, norder, npix, rows FROM pixels WHERE survey = ?"
        pixels = {row[0]: Pixel(*row) for row in connection.execute(sql + " ORDER BY start", (survey,))}
        return cls(folder, pixels, pq.read_schema(folder / "dataset" / "_common_metadata"))

    @property
    def schemas(self) -> list[pa.Schema]:
        """The schema of its alerts as they are read, if it has any."""
        return [] if self.stored is None else [joined_schema(self.stored)]

    def rows(self, pixel: Pixel) -> Iterator[pa.Table]:
        """The alerts the catalogue has in a pixel, wherever its own borders are."""
        starts = list(self.pixels)
        for start in starts[max(bisect_right(starts, pixel.start) - 1, 0) : bisect_left(starts, pixel.stop)]:
            mine = self.pixels[start]
            if pixel.start < mine.stop:
                table = _read_pixel(self.folder / mine.path)
                inside = table[HEALPIX].to_numpy()
                first, last = np.searchsorted(inside, [pixel.start, pixel.stop])
                yield table.slice(first, last - first)


@dataclass(frozen=True)
class _Run:
    """Alerts of some segments, sorted by position: one Arrow batch for each pixel they fall into."""

    file: pa.ipc.RecordBatchFileReader
    batches: dict[int, int]

    def piece(self, pixel: int) -> pa.Table:
        return pa.Table.from_batches([self.file.get_batch(self.batches[pixel])])


def _write_runs(
    folder: Path, pixels: Sequence[Pixel], segments: Sequence[_Segment], progress: Progress
) -> Iterator[_Run]:
    """External sort: segments are read once, in groups that fit in memory, and sorted into files of their own."""
    folder.mkdir()
    starts = np.array([pixel.start for pixel in pixels])
    group: list[pa.Table] = []
    size = 0
    for i, segment in enumerate(segments):
        progress("segments", i, len(segments))
        group.append(_moved(segment))
        size += group[-1].nbytes
        if size > _RUN_BYTES or i == len(segments) - 1:
            yield _write_run(folder / f"{i}.arrow", pa.concat_tables(group, promote_options="permissive"), starts)
            group, size = [], 0
    progress("segments", len(segments), len(segments))


def _write_run(path: Path, table: pa.Table, starts: NDArray[np.int64]) -> _Run:
    pixel = np.searchsorted(starts, table[HEALPIX].to_numpy(), side="right") - 1
    order = np.argsort(pixel, kind="stable")
    table = table.take(pa.array(order)).combine_chunks()
    numbers, first, rows = np.unique(pixel[order], return_index=True, return_counts=True)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        for start, n in zip(first.tolist(), rows.tolist(), strict=True):
            (batch,) = table.slice(start, n).to_batches()
            writer.write_batch(batch)
    return _Run(pa.ipc.open_file(pa.memory_map(str(path))), {p: i for i, p in enumerate(numbers.tolist())})


def _moved(segment: _Segment) -> pa.Table:
    """The alerts of a segment, all columns but the cutouts, with where they come from."""
    table, curves = read(segment.folder / ALERTS), read(segment.folder / LIGHT_CURVES)
    for name in curves.column_names:
        if name not in table.column_names:
            table = table.append_column(curves.field(name), curves[name])
    table = table.add_column(0, HEALPIX, table["hpx29"])
    table = table.append_column(SEGMENT, pa.array([segment.folder.name] * segment.rows))
    table = table.append_column(ROW, pa.array(np.arange(segment.rows, dtype=np.int32)))
    return table.cast(catalogue_schema([table.schema]))


def _waiting(
    connection: sqlite3.Connection, layout: Layout, survey: int, progress: Progress
) -> tuple[list[_Segment], tuple[str, ...]]:
    """Segments to move, and the names of those with a missing or damaged file."""
    sql = "SELECT _id, name, rows FROM segments WHERE survey = ? AND NOT compacted ORDER BY name"
    good: list[_Segment] = []
    damaged: list[str] = []
    found = connection.execute(sql, (survey,)).fetchall()
    for i, (key, name, rows) in enumerate(found):
        progress("checksums", i, len(found))
        try:
            sums, folder = read_sums(layout.segments / name) or {}, layout.segments / name
            if any(sha256_of(folder / file) != sums.get(file) for file in (ALERTS, LIGHT_CURVES)):
                damaged.append(name)
            else:
                good.append(_describe_segment(key, folder, rows))
        except PARQUET_ERRORS:
            damaged.append(name)
    return good, tuple(damaged)


def _read_pixel(path: Path) -> pa.Table:
    """A pixel of the catalogue that counts; StoreError if it is damaged, because its alerts must not be dropped."""
    try:
        return read(path)
    except PARQUET_ERRORS as error:
        raise StoreError(
            f"{path} is damaged ({error}): restore it from a backup, or `redpoll store rebuild` leaves it out"
        ) from error


def _describe_segment(key: int, folder: Path, rows: int) -> _Segment:
    files = [pq.read_metadata(folder / name) for name in (ALERTS, LIGHT_CURVES)]
    n_bytes = sum(f.row_group(g).total_byte_size for f in files for g in range(f.num_row_groups))
    fields = {field.name: field for file in reversed(files) for field in file.schema.to_arrow_schema()}
    return _Segment(key, folder, rows, n_bytes, moved_schema(pa.schema(list(fields.values()))))


def _rows_per_pixel(segments: Sequence[_Segment]) -> int:
    """A power of two, so that nights of slightly different packets keep the same pixels."""
    mean = sum(segment.n_bytes for segment in segments) / sum(segment.rows for segment in segments)
    return 1 << int(np.clip(np.log2(_PIXEL_BYTES / max(mean, 1.0)), 8, 15))


def _number(connection: sqlite3.Connection, survey: int) -> int:
    found = connection.execute("SELECT name FROM generations WHERE survey = ?", (survey,)).fetchone()
    return int(found[0].split("-")[1]) if found else 0


def _link(old: Path, new: Path) -> None:
    new.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(old, new)
    except OSError:  # a file system without hard links
        shutil.copy2(old, new)
