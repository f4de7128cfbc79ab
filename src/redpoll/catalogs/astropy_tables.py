"""Readers of FITS tables and VOTables, based on astropy."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from astropy.io import fits
from astropy.io.votable import parse
from astropy.io.votable.exceptions import VOTableSpecError

from redpoll.catalogs.errors import CatalogError
from redpoll.catalogs.tables import ROWS

_MAX_XML_BYTES = 2_000_000_000
_OUTSIDE = re.compile(rb"<!ENTITY|<(?:\w+:)?STREAM\b[^>]*\bhref\s*=", re.IGNORECASE)
_PIECE, _OVERLAP = 1 << 22, 1 << 12
_ASTROPY_ERRORS = (
    OSError, ValueError, TypeError, KeyError, IndexError, MemoryError, fits.VerifyError, VOTableSpecError,
)  # fmt: skip


class FitsTable:
    """The first table of a FITS file, memory-mapped."""

    def __init__(self, path: Path, named: Path) -> None:
        self._path, self._named = path, named
        try:
            with _opened(path) as units:
                tables = [i for i, u in enumerate(units) if isinstance(u, fits.BinTableHDU | fits.TableHDU)]
                if not tables:
                    raise CatalogError(f"{named}: holds no table, only images")
                table = units[tables[0]]
                self._unit = tables[0]
                self.n_rows: int | None = int(table.header["NAXIS2"])
                self.names = tuple(map(str, table.columns.names))
                self.units: Mapping[str, str] = {c.name: str(c.unit) for c in table.columns if c.unit}
        except _ASTROPY_ERRORS as error:
            raise CatalogError(f"{named}: is not a complete FITS file: {error}") from error

    def batches(self, names: Sequence[str]) -> Iterator[dict[str, pa.Array]]:
        """Yield some of its columns in batches of rows."""
        try:
            with _opened(self._path) as units:
                table = units[self._unit]
                blanks = {c.name: c.null for c in table.columns}
                for start in range(0, len(table.data), ROWS):
                    rows = table.data[start : start + ROWS]
                    yield {n: _to_arrow(rows[n], blanks.get(n), f"{self._named}: {n}") for n in names}
        except _ASTROPY_ERRORS as error:
            raise CatalogError(f"{self._named}: is damaged: {error}") from error


class VoTable:
    """The first table of a VOTable; CatalogError if it is larger than 2 GB or refers to external data."""

    def __init__(self, path: Path, named: Path) -> None:
        if path.stat().st_size > _MAX_XML_BYTES:
            raise CatalogError(f"{named}: a VOTable of more than 2 GB is not read; take FITS, Parquet or CSV")
        if _has_external_data(path):
            raise CatalogError(f"{named}: declares entities or external data, which are not read")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                table = parse(path, verify="ignore").get_first_table().to_table(use_names_over_ids=True)
        except _ASTROPY_ERRORS as error:
            raise CatalogError(f"{named}: is not a complete VOTable: {error}") from error
        self._table, self._named = table, named
        self.n_rows: int | None = len(table)
        self.names = tuple(map(str, table.colnames))
        self.units: Mapping[str, str] = {n: str(table[n].unit) for n in self.names if table[n].unit}

    def batches(self, names: Sequence[str]) -> Iterator[dict[str, pa.Array]]:
        """Yield some of its columns in batches of rows."""
        for start in range(0, len(self._table), ROWS):
            rows = self._table[start : start + ROWS]
            yield {n: _to_arrow(rows[n], None, f"{self._named}: {n}") for n in names}


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The units of a FITS file, without astropy's warnings about its header."""
    with warnings.catch_warnings(), path.open("rb") as file:
        warnings.simplefilter("ignore")
        with fits.open(file, memmap=True) as units:
            yield units


def _to_arrow(values: Any, blank: Any, where: str) -> pa.Array:
    """A column of astropy as an Arrow array: masked and blank values null, strings decoded."""
    mask = np.ma.getmaskarray(values) if isinstance(values, np.ma.MaskedArray) else None
    array = np.asarray(values.data if mask is not None else values)
    if array.ndim != 1:
        raise CatalogError(f"{where}: has {array.shape[1:]} values in each row; only plain columns are kept")
    if array.dtype.kind == "S":
        array = np.char.decode(array, "latin1")
    if array.dtype.kind in "OU":
        return pa.array([None if v is None else str(v) for v in array.tolist()], pa.string(), mask=mask)
    if blank is not None and array.dtype.kind in "iu":
        mask = (array == blank) if mask is None else mask | (array == blank)
    return pa.array(array.astype(array.dtype.newbyteorder("="), copy=False), mask=mask)


def _has_external_data(path: Path) -> bool:
    with path.open("rb") as file:
        tail = b""
        while piece := file.read(_PIECE):
            if _OUTSIDE.search(tail + piece):
                return True
            tail = piece[-_OVERLAP:]
    return False
