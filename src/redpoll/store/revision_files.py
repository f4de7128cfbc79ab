"""A revision in the archive: new values of some alerts, the values before, and what makes it count.

Segments never change. A revision is a folder of its own with the columns that were computed anew and no others, so that
a column added to a million alerts costs that column. Workers write it; the writer adds ``commit.json`` when it
commits the revision, which is all that a rebuild needs to apply revisions in their order.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from redpoll.errors import StoreError
from redpoll.schema.alert import COLUMNS, CUTOUTS, PACKET
from redpoll.schema.classifications import CLASSES, CLASSIFICATION_TYPE
from redpoll.store.checksums import SUMS, read_sums, sha256_of, write_sums
from redpoll.store.columns import HISTORY_NEWS, check_names, filled, is_classes, provenance
from redpoll.store.folders import new_folder
from redpoll.store.layout import (
    COMMIT,
    REPLACED,
    TEMPORARY,
    VALUES,
    Layout,
    is_revision_name,
    revision_name,
    sync,
)
from redpoll.store.parquet import read, write
from redpoll.store.selection import SEPARATION
from redpoll.store.stored_columns import TOPICS
from redpoll.store.types import conform, plain_type

REVISION_KEYS = ("survey", "alert_id")
FILES = (VALUES, REPLACED, COMMIT)
RESERVED = frozenset([*COLUMNS, *CUTOUTS, PACKET, HISTORY_NEWS, TOPICS, SEPARATION])
"""Columns that came with the packet, or that the store computes: no revision changes them."""
_ROW_GROUP = 1000


@dataclass(frozen=True)
class Committed:
    """What the writer adds to a revision: its number, greater than those before, its job, and the time, ISO 8601.

    ``segment`` is the newest segment of the archive at that time. ``lost`` are alerts that a rebuild did not find: if
    they are stored again, the revision is older than their values.
    """

    number: int
    job: str
    revised: str
    segment: str | None
    lost: tuple[int, ...] = ()


def write_revision(layout: Layout, values: pa.RecordBatch, replaced: pa.RecordBatch) -> str:
    """Write and sync a revision, which counts once committed; returns its name.

    Raises
    ------
    StoreError
        If a column cannot be revised, the tables do not belong together, or the disk does not take them.
    """
    survey = _check(values, replaced)
    name = revision_name(survey)
    with new_folder(layout, layout.revisions, name) as folder:
        _write(folder / VALUES, values)
        _write(folder / REPLACED, replaced)
    return name


def mark_committed(folder: Path, committed: Committed) -> str:
    """Add the file that makes a revision count; returns the checksum of the folder.

    It is written before the transaction commits: a revision that the index does not name is removed by `tidy`.
    """
    sums, fresh = read_sums(folder) or {}, folder / (TEMPORARY + "commit")
    fresh.mkdir(exist_ok=True)
    path = fresh / COMMIT
    path.write_text(json.dumps(asdict(committed), sort_keys=True) + "\n")
    sync(path)
    checksum = write_sums(fresh, sums | {COMMIT: sha256_of(path)})
    for name in (COMMIT, SUMS):
        (fresh / name).replace(folder / name)  # files of their own: a backup may be linked to those before
    fresh.rmdir()
    sync(folder)
    return checksum


def read_committed(folder: Path) -> Committed | None:
    """What the writer added to a revision; None if it was never committed, or the file is damaged."""
    try:
        found = json.loads((folder / COMMIT).read_text())
        segment, lost = found["segment"], tuple(map(int, found["lost"]))
        return Committed(int(found["number"]), str(found["job"]), str(found["revised"]), segment and str(segment), lost)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def read_values(folder: Path) -> pa.Table:
    """The new values of a revision; one of `PARQUET_ERRORS` if a file is gone or not what was written."""
    sums = read_sums(folder) or {}
    for name in (VALUES, REPLACED):
        if sha256_of(folder / name) != sums.get(name):
            raise pa.ArrowInvalid(f"the SHA-256 of {name} is not the one in {SUMS}")
    return read(folder / VALUES)


def revised_fields(schema: pa.Schema) -> list[pa.Field]:
    """The columns with new values."""
    return [field for field in schema if field.name not in REVISION_KEYS]


def _write(path: Path, batch: pa.RecordBatch) -> None:
    fields = [field.with_type(plain_type(field.type)).with_nullable(True) for field in batch.schema]
    arrays = [conform(values, field.type) for values, field in zip(batch.columns, fields, strict=True)]
    table = pa.table(arrays, schema=pa.schema(fields))
    write(path, table, row_group_size=_ROW_GROUP, compression="zstd", compression_level=1)


def _check(values: pa.RecordBatch, replaced: pa.RecordBatch) -> str:
    """The survey of a revision; StoreError if its tables cannot be one."""
    for batch in (values, replaced):
        check_names(batch.schema)
        _check_keys(batch)
    names = [field.name for field in revised_fields(values.schema)]
    reserved = sorted(RESERVED.intersection(names))
    if reserved or not names:
        raise StoreError(f"a revision has new values of what modules made, not of {', '.join(reserved) or 'no column'}")
    if CLASSES in names:
        _check_classes(values.field(CLASSES), values[CLASSES])
    strange = [field.name for field in revised_fields(replaced.schema) if field.name not in names]
    if strange:
        raise StoreError(f"replaced values of columns without new ones: {', '.join(strange)}")
    if values["alert_id"].to_pylist() != replaced["alert_id"].to_pylist():
        raise StoreError("new and replaced values are not of the same alerts in the same order")
    surveys = {name for batch in (values, replaced) for name in _words(batch["survey"])}
    if len(surveys) != 1:
        raise StoreError(f"a revision is of one survey, not of {', '.join(sorted(surveys))}")
    return str(surveys.pop())


def _check_keys(batch: pa.RecordBatch) -> None:
    missing = [name for name in REVISION_KEYS if name not in batch.schema.names or batch[name].null_count]
    if missing or not batch.num_rows:
        raise StoreError(f"a revision names survey and alert_id of at least one alert; lacking {missing or 'alerts'}")
    if not pa.types.is_integer(batch["alert_id"].type):
        raise StoreError(f"alert_id is an integer, not {batch['alert_id'].type}")
    ids = filled(batch["alert_id"], 0).tolist()
    if len(set(ids)) < len(ids):
        raise StoreError("an alert stands twice in a revision")


def _check_classes(field: pa.Field, values: pa.Array) -> None:
    flat = values.flatten() if is_classes(field) else pa.nulls(0)
    names = [part.name for part in flat.type] if is_classes(field) else []
    if names != [part.name for part in CLASSIFICATION_TYPE]:
        raise StoreError(f"classes are a list of {CLASSIFICATION_TYPE}, not {field.type}")
    if flat.field("name").null_count or flat.field("by").null_count:
        raise StoreError("a class without name, or without a source")


def _words(column: pa.Array) -> Sequence[str]:
    unique: list[str] = pc.unique(column.cast(pa.string())).to_pylist()
    return unique


def made_by(schema: pa.Schema) -> str:
    """Column -> module@version of a revision, as JSON."""
    return provenance(pa.schema(revised_fields(schema)))


def values_schema(folder: Path) -> pa.Schema:
    """Columns of the new values of a revision."""
    return pq.read_schema(folder / VALUES)


def find_committed(layout: Layout) -> list[str]:
    """Names of the revisions in the archive that were committed, in their order."""
    folders = list(layout.revisions.iterdir()) if layout.revisions.is_dir() else []
    found = {folder.name: read_committed(folder) for folder in folders if is_revision_name(folder.name)}
    return sorted((name for name, facts in found.items() if facts), key=lambda name: (_number(found[name]), name))


def _number(committed: Committed | None) -> int:
    return 0 if committed is None else committed.number
