"""Making the index anew from the archive alone."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from redpoll.errors import StoreError
from redpoll.store import columns, database
from redpoll.store.archive import LIGHT_CURVE, Archive, archived_schema, join_rows, made_by
from redpoll.store.hats import ROW, SEGMENT, Pixel
from redpoll.store.histories import add_archived
from redpoll.store.insert import exists, insert_alerts, key
from redpoll.store.layout import (
    ALERTS,
    CUTOUT_FILE,
    LIGHT_CURVES,
    TEMPORARY,
    Layout,
    disk_errors,
    is_segment_name,
    sync,
)
from redpoll.store.lock import WriterLock
from redpoll.store.ports import Progress

_KEPT = ("runs", "ledger", "dead_letters")  # the archive does not hold them


@dataclass(frozen=True)
class Rebuilt:
    """What `rebuild` found.

    ``kept`` and ``lost`` name the tables that the archive does not hold and that could, or could not, be copied from
    the old index; ``missing`` the segments that the old index knew and the archive has no longer.
    """

    alerts: int
    segments: int
    kept: tuple[str, ...]
    lost: tuple[str, ...]
    missing: tuple[str, ...]


def rebuild(root: Path | str, *, progress: Progress) -> Rebuilt:
    """Make the index of a store anew from its archive, and put it in the place of the old one.

    Alerts, objects, light curves, topics, classes and provenance come from the archive; runs, ledger and dead letters
    are copied from the old index if it can be read. If it cannot, every segment in the archive counts, and the ledger
    starts with what is stored. Nobody may have the store open.

    Raises
    ------
    StoreError
        If there is no archive, the store is open elsewhere, or the disk is full; the old index then stays.
    """
    layout = Layout(Path(root).absolute())
    if not layout.segments.is_dir():
        raise StoreError(f"{layout.root} has no archive to rebuild an index from")
    lock = WriterLock(layout.lock)
    fresh = layout.root / f"{TEMPORARY}{uuid4().hex}.sqlite"
    try:
        with disk_errors(f"cannot rebuild {layout.root}"):
            result = _rebuild(fresh, layout, progress)
            sync(fresh)
            if result.lost:
                _set_aside(layout)
            fresh.replace(layout.index)
            sync(layout.root)
        return result
    finally:
        for path in layout.root.glob(fresh.name + "*"):
            path.unlink()
        lock.release()


def _rebuild(fresh: Path, layout: Layout, progress: Progress) -> Rebuilt:
    old = _open_old(layout)
    try:
        return _fill(fresh, old, layout, progress)
    finally:
        if old is not None:
            old.close()


def _fill(fresh: Path, old: sqlite3.Connection | None, layout: Layout, progress: Progress) -> Rebuilt:
    connection = database.create(fresh)
    try:
        for setting in ("journal_mode = DELETE", "journal_mode = OFF", "synchronous = OFF"):
            connection.execute(f"PRAGMA {setting}")  # the file counts only once it is whole and synced
        with database.transaction(connection, fresh):
            archive = _Archived.find(old, layout)
            kept = tuple(table for table in _KEPT if old is not None and _copy(old, connection, table))
            missing = _insert_all(connection, layout, archive, progress)
            _settle_ledger(connection)
        tables = ("alerts", "segments")
        counts = {t: connection.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in tables}
    finally:
        connection.close()
    lost = tuple(table for table in _KEPT if table not in kept)
    return Rebuilt(**counts, kept=kept, lost=lost, missing=tuple(missing))


@dataclass(frozen=True)
class _Archived:
    """Parts that count, with the run that wrote each, and the folder of each survey's catalogue."""

    runs: dict[str, int | None]
    catalogues: dict[str, Path]

    @classmethod
    def find(cls, old: sqlite3.Connection | None, layout: Layout) -> _Archived:
        """What the old index knows; if it cannot be read, all there is."""
        try:
            if old is not None:
                runs = dict(old.execute("SELECT name, run FROM segments ORDER BY _id").fetchall())
                sql = "SELECT s.name, g.name FROM generations g JOIN surveys s ON s._id = g.survey"
                return cls(runs, {survey: layout.generations / name for survey, name in old.execute(sql).fetchall()})
        except sqlite3.DatabaseError:
            pass
        found = sorted(path.name for path in layout.segments.iterdir() if is_segment_name(path.name))
        return cls(dict.fromkeys(found), {link.name: link.resolve() for link in layout.hats.iterdir()})


def _insert_all(connection: sqlite3.Connection, layout: Layout, archive: _Archived, progress: Progress) -> list[str]:
    """Insert catalogues, then segments that were not compacted; returns the names of segments that are not there."""
    there = [name for name in archive.runs if (layout.segments / name / CUTOUT_FILE).exists()]
    keys = {name: _add_segment(connection, layout.segments / name, archive.runs[name]) for name in there}
    moved: set[str] = set()
    for survey, folder in archive.catalogues.items():
        moved |= _insert_catalogue(connection, survey, folder, keys, progress)
    for i, name in enumerate(there):
        progress("segments", i, len(there))
        if name in moved:
            connection.execute("UPDATE segments SET compacted = 1 WHERE _id = ?", (keys[name],))
        elif (layout.segments / name / ALERTS).exists():
            _insert_segment(connection, layout, name, keys[name])
        else:
            connection.execute("DELETE FROM segments WHERE _id = ?", (keys.pop(name),))
    progress("segments", len(there), len(there))
    return [name for name in archive.runs if name not in keys]


def _add_segment(connection: sqlite3.Connection, segment: Path, run: int | None) -> int:
    columns.register(connection, archived_schema(segment))
    survey = key(connection, "surveys", "name", segment.name.split("-")[0])
    rows = pq.read_metadata(segment / CUTOUT_FILE).num_rows
    row = (segment.name, survey, run, rows, key(connection, "provenance", "mapping", made_by(segment)))
    sql = "INSERT INTO segments (name, survey, run, rows, provenance) VALUES (?, ?, ?, ?, ?) RETURNING _id"
    return int(connection.execute(sql, row).fetchone()[0])


def _insert_segment(connection: sqlite3.Connection, layout: Layout, name: str, segment: int) -> None:
    """Insert the alerts of a segment; what an earlier segment has already (a crash left both) goes into no index."""
    survey = name.split("-")[0]
    table = pq.read_table(layout.segments / name / ALERTS, partitioning=None)
    fresh = np.flatnonzero(~exists(connection, survey, columns.filled(table["alert_id"].combine_chunks(), 0)))
    if len(fresh) < table.num_rows:
        connection.execute("DELETE FROM segments WHERE _id = ?", (segment,))
        if not len(fresh):
            return
        written = layout.segments / Archive(layout.root).write(_batch(join_rows(layout.segments / name, fresh)))
        table, segment = table.take(pa.array(fresh)), _add_segment(connection, written, None)
    batch = columns.indexed_columns(_batch(table))
    number = key(connection, "surveys", "name", survey)
    insert_alerts(connection, number, batch, [segment] * batch.num_rows, range(batch.num_rows))
    curves = pq.read_table(layout.segments / name / LIGHT_CURVES, partitioning=None)
    if LIGHT_CURVE in curves.column_names:
        alerts = table.select(["object_id", "alert_id", "night", "mjd"])
        fresh = fresh if curves.num_rows > table.num_rows else np.arange(table.num_rows)
        add_archived(connection, survey, alerts.append_column(LIGHT_CURVE, curves[LIGHT_CURVE].take(pa.array(fresh))))


def _insert_catalogue(
    connection: sqlite3.Connection, survey: str, folder: Path, keys: dict[str, int], progress: Progress
) -> set[str]:
    """Insert all pixels of a catalogue; returns the names of the segments it holds."""
    schema = pq.read_schema(folder / "dataset" / "_common_metadata")
    own = [field for field in schema if not field.name.startswith("_")]
    columns.register(connection, pa.schema(own))
    number = key(connection, "surveys", "name", survey)
    connection.execute("INSERT INTO generations VALUES (?, ?)", (number, folder.name))
    wanted = [field.name for field in own if columns.belongs_in_index(field)]
    segments: set[str] = set()
    files = sorted(folder.rglob("Npix=*.parquet"))
    for i, path in enumerate(files):
        progress(f"{survey} pixels", i, len(files))
        batch = _batch(pq.read_table(path, columns=[*wanted, SEGMENT, ROW], partitioning=None))
        names, rows = batch[SEGMENT].to_pylist(), batch[ROW].to_pylist()
        insert_alerts(connection, number, batch.select(wanted), [keys[name] for name in names], rows)
        if LIGHT_CURVE in schema.names:
            needed = ["object_id", "alert_id", "night", "mjd", LIGHT_CURVE]
            add_archived(connection, survey, pq.read_table(path, columns=needed, partitioning=None))
        pixel = Pixel.at(path, batch.num_rows)
        values = (number, pixel.start, pixel.stop, pixel.norder, pixel.npix, pixel.rows)
        connection.execute("INSERT INTO pixels VALUES (?, ?, ?, ?, ?, ?)", values)
        segments.update(names)
    progress(f"{survey} pixels", len(files), len(files))
    return segments


def _settle_ledger(connection: sqlite3.Connection) -> None:
    """Make the ledger say what is stored, by entries of a run of their own where the copied ones do not."""
    sql = """SELECT survey, night, sum(n) FROM (
        SELECT s.name AS survey, night, count(*) AS n FROM alerts JOIN surveys s ON s._id = _survey GROUP BY 1, 2
        UNION ALL SELECT survey, night, -n FROM ledger WHERE outcome = 'stored') GROUP BY 1, 2 HAVING sum(n) != 0"""
    differences = connection.execute(sql).fetchall()
    if not differences:
        return
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    sql = "INSERT INTO runs (command, started, ended, status) VALUES ('store rebuild', ?, ?, 'done')"
    run = connection.execute(sql, (now, now)).lastrowid
    rows = [(run, survey, night, n) for survey, night, n in differences]
    connection.executemany("INSERT INTO ledger VALUES (?, ?, ?, 'stored', '', ?)", rows)


def _open_old(layout: Layout) -> sqlite3.Connection | None:
    """The old index, out of its WAL so that one file is all there is of it; None if it cannot be opened."""
    if not layout.index.exists():
        return None
    if database.is_newer(layout.index):
        raise StoreError(f"{layout.index} was written by a newer Redpoll: upgrade, then rebuild")
    try:
        connection = database.open_writer(layout.index, older=True)  # runs, ledger, letters never changed their columns
    except StoreError:
        return None
    try:
        connection.execute("PRAGMA busy_timeout = 1000")
        connection.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.OperationalError as error:
        connection.close()
        raise StoreError(f"{layout.root} is open elsewhere ({error}): stop `redpoll serve` and try again") from error
    except sqlite3.DatabaseError:
        connection.close()
        return None
    return connection


def _copy(old: sqlite3.Connection, new: sqlite3.Connection, table: str) -> bool:
    """Copy a table as far as it can be read; returns whether all of it could."""
    holes = ",".join("?" * len(columns.table_columns(new, table)))
    try:
        for row in old.execute(f"SELECT * FROM {table}"):
            new.execute(f"INSERT INTO {table} VALUES ({holes})", row)
    except sqlite3.DatabaseError:
        return False
    return True


def _set_aside(layout: Layout) -> None:
    """Keep an old index that could not be read in full under another name, for whoever can mend it."""
    mark = uuid4().hex[:8]
    for end in ("", "-wal", "-shm"):
        path = layout.index.with_name(layout.index.name + end)
        if path.exists():
            path.rename(path.with_name(f"broken-{mark}-{path.name}"))


def _batch(table: pa.Table) -> pa.RecordBatch:
    if not table.num_rows:
        return pa.RecordBatch.from_pylist([], schema=table.schema)
    (batch,) = table.combine_chunks().to_batches()
    return batch
