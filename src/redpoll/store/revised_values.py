"""Archived columns of alerts with their newest values: those of the files, replaced by those of revisions.

The query that finds the files of alerts returns the revisions of each alert as well, so that reading costs no further
query, and all of a row is of one moment. Where no alert has a revision, nothing is read and nothing is copied.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.store import rows
from redpoll.store.layout import VALUES
from redpoll.store.revision_files import REVISION_KEYS
from redpoll.store.rows import Location, RevisedRow
from redpoll.store.types import conform


@dataclass(frozen=True)
class NewValues:
    """New values from one revision: of the rows at ``positions``, some columns."""

    positions: NDArray[np.int64]
    table: pa.Table


def read_columns(places: Sequence[Location], fields: Sequence[pa.Field]) -> dict[str, pa.Array]:
    """Archived columns of some alerts, in their order and of the given types; null where an alert lacks one."""
    values = rows.read_columns(places, fields)
    newer = list(read_revisions([place.revisions for place in places], [field.name for field in fields]))
    return values | {name: replace(values[name], name, newer) for name in _names(newer)}


def read_alert(place: Location, columns: Sequence[str] | None) -> pa.Table:
    """One alert with all its archived columns, or with those of `columns` that it has, as a table of one row."""
    found = _by_name(rows.read_alert(place, columns))
    for newer in read_revisions([place.revisions], columns):
        found |= _by_name(newer.table)
    return pa.table([values for _, values in found.values()], schema=pa.schema([field for field, _ in found.values()]))


def read_revisions(revisions: Sequence[Sequence[RevisedRow]], columns: Sequence[str] | None) -> Iterator[NewValues]:
    """New values of these rows from each revision that has any of the columns (None: all), oldest first."""
    by_revision: dict[int, list[tuple[int, int]]] = defaultdict(list)
    folders: dict[int, Path] = {}
    for position, revised in enumerate(revisions):
        for number, folder, row in revised:
            by_revision[number].append((position, row))
            folders[number] = folder
    for number, found in sorted(by_revision.items()):
        folder = folders[number]
        present = rows.column_names(folder / VALUES)
        wanted = [name for name in present if name not in REVISION_KEYS and (columns is None or name in columns)]
        if wanted:
            positions, at = np.array(found, np.int64).T
            yield NewValues(positions, rows.read_rows(folder / VALUES, at, wanted))


def replace(values: pa.Array, name: str, newer: Sequence[NewValues]) -> pa.Array:
    """The values of a column, replaced by those of the revisions that have it; the last of them counts."""
    pieces, source, n = [values], np.arange(len(values)), len(values)
    for revision in newer:
        if name in revision.table.column_names:
            pieces.append(conform(revision.table[name], values.type))
            source[revision.positions] = np.arange(n, n + len(revision.positions))
            n += len(revision.positions)
    return pa.concat_arrays(pieces).take(pa.array(source))


def _names(newer: Sequence[NewValues]) -> set[str]:
    return {name for revision in newer for name in revision.table.column_names}


def _by_name(table: pa.Table) -> dict[str, tuple[pa.Field, pa.ChunkedArray]]:
    return {field.name: (field, values) for field, values in zip(table.schema, table.columns, strict=True)}
