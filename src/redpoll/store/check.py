"""Check of a store: every catalogued file exists, its content agrees with the index, and there is no other file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll.errors import StoreError
from redpoll.store import database
from redpoll.store.checksums import SUMS, checksum_of, read_sums, sha256_of
from redpoll.store.classes import wrong_counts
from redpoll.store.dead_letters import DeadLetterFile
from redpoll.store.deep import differences
from redpoll.store.hats import ROW, SEGMENT, Pixel
from redpoll.store.layout import ALERTS, CUTOUT_FILE, LIGHT_CURVES, REPLACED, VALUES, Layout
from redpoll.store.lock import is_locked
from redpoll.store.parquet import PARQUET_ERRORS, read
from redpoll.store.positions import wrong_positions
from redpoll.store.records import Progress, Report
from redpoll.store.rejected import cut_differences
from redpoll.store.revision_files import FILES
from redpoll.store.rows import HEALPIX
from redpoll.store.tidy import temporary


def check(connection: sqlite3.Connection, layout: Layout, *, deep: bool = False, progress: Progress) -> Report:
    """Compare index, archive and ledger in every row, and every file with its checksum; 17 bytes of memory per alert.

    Beside a running writer, files that it has not committed yet are not counted as strange.

    Parameters
    ----------
    connection, layout
        The index, and where the files are.
    deep
        Also make a second index from the archive, in the folder for temporary files, and compare it with the index in
        every column of every row.
    progress
        Called with what is being done, how much is done, and how much there is.
    """
    try:
        return _check(connection, layout, deep, progress)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError) and "malformed" not in str(error):
            raise
        problem = f"index: {error}; `redpoll store rebuild` makes a new one from the archive"
        return Report((problem,), alerts=0, objects=0, segments=0, pixels=0, dead_letters=0)


def _check(connection: sqlite3.Connection, layout: Layout, deep: bool, progress: Progress) -> Report:
    strange = [] if is_locked(layout.lock) else list(_strange_files(connection, layout))
    connection.execute("BEGIN")
    try:
        problems = [*_sqlite(connection), *_sums(connection)]
        catalogue = _Catalogued.read(connection)
        problems += [*_segments(layout, catalogue, progress), *_pixels(connection, layout, catalogue, progress)]
        problems += _revisions(connection, layout, progress)
        if deep and not problems:
            problems += differences(connection, layout, progress=progress)
        tables = ("alerts", "objects", "segments", "pixels")
        counts = {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables}
    finally:
        connection.execute("ROLLBACK")
    problems += [*_beside(layout), *strange]
    return Report(tuple(problems), **counts, dead_letters=_dead_letters(layout))


def _beside(layout: Layout) -> Iterator[str]:
    """Defects of the databases beside the index and of the files of models."""
    for name, path in layout.databases().items():
        if name != "index" and path.exists():
            try:
                with closing(database.open_reader(path, name)) as connection:
                    found = [message for (message,) in connection.execute("PRAGMA integrity_check") if message != "ok"]
                    models = connection.execute("SELECT sha256 FROM models").fetchall() if name == "app" else []
            except (StoreError, sqlite3.DatabaseError) as error:
                found, models = [str(error)], []
            yield from (f"{path}: {message}" for message in found)
            for (sha256,) in models:
                yield from _wrong_model(layout.models / sha256)


def _wrong_model(path: Path) -> Iterator[str]:
    if not path.is_file():
        yield f"{path}: the file of a model is gone"
    elif sha256_of(path) != path.name:
        yield f"{path} is damaged: the file of a model is not the one that was registered"


def _dead_letters(layout: Layout) -> int:
    letters = DeadLetterFile(layout)
    try:
        return letters.count()
    except StoreError:  # reported already
        return 0
    finally:
        letters.close()


_SUMS = {
    "segment {0} has {1} rows, but {2} alerts": """SELECT p.name, p.rows - p.lost, ifnull(c.n, 0) FROM segments p
        LEFT JOIN (SELECT _segment, count(*) AS n FROM alerts GROUP BY _segment) c ON c._segment = p._id
        WHERE p.rows - p.lost IS NOT ifnull(c.n, 0)""",
    "revision {0} has {1} rows, but {2} alerts": """SELECT v.name, v.rows - v.lost, ifnull(c.n, 0) FROM revisions v
        LEFT JOIN (SELECT revision, count(*) AS n FROM revised JOIN alerts a ON a._id = alert GROUP BY revision) c
        ON c.revision = v._id WHERE v.rows - v.lost IS NOT ifnull(c.n, 0)""",
    "object {0} counts {1} alerts, but has {2}": """SELECT * FROM (SELECT object_id, n_alerts,
        (SELECT count(*) FROM alerts a WHERE a._id >= o._id << 24 AND a._id < (o._id + 1) << 24) AS n FROM objects o)
        WHERE n_alerts IS NOT n""",
    "{0} night {1}: the ledger has {2} stored, the index {3} alerts": """SELECT survey, night, sum(l), sum(a) FROM
        (SELECT survey, night, n AS l, 0 AS a FROM ledger WHERE outcome = 'stored' UNION ALL
         SELECT s.name, night, 0, count(*) FROM alerts JOIN surveys s ON s._id = _survey GROUP BY 1, 2)
        GROUP BY 1, 2 HAVING sum(l) != sum(a)""",
    "{0} of {1} topics of alerts are in the index of topics": """SELECT * FROM (SELECT
        (SELECT count(*) FROM alert_topics) AS t,
        (SELECT ifnull(sum(length(_topics) - length(replace(_topics, ',', '')) + 1), 0) FROM alerts) AS n)
        WHERE t != n""",
    "alert {0} is in no segment or of no object": """SELECT alert_id FROM alerts
        WHERE _segment NOT IN (SELECT _id FROM segments) OR _id >> 24 NOT IN (SELECT _id FROM objects)""",
}


def _sqlite(connection: sqlite3.Connection) -> Iterator[str]:
    for (message,) in connection.execute("PRAGMA integrity_check"):
        if message != "ok":
            yield f"index: {message}"


def _sums(connection: sqlite3.Connection) -> Iterator[str]:
    for message, sql in _SUMS.items():
        for row in connection.execute(sql):
            yield message.format(*row)
    for survey, night, reason, rows, counted in cut_differences(connection):
        yield f"{survey} night {night}: the ledger has {counted} rejected by '{reason}', but {rows} are named"
    for name, indexed, assigned in wrong_counts(connection):
        yield f"class {name}: {indexed} alerts are in its index, {assigned} are so classified"
    for _, problem in wrong_positions(connection):
        yield problem


@dataclass(frozen=True)
class _Catalogued:
    """Identifiers of all alerts in the order of segment and row; segment `name` begins at ``first[name]``."""

    ids: NDArray[np.int64]
    first: dict[str, int]
    rows: dict[str, int]
    compacted: dict[str, bool]
    checksums: dict[str, str]
    found: NDArray[np.bool_]

    @classmethod
    def read(cls, connection: sqlite3.Connection) -> _Catalogued:
        segments = connection.execute(
            "SELECT _id, name, rows, compacted, checksum FROM segments ORDER BY _id"
        ).fetchall()
        ends = np.cumsum([0, *(rows for _, _, rows, *_ in segments)])
        starts = dict(zip((key for key, *_ in segments), ends.tolist(), strict=False))
        ids = np.full(int(ends[-1]), -1, np.int64)
        for segment, row, alert_id in connection.execute("SELECT _segment, _row, alert_id FROM alerts"):
            position = starts.get(segment, -1) + row
            if 0 <= position < len(ids):
                ids[position] = alert_id
        first = {name: starts[key] for key, name, *_ in segments}
        rows = {name: n for _, name, n, *_ in segments}
        compacted = {name: bool(moved) for _, name, _, moved, _ in segments}
        checksums = {name: checksum for _, name, *_, checksum in segments}
        return cls(ids, first, rows, compacted, checksums, np.zeros(len(ids), bool))

    def of(self, segment: str) -> NDArray[np.int64]:
        return self.ids[self.first[segment] : self.first[segment] + self.rows[segment]]


def _segments(layout: Layout, catalogue: _Catalogued, progress: Progress) -> Iterator[str]:
    for i, (segment, moved) in enumerate(catalogue.compacted.items()):
        progress("segments", i, len(catalogue.rows))
        folder = layout.segments / segment
        files = (CUTOUT_FILE,) if moved else (CUTOUT_FILE, ALERTS, LIGHT_CURVES)
        if not catalogue.checksums[segment]:  # a rebuild found no files of it, and reported that
            continue
        damaged = dict(_damaged_files(folder, catalogue.checksums[segment], files))
        yield from damaged.values()
        for file in (file for file in files if file not in damaged):
            ids, expected = _columns(folder / file, "alert_id"), catalogue.of(segment)
            if isinstance(ids, str):
                yield ids
            elif len(ids[0]) != len(expected) or (ids[0] != expected)[expected >= 0].any():
                yield f"{segment}/{file} does not hold the {catalogue.rows[segment]} alerts that the index names"
    progress("segments", len(catalogue.rows), len(catalogue.rows))


def _pixels(
    connection: sqlite3.Connection, layout: Layout, catalogue: _Catalogued, progress: Progress
) -> Iterator[str]:
    sql = "SELECT survey, name, checksum FROM generations"
    for survey, name, checksum in connection.execute(sql).fetchall():
        sql = "SELECT start, stop, norder, npix, rows FROM pixels WHERE survey = ?"
        pixels = {pixel.path: pixel for pixel in (Pixel(*row) for row in connection.execute(sql, (survey,)))}
        folder = layout.generations / name
        others = [f for f in read_sums(folder) or () if f not in pixels and "/Npix=" not in f]
        for path, problem in _damaged_files(folder, checksum, (*others, *pixels), progress):
            yield problem
            pixels.pop(path, None)
        for i, pixel in enumerate(pixels.values()):
            progress("pixels", i, len(pixels))
            found = _columns(folder / pixel.path, HEALPIX, "alert_id", SEGMENT, ROW)
            if isinstance(found, str):
                yield found
            elif not _holds(pixel, catalogue, *found):
                yield f"{name}/{pixel.path} does not hold the {pixel.rows} alerts that the index names"
        progress("pixels", len(pixels), len(pixels))
    for segment, moved in catalogue.compacted.items():
        start = catalogue.first[segment]
        rows = slice(start, start + catalogue.rows[segment])
        if moved and not catalogue.found[rows][catalogue.ids[rows] >= 0].all():
            yield f"alerts of the compacted segment {segment} are in no pixel"


def _revisions(connection: sqlite3.Connection, layout: Layout, progress: Progress) -> Iterator[str]:
    """Files of revisions that are damaged, or lack alerts that the index names."""
    found = connection.execute("SELECT _id, name, rows, checksum FROM revisions ORDER BY _id").fetchall()
    expected = {key: np.full(rows, -1, np.int64) for key, _, rows, _ in found}
    sql = "SELECT r.revision, r.row, a.alert_id FROM revised r JOIN alerts a ON a._id = r.alert"
    for key, row, alert_id in connection.execute(sql):
        if key not in expected or not 0 <= row < len(expected[key]):
            yield f"alert {alert_id} has row {row} of revision {key}, which has no such row"
        else:
            expected[key][row] = alert_id
    for i, (key, name, rows, checksum) in enumerate(found):
        progress("revisions", i, len(found))
        damaged = dict(_damaged_files(layout.revisions / name, checksum, FILES))
        yield from damaged.values()
        for file in (file for file in (VALUES, REPLACED) if file not in damaged):
            ids = _columns(layout.revisions / name / file, "alert_id")
            if isinstance(ids, str):
                yield ids
            elif len(ids[0]) != rows or (ids[0] != expected[key])[expected[key] >= 0].any():
                yield f"{name}/{file} does not hold the {rows} alerts that the index names"
    progress("revisions", len(found), len(found))


def _damaged_files(
    folder: Path, checksum: str, files: Sequence[str], progress: Progress | None = None
) -> Iterator[tuple[str, str]]:
    """Missing or damaged files of a folder, each with its defect."""
    sums = read_sums(folder) or {}
    if checksum and (not (folder / SUMS).is_file() or checksum_of(folder) != checksum):
        yield SUMS, f"{folder / SUMS} is not the list that was written"
    for i, name in enumerate(files):
        if progress is not None:
            progress("checksums", i, len(files))
        path = folder / name
        try:
            if name in sums and sha256_of(path) != sums[name]:
                yield name, f"{path} is damaged: its SHA-256 is not the one in {SUMS}"
        except OSError as error:
            yield name, f"{path}: {error.strerror or error}"


def _holds(
    pixel: Pixel, catalogue: _Catalogued, hpx: NDArray[Any], ids: NDArray[Any], segment: NDArray[Any], row: NDArray[Any]
) -> bool:
    """Whether a pixel is sorted, inside its borders, and each row the alert of the segment and row it names."""
    if len(ids) != pixel.rows or (np.diff(hpx) < 0).any() or hpx[0] < pixel.start or hpx[-1] >= pixel.stop:
        return False
    if not all(catalogue.compacted.get(name) for name in set(segment)):
        return False
    limits = np.array([catalogue.rows[name] for name in segment])
    positions = np.array([catalogue.first[name] for name in segment]) + row
    if (row >= limits).any() or catalogue.found[positions].any() or len(set(positions)) < len(positions):
        return False
    catalogue.found[positions] = True
    return bool(np.array_equal(catalogue.ids[positions], ids))


def _columns(path: Path, *names: str) -> list[NDArray[Any]] | str:
    """Columns of a file, or its defect."""
    try:
        table = read(path, names)
        return [table[name].to_numpy() for name in names]
    except (*PARQUET_ERRORS, KeyError) as error:
        return f"{path}: {error}"


def _strange_files(connection: sqlite3.Connection, layout: Layout) -> Iterator[str]:
    """Files and folders in the archive that the index does not know."""
    segments = dict(connection.execute("SELECT name, compacted FROM segments"))
    links = dict(connection.execute("SELECT s.name, g.name FROM generations g JOIN surveys s ON s._id = g.survey"))
    for path in temporary(layout):
        yield f"{path} was never finished; the next run removes it"
    revisions = {name for (name,) in connection.execute("SELECT name FROM revisions")}
    folders = ((layout.segments, segments), (layout.revisions, revisions), (layout.hats, links))
    for folder, known in (*folders, (layout.generations, links.values())):
        for path in folder.iterdir():
            if path.name not in known and not path.name.startswith(".tmp-"):
                yield f"{path} is not in the index"
    for name, moved in segments.items():
        expected = {SUMS, CUTOUT_FILE, *(() if moved else (ALERTS, LIGHT_CURVES))}
        there = {path.name for path in (layout.segments / name).glob("*")}
        for file in sorted(there - expected):
            yield f"{layout.segments / name / file} is not in the index"
    for name in revisions:
        there = {path.name for path in (layout.revisions / name).glob("*")}
        yield from (f"{layout.revisions / name / file} is not in the index" for file in sorted(there - {SUMS, *FILES}))
    yield from _strange_pixels(connection, layout)
    for survey, generation in links.items():
        link = layout.hats / survey
        if not link.is_symlink() or link.readlink().name != generation:
            yield f"{link} does not point to {generation}; the next run repairs it"


def _strange_pixels(connection: sqlite3.Connection, layout: Layout) -> Iterator[str]:
    for survey, generation in connection.execute("SELECT survey, name FROM generations").fetchall():
        sql = "SELECT start, stop, norder, npix, rows FROM pixels WHERE survey = ?"
        known = {Pixel(*row).path for row in connection.execute(sql, (survey,))}
        folder = layout.generations / generation
        for path in folder.rglob("Npix=*"):
            if path.relative_to(folder).as_posix() not in known:
                yield f"{path} is not in the index"
