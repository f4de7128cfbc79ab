"""The HATS layout: pixels of about equal size, and the files that make a folder a catalogue for `hats` and LSDB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from redpoll.errors import StoreError
from redpoll.store.layout import pixel_path
from redpoll.store.parquet import write
from redpoll.store.rows import HEALPIX
from redpoll.store.struct_lists import split_lists

SEGMENT, ROW = "_segment", "_row"
"""Columns of the catalogue with the segment and row in which an alert was first written, where its cutouts are."""
ROW_GROUP = 1000
_ORDER, _MAX_ORDER = 29, 15
_MAX_CHUNKS = 200_000  # of `_metadata`: about 16 MB; hats and LSDB do without the file


@dataclass(frozen=True, order=True)
class Pixel:
    """A partition of the catalogue: all alerts whose order-29 index is in [start, stop)."""

    start: int
    stop: int
    norder: int
    npix: int
    rows: int

    @classmethod
    def at(cls, path: Path, rows: int) -> Pixel:
        """The pixel of a file named as in `path`."""
        norder, npix = (int(piece.split("=")[1]) for piece in (path.parts[-3], path.stem))
        shift = 2 * (_ORDER - norder)
        return cls(npix << shift, (npix + 1) << shift, norder, npix, rows)

    @property
    def path(self) -> str:
        """File of the pixel, inside its catalogue."""
        return pixel_path(self.norder, self.npix)


def pixels_of(hpx29: NDArray[np.int64], max_rows: int) -> list[Pixel]:
    """The coarsest pixels with at most `max_rows` alerts each, from the sorted indices of all alerts.

    Alerts closer together than order 15 (6 arcsec) stay together, however many they are.

    >>> [(p.norder, p.npix, p.rows) for p in pixels_of(np.array([0, 1, 1 << 58]), 2)]
    [(0, 0, 2), (0, 1, 1)]
    """
    found, waiting = [], [(0, npix) for npix in range(12)]
    while waiting:
        norder, npix = waiting.pop()
        shift = 2 * (_ORDER - norder)
        start, stop = npix << shift, (npix + 1) << shift
        rows = int(np.searchsorted(hpx29, stop) - np.searchsorted(hpx29, start))
        if rows > max_rows and norder < _MAX_ORDER:
            waiting += [(norder + 1, 4 * npix + i) for i in range(4)]
        elif rows:
            found.append(Pixel(start, stop, norder, npix, rows))
    return sorted(found)


def catalogue_schema(schemas: Sequence[pa.Schema]) -> pa.Schema:
    """One schema for batches of several packet versions and modules, in types that every reader of Parquet knows.

    The version that made a value is recorded with the segment (see ``AlertReader.provenance``).
    """
    plain = [pa.schema([_plain(field) for field in schema]) for schema in schemas]
    try:
        return pa.unify_schemas(plain, promote_options="permissive").remove_metadata()
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise StoreError(f"batches whose columns changed type cannot share a catalogue: {error}") from error


def moved_schema(segment: pa.Schema) -> pa.Schema:
    """Schema of the rows of a segment as they go into the catalogue."""
    own = [pa.field(HEALPIX, pa.int64()), pa.field(SEGMENT, pa.string()), pa.field(ROW, pa.int32())]
    return pa.schema([own[0], *segment, *own[1:]])


def write_pixel(path: Path, table: pa.Table, settings: Mapping[str, Any]) -> None:
    """Write a pixel, sorted by index, time and identifier; lists of structs as structs of lists."""
    keys = [table[name].to_numpy() for name in ("alert_id", "mjd", HEALPIX)]
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, split_lists(table.take(pa.array(np.lexsort(keys)))), row_group_size=ROW_GROUP, **settings)


def parquet_settings(schema: pa.Schema) -> dict[str, Any]:
    """Dictionaries for text only, statistics for what a query can restrict: figures do not repeat."""
    probe = BytesIO()
    pq.write_table(schema.empty_table(), probe)
    leaves = pq.read_metadata(BytesIO(probe.getvalue())).schema
    columns = [leaves.column(i) for i in range(len(leaves))]
    text = [column.path for column in columns if column.physical_type == "BYTE_ARRAY"]
    flat = [column.path for column in columns if "." not in column.path]
    return {"compression": "zstd", "compression_level": 3, "use_dictionary": text, "write_statistics": flat}


def describe(folder: Path, survey: str, pixels: Sequence[Pixel], schema: pa.Schema) -> None:
    """Write the files that make `folder` a catalogue: properties, list of pixels, schema, statistics if small."""
    breadth_first = sorted(pixels, key=lambda p: (p.norder, p.npix))
    lines = ["Norder,Npix", *(f"{p.norder},{p.npix}" for p in breadth_first)]
    (folder / "partition_info.csv").write_text("\n".join(lines) + "\n")
    properties = "".join(f"{key}={value}\n" for key, value in _properties(survey, pixels, schema).items())
    for name in ("hats.properties", "properties"):
        (folder / name).write_text(properties)
    pq.write_metadata(schema, folder / "dataset" / "_common_metadata")
    if sum(-(-p.rows // ROW_GROUP) for p in pixels) * len(parquet_leaves(schema)) <= _MAX_CHUNKS:
        _write_metadata(folder, breadth_first, schema)


def parquet_leaves(schema: pa.Schema) -> list[pa.Field]:
    """Fields of the innermost level, one per column chunk of a Parquet file."""
    found, waiting = [], list(schema)
    while waiting:
        field = waiting.pop()
        children = [field.type.field(i) for i in range(field.type.num_fields)]
        waiting += children
        found += [] if children else [field]
    return found


def _write_metadata(folder: Path, pixels: Sequence[Pixel], schema: pa.Schema) -> None:
    collected = []
    for pixel in pixels:
        metadata = pq.read_metadata(folder / pixel.path)
        metadata.set_file_path(pixel.path.removeprefix("dataset/"))
        collected.append(metadata)
    pq.write_metadata(schema, folder / "dataset" / "_metadata", metadata_collector=collected)


def _properties(survey: str, pixels: Sequence[Pixel], schema: pa.Schema) -> dict[str, Any]:
    flat = [f.name for f in schema if not pa.types.is_nested(f.type) and not f.name.startswith("_")]
    return {
        "obs_collection": f"redpoll_{survey}",
        "dataproduct_type": "source",
        "hats_nrows": sum(p.rows for p in pixels),
        "hats_col_ra": "ra",
        "hats_col_dec": "dec",
        "hats_col_healpix": HEALPIX,
        "hats_col_healpix_order": _ORDER,
        "hats_cols_default": " ".join(flat),
        "hats_npix_suffix": ".parquet",
        "hats_order": max(p.norder for p in pixels),
        "hats_max_rows": max(p.rows for p in pixels),
        "hats_builder": "redpoll",
        "hats_version": "v1.0",
    }


def _plain(field: pa.Field) -> pa.Field:
    """The field without dictionaries and views, and without the maker in its metadata."""
    facts = {key: value for key, value in (field.metadata or {}).items() if key != b"by"}
    return field.with_type(_plain_type(field.type)).with_nullable(True).with_metadata(facts or None)


def _plain_type(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(kind):
        return _plain_type(kind.value_type)
    if pa.types.is_struct(kind):
        return pa.struct([_plain(kind.field(i)) for i in range(kind.num_fields)])
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pa.list_(_plain(kind.value_field))
    return {pa.binary_view(): pa.binary(), pa.string_view(): pa.string()}.get(kind, kind)
