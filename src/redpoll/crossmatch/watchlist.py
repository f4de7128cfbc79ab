"""Contexts of watchlists: whether each alert lies within the radius of an entry, and of which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from redpoll.astro.sky import is_position
from redpoll.astro.sky_index import build_index, find_matches
from redpoll.catalogs.errors import CatalogError
from redpoll.catalogs.positions import read_positions
from redpoll.catalogs.recipe import Position
from redpoll.catalogs.tables import Table
from redpoll.catalogs.values import plain_numbers, plain_text
from redpoll.crossmatch.blank_table import open_list
from redpoll.crossmatch.bounded_file import fingerprint
from redpoll.crossmatch.errors import SkyFileError
from redpoll.schema.column import Column, is_text
from redpoll.schema.names import valid_name

MAX_ENTRIES = 1_000_000
"""Maximum number of entries of a watchlist."""
MAX_RADIUS = 3600.0
"""Maximum radius of an entry [arcsec]; use a region for larger areas."""
DEFAULT_RADIUS = 3.0
"""Radius [arcsec] of entries without one."""
_RA = ("ra", "raj2000", "ra_icrs", "radeg", "ra_deg", "_ra", "ramean")
_DEC = ("dec", "dej2000", "decj2000", "de_icrs", "dedeg", "dec_deg", "_de", "decdeg", "decl", "decmean")
_RADIUS = ("radius_arcsec", "radius")
_NAME = ("name", "source", "id", "main_id", "object", "target")


@dataclass(frozen=True)
class Entries:
    """Positions [deg], radii [arcsec] and names (null if none) of a watchlist."""

    ra: NDArray[np.float64]
    dec: NDArray[np.float64]
    radius: NDArray[np.float64]
    names: pa.Array


class Watchlist:
    """A watchlist `name`; adds whether an entry lies within its radius of each alert, and which.

    Parameters
    ----------
    name
        Lower-case letters, digits and underscores.
    entries
        Entries of the list.
    version
        Version of the list.

    Examples
    --------
    >>> from redpoll.astro.sky import hpx29
    >>> entries = Entries(np.array([10.0]), np.array([5.0]), np.array([2.0]), pa.array(["M 1"]))
    >>> batch = pa.record_batch({"ra": [10.0, 10.1], "dec": [5.0, 5.0], "hpx29": hpx29([10.0, 10.1], [5.0, 5.0])})
    >>> Watchlist("mine", entries).match(batch)["mine_source"].to_pylist()
    ['M 1', None]
    """

    reads = ("ra", "dec", "hpx29")

    def __init__(self, name: str, entries: Entries, version: str = "1") -> None:
        valid_name(name, "a watchlist's name")
        self.name, self.version, self.n_entries = name, version, len(entries.ra)
        self._index, order = build_index(entries.ra, entries.dec, entries.radius)
        self._names = entries.names.take(pa.array(order))

    @property
    def columns(self) -> Mapping[str, Column]:
        """``in_<name>``, ``<name>_source`` and ``<name>_arcsec``."""
        doc = f"Whether the alert lies within the radius of an entry of the watchlist {self.name}. Never null."
        nearest = f"the nearest entry of the watchlist {self.name} whose radius reaches the alert; null if none does."
        return {
            f"in_{self.name}": Column("bool", doc=doc),
            f"{self.name}_source": Column("string", doc=f"Name of {nearest}", ucd="meta.id"),
            f"{self.name}_arcsec": Column("float32", "arcsec", f"Distance to {nearest}", "pos.angDistance"),
        }

    def match(self, batch: pa.RecordBatch) -> dict[str, pa.Array]:
        """The columns for a batch with ``ra``, ``dec`` and ``hpx29``."""
        ra, dec, cells = (batch[name].to_numpy(zero_copy_only=False) for name in ("ra", "dec", "hpx29"))
        found = find_matches(self._index, ra, dec, hpx=cells)
        row = np.full(batch.num_rows, -1, np.int64)
        row[found.alert] = found.source
        arcsec = np.full(batch.num_rows, np.nan, np.float32)
        arcsec[found.alert] = found.arcsec
        return {
            f"in_{self.name}": pa.array(row >= 0),
            f"{self.name}_source": self._names.take(pa.array(row, mask=row < 0)),
            f"{self.name}_arcsec": pa.array(arcsec, mask=row < 0),
        }


def open_watchlist(name: str, path: Path) -> Watchlist:
    """The watchlist in a file: text with a header line, Parquet, FITS table or VOTable, gzipped or not.

    See `read_entries` for its columns.

    Raises
    ------
    SkyFileError, CatalogError
        If the file cannot be read as a watchlist.
    """
    return Watchlist(name, read_entries(path), fingerprint(path))


def read_entries(path: Path) -> Entries:
    """The entries of a watchlist's file.

    It has columns ``ra`` and ``dec`` (or usual names of them), in degrees or sexagesimal (then right ascension in
    hours), and optionally ``radius_arcsec`` (default 3) and ``name``.

    Raises
    ------
    SkyFileError, CatalogError
        If a column is missing, a position or radius is invalid, or there are more than a million entries.
    """
    with open_list(path) as table:
        ra, dec = _one_of(table, _RA), _one_of(table, _DEC)
        if ra is None or dec is None:
            has = ", ".join(table.names)[:200]
            raise SkyFileError(f"{path}: needs a header with the columns ra and dec; it has {has}")
        if table.n_rows is not None and table.n_rows > MAX_ENTRIES:
            raise _too_many(path)
        radius, name = _one_of(table, _RADIUS), _one_of(table, _NAME)
        wanted = [column for column in (ra, dec, radius, name) if column is not None]
        parts: list[Entries] = []
        n_rows = 0
        for batch in table.batches(wanted):
            parts.append(_entries(batch, Position(ra, dec), radius, name, f"{path}", n_rows))
            n_rows += len(parts[-1].ra)
            if n_rows > MAX_ENTRIES:
                raise _too_many(path)
        if getattr(table, "n_odd", 0):
            raise SkyFileError(f"{path}: {table.n_odd} lines have more or fewer values than its header")  # type: ignore[attr-defined]  # text only
    if not n_rows:
        raise SkyFileError(f"{path}: holds no entries")
    return _joined(parts)


def _one_of(table: Table, names: Sequence[str]) -> str | None:
    """The first column of the table with one of these names, ignoring case; None if there is none."""
    lower = {column.lower().strip(): column for column in reversed(table.names)}
    return next((lower[name] for name in names if name in lower), None)


def _too_many(path: Path) -> SkyFileError:
    return SkyFileError(
        f"{path}: has more than {MAX_ENTRIES:,} entries; install it as a catalogue with `redpoll catalog add`"
    )


def _entries(
    batch: Mapping[str, pa.Array], position: Position, radius: str | None, name: str | None, where: str, first: int
) -> Entries:
    ra, dec = _positions(batch, position, where)
    if (bad := np.flatnonzero(~is_position(ra, dec))).size:
        raise SkyFileError(
            f"{where}: entry {first + bad[0] + 1} has no position: "
            f"{batch[position.ra][bad[0]]} {batch[position.dec][bad[0]]}; write degrees, or hh:mm:ss and dd:mm:ss"
        )
    names = pa.nulls(len(ra), pa.string())
    if name is not None:
        text = plain_text(batch[name])
        names = pc.if_else(pc.equal(text, ""), None, text)
    return Entries(ra, dec, _radii(batch, radius, len(ra), where, first), names)


def _positions(
    batch: Mapping[str, pa.Array], position: Position, where: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Positions of a batch; text with separators is sexagesimal."""
    text = batch[position.ra]
    if is_text(text.type) and pc.any(pc.match_substring_regex(plain_text(text), r"\d[\s:hd]+\d")).as_py():
        position = Position(position.ra, position.dec, "sexagesimal")
    try:
        return read_positions(batch, position, where)
    except CatalogError as error:
        raise SkyFileError(f"{error}; write degrees, or hh:mm:ss and dd:mm:ss") from error


def _radii(batch: Mapping[str, pa.Array], name: str | None, n: int, where: str, first: int) -> NDArray[np.float64]:
    if name is None:
        return np.full(n, DEFAULT_RADIUS)
    radius = plain_numbers(batch[name], f"{where}: {name}")
    radius = np.where(np.isnan(radius), DEFAULT_RADIUS, radius)
    if (bad := np.flatnonzero(~((radius > 0) & (radius <= MAX_RADIUS)))).size:
        raise SkyFileError(
            f"{where}: entry {first + bad[0] + 1} has a radius of {radius[bad[0]]:g} arcsec; it must be above 0 and at "
            f"most {MAX_RADIUS:g}. Use a region for larger areas"
        )
    return radius


def _joined(parts: Sequence[Entries]) -> Entries:
    ra, dec, radius = (np.concatenate([getattr(part, k) for part in parts]) for k in ("ra", "dec", "radius"))
    names = [part.names.combine_chunks() if isinstance(part.names, pa.ChunkedArray) else part.names for part in parts]
    return Entries(ra, dec, radius, pa.concat_arrays(names))
