"""Proof that a store is whole: every file that is catalogued exists and holds what the index says, and no other."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from redpoll.store.classes import wrong_counts
from redpoll.store.hats import ROW, SEGMENT, Pixel
from redpoll.store.layout import ALERTS, CUTOUT_FILE, LIGHT_CURVES, Layout
from redpoll.store.lock import is_locked
from redpoll.store.ports import Progress, Report
from redpoll.store.rows import HEALPIX
from redpoll.store.tidy import temporary


def check(connection: sqlite3.Connection, layout: Layout, *, progress: Progress) -> Report:
    """Compare index, archive and ledger in every row; memory is 17 bytes per alert.

    Beside a running writer, files that it has not committed yet are not counted as strange.
    """
    strange = [] if is_locked(layout.lock) else list(_strange_files(connection, layout))
    connection.execute("BEGIN")
    try:
        problems = [*_sqlite(connection), *_sums(connection)]
        catalogue = _Catalogued.read(connection)
        problems += [*_segments(layout, catalogue, progress), *_pixels(connection, layout, catalogue, progress)]
        tables = ("alerts", "objects", "segments", "pixels", "dead_letters")
        counts = {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables}
    finally:
        connection.execute("COMMIT")
    return Report(tuple(problems + strange), **counts)


_SUMS = {
    "segment {0} has {1} rows, but {2} alerts": """SELECT p.name, p.rows, ifnull(c.n, 0) FROM segments p
        LEFT JOIN (SELECT _segment, count(*) AS n FROM alerts GROUP BY _segment) c ON c._segment = p._id
        WHERE p.rows IS NOT c.n""",
    "object {0} counts {1} alerts, but has {2}": """SELECT * FROM (SELECT object_id, n_alerts,
        (SELECT count(*) FROM alerts a WHERE a._id >= o._id << 24 AND a._id < (o._id + 1) << 24) AS n FROM objects o)
        WHERE n_alerts IS NOT n""",
    "{0} night {1}: the ledger says {2} stored, but there are {3} alerts": """SELECT survey, night, sum(l), sum(a) FROM
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
    for name, indexed, said in wrong_counts(connection):
        yield f"class {name}: {indexed} alerts are in its index, {said} are said to be it"


@dataclass(frozen=True)
class _Catalogued:
    """Identifiers of all alerts in the order of segment and row; segment `name` begins at ``first[name]``."""

    ids: NDArray[np.int64]
    first: dict[str, int]
    rows: dict[str, int]
    compacted: dict[str, bool]
    found: NDArray[np.bool_]

    @classmethod
    def read(cls, connection: sqlite3.Connection) -> _Catalogued:
        segments = connection.execute("SELECT _id, name, rows, compacted FROM segments ORDER BY _id").fetchall()
        ends = np.cumsum([0, *(rows for _, _, rows, _ in segments)])
        starts = dict(zip((key for key, *_ in segments), ends.tolist(), strict=False))
        ids = np.full(int(ends[-1]), -1, np.int64)
        for segment, row, alert_id in connection.execute("SELECT _segment, _row, alert_id FROM alerts"):
            place = starts.get(segment, -1) + row
            if 0 <= place < len(ids):
                ids[place] = alert_id
        first = {name: starts[key] for key, name, _, _ in segments}
        rows = {name: n for _, name, n, _ in segments}
        compacted = {name: bool(moved) for _, name, _, moved in segments}
        return cls(ids, first, rows, compacted, np.zeros(len(ids), bool))

    def of(self, segment: str) -> NDArray[np.int64]:
        return self.ids[self.first[segment] : self.first[segment] + self.rows[segment]]


def _segments(layout: Layout, catalogue: _Catalogued, progress: Progress) -> Iterator[str]:
    for i, (segment, moved) in enumerate(catalogue.compacted.items()):
        progress("segments", i, len(catalogue.rows))
        for file in (CUTOUT_FILE,) if moved else (CUTOUT_FILE, ALERTS, LIGHT_CURVES):
            ids = _columns(layout.segments / segment / file, "alert_id")
            if isinstance(ids, str):
                yield ids
            elif not np.array_equal(ids[0], catalogue.of(segment)):
                yield f"{segment}/{file} does not hold the {catalogue.rows[segment]} alerts that the index says"
    progress("segments", len(catalogue.rows), len(catalogue.rows))


def _pixels(
    connection: sqlite3.Connection, layout: Layout, catalogue: _Catalogued, progress: Progress
) -> Iterator[str]:
    sql = "SELECT g.name, x.start, x.stop, x.norder, x.npix, x.rows FROM pixels x JOIN generations g USING (survey)"
    pixels = connection.execute(sql).fetchall()
    for i, (generation, *facts) in enumerate(pixels):
        progress("pixels", i, len(pixels))
        pixel = Pixel(*facts)
        read = _columns(layout.generations / generation / pixel.path, HEALPIX, "alert_id", SEGMENT, ROW)
        if isinstance(read, str):
            yield read
        elif not _holds(pixel, catalogue, *read):
            yield f"{generation}/{pixel.path} does not hold the {pixel.rows} alerts that the index says"
    progress("pixels", len(pixels), len(pixels))
    for segment, moved in catalogue.compacted.items():
        start = catalogue.first[segment]
        if moved and not catalogue.found[start : start + catalogue.rows[segment]].all():
            yield f"alerts of the compacted segment {segment} are in no pixel"


def _holds(
    pixel: Pixel, catalogue: _Catalogued, hpx: NDArray[Any], ids: NDArray[Any], segment: NDArray[Any], row: NDArray[Any]
) -> bool:
    """Whether a pixel is sorted, inside its borders, and each row the alert of the segment and row it names."""
    if len(ids) != pixel.rows or (np.diff(hpx) < 0).any() or hpx[0] < pixel.start or hpx[-1] >= pixel.stop:
        return False
    if not all(catalogue.compacted.get(name) for name in set(segment)):
        return False
    limits = np.array([catalogue.rows[name] for name in segment])
    places = np.array([catalogue.first[name] for name in segment]) + row
    if (row >= limits).any() or catalogue.found[places].any() or len(set(places)) < len(places):
        return False
    catalogue.found[places] = True
    return bool(np.array_equal(catalogue.ids[places], ids))


def _columns(path: Path, *names: str) -> list[NDArray[Any]] | str:
    """Columns of a file, or what is wrong with it."""
    try:
        table = pq.read_table(path, columns=list(names), partitioning=None)
    except (OSError, pa.ArrowInvalid) as error:
        return f"{path}: {error}"
    return [table[name].to_numpy() for name in names]


def _strange_files(connection: sqlite3.Connection, layout: Layout) -> Iterator[str]:
    """Files and folders in the archive that the index does not know."""
    segments = dict(connection.execute("SELECT name, compacted FROM segments"))
    links = dict(connection.execute("SELECT s.name, g.name FROM generations g JOIN surveys s ON s._id = g.survey"))
    for path in temporary(layout):
        yield f"{path} was never finished; the next run removes it"
    for folder, known in ((layout.segments, segments), (layout.generations, links.values()), (layout.hats, links)):
        for path in folder.iterdir():
            if path.name not in known and not path.name.startswith(".tmp-"):
                yield f"{path} is not in the index"
    for name, moved in segments.items():
        expected = {CUTOUT_FILE} if moved else {CUTOUT_FILE, ALERTS, LIGHT_CURVES}
        there = {path.name for path in (layout.segments / name).glob("*")}
        for file in sorted(there - expected):
            yield f"{layout.segments / name / file} is not in the index"
    yield from _strange_pixels(connection, layout)
    for survey, generation in links.items():
        link = layout.hats / survey
        if not link.is_symlink() or link.readlink().name != generation:
            yield f"{link} does not point to {generation}; the next run mends it"


def _strange_pixels(connection: sqlite3.Connection, layout: Layout) -> Iterator[str]:
    for survey, generation in connection.execute("SELECT survey, name FROM generations").fetchall():
        sql = "SELECT start, stop, norder, npix, rows FROM pixels WHERE survey = ?"
        known = {Pixel(*row).path for row in connection.execute(sql, (survey,))}
        folder = layout.generations / generation
        for path in folder.rglob("Npix=*"):
            if path.relative_to(folder).as_posix() not in known:
                yield f"{path} is not in the index"
