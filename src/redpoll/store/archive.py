"""Writing a segment: one batch with all its columns, as three Parquet files that appear together or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from redpoll.errors import StoreError
from redpoll.schema.alert import CUTOUTS
from redpoll.schema.classifications import CLASSES
from redpoll.schema.table import packet_light_curves
from redpoll.store.columns import HISTORY_NEWS, KEYS, check_names, provenance
from redpoll.store.folders import new_folder
from redpoll.store.layout import ALERTS, CUTOUT_FILE, LIGHT_CURVES, Layout, segment_name
from redpoll.store.parquet import read, write

LIGHT_CURVE, PACKET_LIGHT_CURVE = "light_curve", "packet_light_curve"
"""An archived alert's light curve is the one that its packet held; the stage `history` joins the rest again."""
PROVENANCE, COLUMNS_DIGEST = b"redpoll.provenance", b"redpoll.columns"
"""Facts about all files of a segment, in the metadata of the smallest footer."""
ROWS = {ALERTS: 1000, LIGHT_CURVES: 128, CUTOUT_FILE: 64}
"""Rows of a row group: one light curve or one cutout is one small read."""
_NEEDED = ("survey", "object_id", "alert_id", "night", "mjd", "ra", "dec", "hpx29")


@dataclass(frozen=True)
class Archive:
    """The port Segments: the archive of the store at `root`; light enough to be sent to a worker process.

    Examples
    --------
    >>> Archive(Path("store")).layout.segments.as_posix()
    'store/archive/segments'
    """

    root: Path

    @property
    def layout(self) -> Layout:
        """Paths of the store."""
        return Layout(self.root)

    def write(self, alerts: pa.RecordBatch) -> str:
        """Write a batch of one survey and sync it; returns the name of the segment, which counts once committed.

        Raises
        ------
        StoreError
            If the batch is empty, mixes surveys or lacks a column, or the disk does not take it. Nothing is left.
        """
        table = pa.Table.from_batches([alerts])
        name = segment_name(*_survey_and_night(table))
        with new_folder(self.layout, self.layout.segments, name) as folder:
            for file, piece in split(table).items():
                write_file(folder / file, piece)
        return name


def split(table: pa.Table) -> dict[str, pa.Table]:
    """Split a batch into the tables of the files of a segment, row for row."""
    names = set(table.column_names)
    head = table.select(["survey", "alert_id", *(name for name in CUTOUTS if name in names)])
    light_curves = table.select(["alert_id", *([LIGHT_CURVE] if LIGHT_CURVE in names else [])])
    if LIGHT_CURVE in names:
        light_curves = light_curves.set_column(1, table.schema.field(LIGHT_CURVE), packet_light_curves(table))
    apart = (*CUTOUTS, LIGHT_CURVE, PACKET_LIGHT_CURVE, HISTORY_NEWS)
    alerts = table.drop_columns([name for name in apart if name in names])
    facts = {PROVENANCE: provenance(table.schema), COLUMNS_DIGEST: _digest(head, light_curves, alerts)}
    return {CUTOUT_FILE: head.replace_schema_metadata(facts), LIGHT_CURVES: light_curves, ALERTS: alerts}


def write_file(path: Path, table: pa.Table, *, sorted_by: str | None = None) -> None:
    """Write one Parquet file with the settings measured in benchmarks/store.py."""
    write(path, table, row_group_size=ROWS.get(path.name, 1000), **_settings(path.name, table, sorted_by))


def join_rows(segment: Path, rows: np.ndarray[Any, Any]) -> pa.Table:
    """Some rows of a segment that was not compacted, with all their columns."""
    table, *others = (take(read(segment / file), rows) for file in (ALERTS, LIGHT_CURVES, CUTOUT_FILE))
    for extra in others:
        for field in extra.schema:
            if field.name not in table.column_names:
                table = table.append_column(field, extra[field.name])
    return table


def archived_schema(segment: Path) -> pa.Schema:
    """Every column of a segment that is still there, in the order of its files."""
    schemas = [
        pq.read_schema(segment / file) for file in (ALERTS, LIGHT_CURVES, CUTOUT_FILE) if (segment / file).exists()
    ]
    fields = {field.name: field for schema in reversed(schemas) for field in schema}
    return pa.schema([fields[name] for name in dict.fromkeys(n for s in schemas for n in s.names)])


@dataclass(frozen=True)
class SegmentHead:
    """Facts of a segment that a commit needs if it is not compacted; read from a small part of one file.

    ``made_by`` is column -> module@version as JSON. Segments of equal ``columns`` (a digest; None if it is not known)
    have the same columns with the same descriptions.
    """

    alert_ids: pa.Array
    made_by: str
    columns: str | None


def read_head(segment: Path) -> SegmentHead:
    """The head of a segment; OSError if its file cannot be read, StoreError if it is of another kind."""
    with pq.ParquetFile(segment / CUTOUT_FILE, page_checksum_verification=True) as file:
        facts: Mapping[bytes, bytes] = file.schema_arrow.metadata or {}
        if PROVENANCE not in facts:
            raise StoreError(f"{segment / CUTOUT_FILE} is not of an archive; run `redpoll store check --deep`")
        ids = file.read(["alert_id"], use_threads=False)["alert_id"].combine_chunks()
    digest = facts.get(COLUMNS_DIGEST)
    return SegmentHead(ids, facts[PROVENANCE].decode(), None if digest is None else digest.decode())


def take(table: pa.Table, rows: np.ndarray[Any, Any]) -> pa.Table:
    """Some rows of a table, in the order of their numbers; Arrow itself cannot do it for binary views."""
    views = [i for i, kind in enumerate(table.schema.types) if kind == pa.binary_view()]
    for i in views:
        table = table.set_column(i, table.field(i).with_type(pa.binary()), table.column(i).cast(pa.binary()))
    return table.take(pa.array(rows))


def _settings(file: str, table: pa.Table, sorted_by: str | None) -> dict[str, Any]:
    compressed = file != CUTOUT_FILE or "rubin" in _surveys(table)  # ztf sends its cutouts gzipped
    few_values = [f.name for f in table.schema if pa.types.is_dictionary(f.type)]
    names = set(table.column_names)
    few_values += [f"{CLASSES}.list.element.{name}" for name in ("name", "by") if CLASSES in names]
    dictionary: Sequence[str] | bool = few_values if file == ALERTS and few_values else False
    codec = {"compression": "zstd", "compression_level": 1} if compressed else {"compression": "none"}
    statistics = [name for name in (sorted_by, "alert_id") if name in names]
    return {"use_dictionary": dictionary, "write_statistics": statistics, **codec}


def _digest(*tables: pa.Table) -> str:
    """A digest of the names, types and descriptions of all columns."""
    return hashlib.blake2b(b"".join(table.schema.serialize().to_pybytes() for table in tables)).hexdigest()


def _surveys(table: pa.Table) -> list[str]:
    return [] if "survey" not in table.column_names else pc.unique(table["survey"]).to_pylist()


def _survey_and_night(table: pa.Table) -> tuple[str, int]:
    check_names(table.schema)
    names = set(table.column_names)
    missing = [name for name in _NEEDED if name not in names or table[name].null_count]
    surveys = _surveys(table)
    if missing or len(surveys) != 1:
        raise StoreError(
            f"a segment holds all columns of alerts of one survey; lacking {missing or 'one survey'}: {surveys}"
        )
    return surveys[0], pc.min(table["night"]).as_py()


assert set(KEYS) < set(_NEEDED)
