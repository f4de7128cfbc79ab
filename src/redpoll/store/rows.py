"""Reading alerts from the archive: where each one is now, and only the row groups and columns that are needed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from redpoll.errors import NotFound, StoreError
from redpoll.schema.alert import CUTOUTS
from redpoll.store.archive import LIGHT_CURVE, take
from redpoll.store.columns import filled
from redpoll.store.layout import ALERTS, CUTOUT_FILE, LIGHT_CURVES, REPLACED, VALUES, Layout, pixel_path
from redpoll.store.parquet import read_group
from redpoll.store.pool import ReadPool
from redpoll.store.types import conform

HEALPIX = "_healpix_29"
"""Name of the sort key in a HATS catalogue, where LSDB looks for it."""
_ATTEMPTS = 5
_T = TypeVar("_T")


class RevisedRow(NamedTuple):
    """Where new values of an alert are: number and folder of the revision, and the row in it."""

    revision: int
    folder: Path
    row: int


@dataclass(frozen=True)
class Location:
    """Where an alert is: the segment and row it was written to, or its pixel if compaction moved it.

    ``revisions`` are those with values that are newer than the file's, in any order.
    """

    key: int
    alert_id: int
    hpx29: int
    segment: Path
    row: int
    pixel: Path | None
    revisions: tuple[RevisedRow, ...] = ()


def no_alert(layout: Layout, alert_id: int, survey: str) -> NoReturn:
    """Raise NotFound for an alert that is not in the store."""
    raise NotFound(f"no alert {alert_id} of '{survey}' in {layout.root}")


LOCATION_SQL = """a._id, a.alert_id, a.hpx29, p.name, a._row,
    (SELECT g.name || ' ' || x.norder || ' ' || x.npix FROM pixels x JOIN generations g ON g.survey = x.survey
     WHERE p.compacted AND x.survey = a._survey AND x.start <= a.hpx29 ORDER BY x.start DESC LIMIT 1),
    (SELECT group_concat(r.revision || ' ' || v.name || ' ' || r.row)
     FROM revised r JOIN revisions v ON v._id = r.revision WHERE r.alert = a._id AND (NOT p.compacted OR r.revision >
        (SELECT g.revision FROM generations g WHERE g.survey = a._survey)))"""
"""SELECT list, for an alert `a` and its segment `p`, of what `locations` reads."""


def locations(layout: Layout, found: Sequence[Sequence[Any]]) -> list[Location]:
    """Locations from the rows of a query that selected `LOCATION_SQL`."""
    segments = {name: layout.segments / name for name in {row[3] for row in found}}  # a path costs more than its row
    pixels = {text: _pixel(layout, text) for text in {row[5] for row in found}}
    folders: dict[str, Path] = {}
    return [
        Location(k, i, hpx, segments[name], row, pixels[x], _revisions(layout, newer, folders) if newer else ())
        for k, i, hpx, name, row, x, newer in found
    ]


def find_locations(pool: ReadPool, layout: Layout, where: str, parameters: Sequence[Any]) -> list[Location]:
    """Locations of the alerts `a` that a condition selects."""
    sql = f"SELECT {LOCATION_SQL} FROM alerts a CROSS JOIN segments p ON p._id = a._segment WHERE {where}"
    return locations(layout, pool.execute(sql, parameters))


def _pixel(layout: Layout, text: str | None) -> Path | None:
    if text is None:
        return None
    generation, norder, npix = text.split()
    return layout.generations / generation / pixel_path(int(norder), int(npix))


def _revisions(layout: Layout, text: str, folders: dict[str, Path]) -> tuple[RevisedRow, ...]:
    found = []
    for part in text.split(","):
        number, name, row = part.split()
        if name not in folders:
            folders[name] = layout.revisions / name
        found.append(RevisedRow(int(number), folders[name], int(row)))
    return tuple(found)


def while_moving(read: Callable[[], _T]) -> _T:
    """Result of `read`, which is repeated if compaction moved the files between its look-up and its reading."""
    for _ in range(_ATTEMPTS):
        try:
            return read()
        except FileNotFoundError as error:
            missing = str(error)
        except OSError as error:
            raise StoreError(f"cannot read the archive: {error}; run `redpoll store check`") from error
    raise StoreError(f"the archive lacks a file: {missing}; run `redpoll store check`")


def read_alert(place: Location, columns: Sequence[str] | None) -> pa.Table:
    """One alert with all its archived columns, or with those of `columns` that it has, as a table of one row."""
    found: dict[str, tuple[pa.Field, pa.ChunkedArray]] = {}
    for path, rows in _files(place, columns):
        table = read_rows(path, rows, columns)
        for field, values in zip(table.schema, table.columns, strict=True):
            if not field.name.startswith("_"):
                found.setdefault(field.name, (field, values))
    return pa.table([values for _, values in found.values()], schema=pa.schema([field for field, _ in found.values()]))


def read_columns(places: Sequence[Location], fields: Sequence[pa.Field]) -> dict[str, pa.Array]:
    """Archived columns of some alerts, in their order and of the given types; null where an alert lacks one.

    One row group is in memory at a time, besides the answer.
    """
    answer: dict[str, pa.Array] = {}
    for file, group in _by_file([field.name for field in fields]).items():
        wanted = [field for field in fields if field.name in group]
        if wanted:
            answer |= _from_files(places, file, wanted)
    return answer


def _by_file(names: Sequence[str]) -> dict[str, set[str]]:
    cutouts, curve = set(names) & set(CUTOUTS), set(names) & {LIGHT_CURVE}
    return {CUTOUT_FILE: cutouts, LIGHT_CURVES: curve, ALERTS: set(names) - cutouts - curve}


def _from_files(places: Sequence[Location], file: str, fields: Sequence[pa.Field]) -> dict[str, pa.Array]:
    """Columns that segments hold in one file, and compacted alerts in their pixel unless they are cutouts."""
    by_path: dict[Path, list[int]] = defaultdict(list)
    for i, place in enumerate(places):
        by_path[place.segment / file if place.pixel is None or file == CUTOUT_FILE else place.pixel].append(i)
    pieces: list[pa.Table] = []
    order: list[NDArray[np.int64]] = []
    for path, inside in by_path.items():
        at = [places[i] for i in inside]
        rows = np.array([place.row for place in at]) if path.name == file else find_rows(path, at)
        for piece, positions in _row_groups(path, rows, [field.name for field in fields]):
            columns = piece.column_names
            pieces.append(
                pa.table(
                    [
                        conform(piece[f.name], f.type) if f.name in columns else pa.nulls(len(positions), f.type)
                        for f in fields
                    ],
                    schema=pa.schema([f.remove_metadata() for f in fields]),
                )
            )
            order.append(np.array(inside)[positions])
    schema = pa.schema([f.remove_metadata() for f in fields])
    table = pa.concat_tables([schema.empty_table(), *pieces]).combine_chunks()
    back = np.argsort(np.concatenate([np.empty(0, np.int64), *order]), kind="stable")
    return {f.name: conform(table[f.name].take(pa.array(back)), f.type) for f in fields}


def _row_groups(
    path: Path, rows: NDArray[np.int64], columns: Sequence[str]
) -> Iterator[tuple[pa.Table, NDArray[np.int64]]]:
    """Per row group, the wanted rows of it and their positions in `rows`."""
    facts = _facts(str(path))
    present = [name for name in columns if name in facts.names]
    groups = np.searchsorted(facts.ends, rows, side="right")
    with pq.ParquetFile(path, metadata=facts.metadata, memory_map=True, page_checksum_verification=True) as file:
        for g in np.unique(groups).tolist():
            positions = np.flatnonzero(groups == g)
            table = read_group(file, g, present) if present else None
            yield pa.table({}) if table is None else take(table, rows[positions] - facts.starts[g]), positions


def read_rows(path: Path, rows: NDArray[np.int64], columns: Sequence[str] | None) -> pa.Table:
    """Rows of a Parquet file by number, in the order given; unknown columns are left out."""
    facts = _facts(str(path))
    present = None if columns is None else [name for name in columns if name in facts.names]
    groups = np.searchsorted(facts.ends, rows, side="right")
    with pq.ParquetFile(path, metadata=facts.metadata, memory_map=True, page_checksum_verification=True) as file:
        inside = {g: read_group(file, g, present) for g in np.unique(groups).tolist()}
    runs = np.flatnonzero((np.diff(rows, prepend=-2) != 1) | (np.diff(groups, prepend=-1) != 0))
    lengths = np.diff(runs, append=len(rows))
    starts = (rows - facts.starts[groups])[runs]
    pairs = zip(groups[runs].tolist(), starts.tolist(), lengths.tolist(), strict=True)
    return pa.concat_tables([inside[g].slice(row, n) for g, row, n in pairs])


def column_names(path: Path) -> frozenset[str]:
    """Names of the columns of a Parquet file."""
    return _facts(str(path)).names


def find_rows(pixel: Path, places: Sequence[Location]) -> NDArray[np.int64]:
    """Row number of each alert in the file of its pixel, which is sorted by HEALPix index."""
    facts = _facts(str(pixel))
    wanted = {place.alert_id: i for i, place in enumerate(places)}
    hpx = np.array([place.hpx29 for place in places])[:, None]
    groups = np.flatnonzero(((facts.lowest <= hpx) & (hpx <= facts.highest)).any(axis=0))
    result = np.full(len(places), -1)
    with pq.ParquetFile(pixel, metadata=facts.metadata, memory_map=True, page_checksum_verification=True) as file:
        for g in groups:
            ids = filled(file.read_row_group(g, columns=["alert_id"])["alert_id"].combine_chunks(), 0)
            for position in np.flatnonzero(np.isin(ids, list(wanted))):
                result[wanted[int(ids[position])]] = facts.starts[g] + position
    if (result < 0).any():
        raise StoreError(f"{pixel} lacks alert {places[int(np.argmin(result))].alert_id}; run `redpoll store check`")
    return result


@dataclass(frozen=True)
class _Facts:
    metadata: pq.FileMetaData
    names: frozenset[str]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    lowest: NDArray[np.int64]
    highest: NDArray[np.int64]


def _facts(path: str) -> _Facts:
    """Footer of a file, which never changes once its name is known: new content gets a new folder."""
    return (
        _facts_of_narrow(path) if path.endswith((LIGHT_CURVES, CUTOUT_FILE, VALUES, REPLACED)) else _facts_of_wide(path)
    )


def _read_facts(path: str) -> _Facts:
    metadata = pq.read_metadata(path)
    groups = [metadata.row_group(g) for g in range(metadata.num_row_groups)]
    ends = np.cumsum([g.num_rows for g in groups])
    names = frozenset(metadata.schema.to_arrow_schema().names)
    at = [i for i in range(metadata.num_columns) if metadata.schema.column(i).path == HEALPIX]
    ranges = [(s.min, s.max) for g in groups for i in at if (s := g.column(i).statistics) is not None]
    lowest, highest = np.array(ranges, np.int64).reshape(-1, 2).T
    return _Facts(metadata, names, np.concatenate([[0], ends[:-1]]), ends, lowest, highest)


_facts_of_narrow = lru_cache(maxsize=512)(_read_facts)  # some 50 kB each
_facts_of_wide = lru_cache(maxsize=32)(_read_facts)  # up to 10 MB each: one entry per column and row group


def _files(place: Location, columns: Sequence[str] | None) -> Iterator[tuple[Path, NDArray[np.int64]]]:
    """Files with requested columns, and the row of the alert in each."""
    asked = set(columns) if columns is not None else {*CUTOUTS, LIGHT_CURVE, ""}
    here = np.array([place.row])
    if asked - {*CUTOUTS, LIGHT_CURVE} and place.pixel is None:
        yield place.segment / ALERTS, here
    if LIGHT_CURVE in asked and place.pixel is None:
        yield place.segment / LIGHT_CURVES, here
    if asked - set(CUTOUTS) and place.pixel is not None:
        yield place.pixel, find_rows(place.pixel, [place])
    if asked & set(CUTOUTS):
        yield place.segment / CUTOUT_FILE, here
