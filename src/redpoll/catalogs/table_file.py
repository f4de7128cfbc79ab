"""Opening of a catalogue's file: CSV, Parquet, FITS table or VOTable, gzipped or not."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from redpoll.catalogs.errors import CatalogError
from redpoll.catalogs.parquet_table import ParquetTable
from redpoll.catalogs.tables import Table

_MAX_GROWTH = 100
_SMALL = 100_000_000
_PIECE = 1 << 22


@contextmanager
def open_table(path: Path) -> Iterator[Table]:
    """The table in a file, whose format is recognised from its first bytes; gzipped files are unpacked temporarily.

    Raises
    ------
    CatalogError
        If there is no such file, or it has none of the four formats, or is damaged.
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


def _open(path: Path, named: Path) -> Table:
    from redpoll.catalogs import astropy_tables, text_table  # astropy is slow to import, and few commands need it

    with path.open("rb") as file:
        start = file.read(1 << 12)
    if start.startswith(b"PAR1"):
        return ParquetTable(path, named)
    if start.startswith(b"SIMPLE  ="):
        return astropy_tables.FitsTable(path, named)
    if b"<VOTABLE" in start or start.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<?xml"):
        return astropy_tables.VoTable(path, named)
    if not start or b"\0" in start:
        raise CatalogError(f"{named}: is not a CSV, Parquet, FITS or VOTable file; see `redpoll catalog add --help`")
    return text_table.TextTable(path, named)


def _gunzip(path: Path, plain: Path) -> None:
    max_bytes = path.stat().st_size * _MAX_GROWTH + _SMALL
    with gzip.open(path, "rb") as packed, plain.open("wb") as out:
        while piece := packed.read(_PIECE):
            out.write(piece)
            if out.tell() > max_bytes:
                raise CatalogError(f"{path}: unpacks to more than {_MAX_GROWTH} times its size; unpack it yourself")
