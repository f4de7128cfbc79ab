"""Reddening by dust of the Milky Way, from a user's map of E(B-V) in a memory-mapped array of cells."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from healpix_geo import nested, ring
from numpy.typing import ArrayLike, NDArray

from redpoll.astro.sky import ORDER, galactic, is_position
from redpoll.crossmatch.bounded_file import fingerprint, open_bounded
from redpoll.crossmatch.errors import SkyFileError
from redpoll.crossmatch.fits_table import BinaryTable, open_fits_table
from redpoll.crossmatch.sky_maps.flat import flat_order
from redpoll.schema.column import Column

MAX_ORDER = 11
"""Maximum order of a map: nside 2048, 201 MB on disk, memory-mapped."""
MAX_BYTES = 4 << 30
"""Maximum bytes of a FITS map, uncompressed; it is read in pieces."""
_NAMES = ("EBV", "E(B-V)", "E_B_V", "TEMPERATURE", "RECOMMENDED_MEAN", "DUST")
_FRAMES = {
    "G": "galactic", "GAL": "galactic", "GALACTIC": "galactic",
    "C": "icrs", "CEL": "icrs", "EQ": "icrs", "EQUATORIAL": "icrs", "CELESTIAL": "icrs", "ICRS": "icrs",
}  # fmt: skip
_CELLS, _ABOUT, _PIECE_BYTES = "ebv.npy", "dust.json", 16 << 20
Cells = NDArray[np.float32]


class DustMap:
    """Context ``ebv``: E(B-V) of the cell of each alert, from a folder made by `add_dust_map`.

    Raises
    ------
    SkyFileError
        If the folder is not a dust map.
    """

    name = "ebv"
    reads = ("ra", "dec")

    def __init__(self, folder: Path) -> None:
        about = _read_about(folder)
        self.frame, self.order, self.source = about["frame"], about["order"], about["source"]
        self.version = str(about["version"])
        self._cells = _open_cells(folder / _CELLS, self.order)

    @property
    def columns(self) -> Mapping[str, Column]:
        """``ebv``."""
        doc = f"Reddening E(B-V) by dust of the Milky Way, from {self.source}; null where the map has no value."
        return {"ebv": Column("float32", "mag", doc, "phot.color.excess")}

    def match(self, batch: pa.RecordBatch) -> dict[str, pa.Array]:
        """E(B-V) of each alert, from its ``ra`` and ``dec``."""
        ra, dec = (batch[name].to_numpy(zero_copy_only=False) for name in ("ra", "dec"))
        return {"ebv": pa.array(self.ebv(ra, dec), from_pandas=True)}

    def ebv(self, ra: ArrayLike, dec: ArrayLike) -> Cells:
        """E(B-V) [mag] of the cell at each position (ICRS degrees); NaN where position or value is unknown."""
        ra, dec = np.atleast_1d(np.asarray(ra, np.float64)), np.atleast_1d(np.asarray(dec, np.float64))
        found = np.full(len(ra), np.nan, np.float32)
        known = is_position(ra, dec)
        lon, lat = ra[known], dec[known]
        if self.frame == "galactic":
            lon, lat = galactic(lon, lat)
        index = nested.lonlat_to_healpix(np.mod(lon, 360.0), np.ascontiguousarray(lat), self.order, num_threads=1)
        found[known] = self._cells[np.asarray(index, np.int64)]
        return found


def add_dust_map(source: Path, folder: Path, *, frame: str | None = None, column: str | None = None) -> DustMap:
    """Convert a map of E(B-V) to the folder of a `DustMap`, which replaces an existing one on success.

    A FITS file (gzipped or not) has a full HEALPix map, NESTED or RING, in the column EBV or `column`; a Parquet file
    has rows of `order`, `ipix` (nested) and `ebv`, which need not cover the sky. Values below -1 or not finite are
    unknown.

    Parameters
    ----------
    frame
        ``"galactic"`` or ``"icrs"``; needed if the file has none (FITS: COORDSYS; Parquet: metadata ``frame``).
    column
        Name of the FITS column.

    Raises
    ------
    SkyFileError
        If the file is neither, is damaged or inconsistent, or is finer than nside 2048.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        is_parquet = _first_bytes(source) == b"PAR1"
        found = _add_parquet(source, scratch) if is_parquet else _add_fits(source, scratch, column)
        about = {"frame": _frame(frame or found[1], source), "order": found[0], "source": source.name}
        (scratch / _ABOUT).write_text(json.dumps({**about, "version": fingerprint(source)}, indent=1))
        if folder.is_dir():
            DustMap(folder)  # raises if the folder is not a dust map
            shutil.rmtree(folder)
        scratch.replace(folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return DustMap(folder)


def _first_bytes(source: Path) -> bytes:
    try:
        with source.open("rb") as stream:
            return stream.read(4)
    except OSError as error:
        raise SkyFileError(f"{source}: cannot be read: {error.strerror}; look at the path") from error


def _frame(name: str, source: Path) -> str:
    if name.strip().upper() not in _FRAMES:
        found = f"has the unknown frame {name[:20]!r}" if name else "does not name its frame"
        raise SkyFileError(f"{source}: {found}; give the frame, galactic or icrs")
    return _FRAMES[name.strip().upper()]


def _new_cells(folder: Path, order: int, source: Path) -> Cells:
    if order > MAX_ORDER:
        raise SkyFileError(f"{source}: has cells of order {order}; the finest is {MAX_ORDER}: average it to that")
    return np.lib.format.open_memmap(folder / _CELLS, mode="w+", dtype=np.float32, shape=(12 * 4**order,))


def _add_fits(source: Path, folder: Path, column: str | None) -> tuple[int, str]:
    with open_bounded(source, MAX_BYTES) as reader:
        table = open_fits_table(reader)
        if table.text("INDXSCHM", "IMPLICIT") != "IMPLICIT":
            raise SkyFileError(f"{source}: only part of the sky is in it (INDXSCHM); write that as Parquet")
        name = _column(table, column)
        try:
            order = flat_order(table, name)
        except ValueError as error:
            raise SkyFileError(f"{source}: {error}") from error
        cells = _new_cells(folder, order, source)
        start = 0
        for values in _pieces(table, name):
            pixels = np.arange(start, start + len(values), dtype=np.uint64)
            cells[_nested(pixels, order, table)] = _known(values)
            start += len(values)
        return order, table.text("COORDSYS")


def _column(table: BinaryTable, asked: str | None) -> str:
    wanted = [asked.upper()] if asked else _NAMES
    for name in wanted:
        if name in table.names:
            return name
    if asked is None and len(table.names) == 1:
        return table.names[0]
    raise SkyFileError(f"{table.where}: has no column {wanted[0]}; name one of {', '.join(table.names)[:200]}")


def _pieces(table: BinaryTable, name: str) -> Iterator[NDArray[Any]]:
    if table.row_bytes > _PIECE_BYTES:
        raise SkyFileError(
            f"{table.where}: has rows of {table.row_bytes:,} bytes; write it with 1 or 1024 pixels a row"
        )
    for (values,) in table.chunks([name], max(1, _PIECE_BYTES // table.row_bytes)):
        yield values


def _nested(pixels: NDArray[np.uint64], order: int, table: BinaryTable) -> NDArray[np.int64]:
    ordering = table.text("ORDERING")
    if ordering not in ("NESTED", "RING"):
        raise SkyFileError(f"{table.where}: ORDERING is {ordering[:20]!r}; NESTED or RING is needed")
    return np.asarray(ring.to_nested(pixels, order, num_threads=1) if ordering == "RING" else pixels, np.int64)


def _known(values: NDArray[Any]) -> Cells:
    """The values as float32, NaN where unknown."""
    values = np.asarray(values, np.float64)
    return np.where(np.isfinite(values) & (values >= -1.0) & (values < 1e6), values, np.nan).astype(np.float32)


def _add_parquet(source: Path, folder: Path) -> tuple[int, str]:
    try:
        with pq.ParquetFile(source, memory_map=True, thrift_string_size_limit=1 << 24) as file:
            _check_parquet(file, source)
            order = max(
                (_highest(batch, source) for batch in file.iter_batches(1 << 16, columns=["order"])), default=-1
            )
            if order < 0:
                raise SkyFileError(f"{source}: has no rows")
            cells = _new_cells(folder, order, source)
            cells[:] = np.nan
            for batch in file.iter_batches(1 << 16, columns=["order", "ipix", "ebv"]):
                _fill(batch, cells, order, source)
            return order, (file.schema_arrow.metadata or {}).get(b"frame", b"").decode("utf-8", "replace")
    except (pa.ArrowException, OSError) as error:
        raise SkyFileError(f"{source}: is not a readable Parquet file: {error}") from error


def _check_parquet(file: pq.ParquetFile, source: Path) -> None:
    """Raise SkyFileError unless the columns are numbers in row groups that fit into memory."""
    schema = file.schema_arrow
    for name, test in (("order", pa.types.is_integer), ("ipix", pa.types.is_integer), ("ebv", pa.types.is_floating)):
        if name not in schema.names or not test(schema.field(name).type):
            raise SkyFileError(
                f"{source}: needs columns order, ipix (integers) and ebv (float); it has {schema.names[:9]}"
            )
    biggest = max((file.metadata.row_group(i).total_byte_size for i in range(file.num_row_groups)), default=0)
    if file.metadata.num_rows > 12 * 4**MAX_ORDER or biggest > 512 << 20:
        raise SkyFileError(
            f"{source}: has {file.metadata.num_rows:,} rows, in groups of up to {biggest:,} bytes; at most "
            f"{12 * 4**MAX_ORDER:,} in groups of 512 MB are read: write it coarser, or with smaller row groups"
        )


def _highest(batch: pa.RecordBatch, source: Path) -> int:
    orders = _integers(batch, "order", source)
    if len(orders) and (orders.min() < 0 or orders.max() > ORDER):
        raise SkyFileError(f"{source}: an order is not within 0..{ORDER}")
    return int(orders.max(initial=-1))


def _fill(batch: pa.RecordBatch, cells: Cells, order: int, source: Path) -> None:
    """Write the rows to all finest cells that they cover."""
    orders, index = _integers(batch, "order", source), _integers(batch, "ipix", source)
    values = _known(batch["ebv"].to_numpy(zero_copy_only=False))
    for level in np.unique(orders):
        mine = orders == level
        if (index[mine] < 0).any() or (index[mine] >= 12 * 4 ** int(level)).any():
            raise SkyFileError(f"{source}: an ipix of order {level} is not within 0..{12 * 4 ** int(level) - 1}")
        cells.reshape(12 * 4 ** int(level), -1)[index[mine]] = values[mine, None]


def _integers(batch: pa.RecordBatch, name: str, source: Path) -> NDArray[np.int64]:
    if batch[name].null_count:
        raise SkyFileError(f"{source}: column {name} has nulls; leave those rows out")
    return np.asarray(batch[name].to_numpy(zero_copy_only=False), np.int64)


def _read_about(folder: Path) -> dict[str, Any]:
    try:
        with (folder / _ABOUT).open("rb") as stream:
            about = json.loads(stream.read(10_000))
    except (OSError, ValueError) as error:
        raise SkyFileError(f"{folder}: is not a dust map ({error}); make one with add_dust_map") from error
    kinds = {"frame": str, "order": int, "source": str, "version": str}
    if not isinstance(about, dict) or any(type(about.get(key)) is not kind for key, kind in kinds.items()):
        raise SkyFileError(f"{folder / _ABOUT}: needs {', '.join(kinds)}; make the dust map again")
    if about["frame"] not in _FRAMES.values() or not 0 <= about["order"] <= MAX_ORDER:
        raise SkyFileError(f"{folder / _ABOUT}: has an impossible frame or order; make the dust map again")
    return about


def _open_cells(path: Path, order: int) -> Cells:
    try:
        cells = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise SkyFileError(f"{path}: cannot be read ({error}); make the dust map again") from error
    if not isinstance(cells, np.ndarray) or cells.dtype != np.float32 or cells.shape != (12 * 4**order,):
        raise SkyFileError(f"{path}: is not an array of {12 * 4**order:,} float32; make the dust map again")
    return cells
