"""A catalogue as it comes: CSV, Parquet, FITS table or VOTable, gzipped or not, read by columns and batches."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from redpoll.crossmatch.errors import CatalogError

ROWS = 1 << 18
_MOST_GROWTH = 100
_SMALL = 100_000_000
_PIECE = 1 << 22


class Table(Protocol):
    """A table in a file."""

    @property
    def names(self) -> tuple[str, ...]:
        """Its columns."""
        ...

    @property
    def units(self) -> Mapping[str, str]:
        """Units of the columns, where the file says them."""
        ...

    @property
    def n_rows(self) -> int | None:
        """How many rows, if that is known before they are read."""
        ...

    def batches(self, names: Sequence[str]) -> Iterator[dict[str, pa.Array]]:
        """Some of its columns, some rows at a time."""
        ...


@contextmanager
def open_table(path: Path) -> Iterator[Table]:
    """The table in a file, whose kind is seen from its first bytes; a gzipped one is unpacked beside it meanwhile.

    Raises
    ------
    CatalogError
        If there is no such file, or it is none of the four kinds, or damaged.
    """
    try:
        with path.open("rb") as file:
            is_gzip = file.read(2) == b"\x1f\x8b"
        if not is_gzip:
            yield _open(path, path)
            return
        with TemporaryDirectory(prefix=".redpoll-") as folder:
            plain = Path(folder) / path.stem
            _gunzip(path, plain)
            yield _open(plain, path)
    except (OSError, EOFError, zlib.error) as error:
        raise CatalogError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error


def require_columns(table: Table, names: Sequence[str], where: str) -> None:
    """Raise CatalogError, with the near names, if a column that is wanted is not there."""
    for name in names:
        if name not in table.names and name.partition(".")[0] not in table.names:
            near = get_close_matches(name, table.names, n=3, cutoff=0.5) or table.names[:12]
            raise CatalogError(f"{where}: has no column '{name}'. Near: {', '.join(near)}")


def _open(path: Path, named: Path) -> Table:
    from redpoll.crossmatch.catalogs import astropy_tables, text_table  # they bring astropy, which few commands need

    with path.open("rb") as file:
        start = file.read(1 << 12)
    if start.startswith(b"PAR1"):
        return ParquetTable(path, named)
    if start.startswith(b"SIMPLE  ="):
        return astropy_tables.FitsTable(path, named)
    if b"<VOTABLE" in start or start.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<?xml"):
        return astropy_tables.VoTable(path, named)
    if not start or b"\0" in start:
        raise CatalogError(f"{named}: is no CSV, Parquet, FITS or VOTable file; see `redpoll catalog add --help`")
    return text_table.TextTable(path, named)


class ParquetTable:
    """A Parquet file; a name with dots is a field of a struct."""

    units: Mapping[str, str] = {}

    def __init__(self, path: Path, named: Path) -> None:
        self._named = named
        try:
            self._file = pq.ParquetFile(path)
        except pa.ArrowException as error:
            raise CatalogError(f"{named}: is no whole Parquet file: {error}") from error
        self.names = tuple(self._file.schema_arrow.names)
        self.n_rows: int | None = self._file.metadata.num_rows

    def batches(self, names: Sequence[str]) -> Iterator[dict[str, pa.Array]]:
        """Some of its columns, by batches."""
        outer = list(dict.fromkeys(name if name in self.names else name.partition(".")[0] for name in names))
        try:
            for batch in self._file.iter_batches(ROWS, columns=outer):
                yield {name: self._column(batch, name) for name in names}
        except pa.ArrowException as error:
            raise CatalogError(f"{self._named}: is damaged: {error}") from error

    def _column(self, batch: pa.RecordBatch, name: str) -> pa.Array:
        if name in self.names:
            return batch[name]
        outer, _, inner = name.partition(".")
        kind = batch.schema.field(outer).type
        if not pa.types.is_struct(kind) or kind.get_field_index(inner) < 0:
            raise CatalogError(f"{self._named}: column '{outer}' has no field '{inner}'; it is {kind}")
        return batch[outer].flatten()[kind.get_field_index(inner)]


def _gunzip(path: Path, plain: Path) -> None:
    most = path.stat().st_size * _MOST_GROWTH + _SMALL
    with gzip.open(path, "rb") as packed, plain.open("wb") as out:
        while piece := packed.read(_PIECE):
            out.write(piece)
            if out.tell() > most:
                raise CatalogError(f"{path}: unpacks to more than {_MOST_GROWTH} times its size; unpack it yourself")
