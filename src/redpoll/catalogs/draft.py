"""Draft of a recipe for a user's table, from its columns and a few options."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.catalogs.errors import CatalogError
from redpoll.catalogs.positions import read_positions
from redpoll.catalogs.recipe import Kept, Position
from redpoll.catalogs.table_file import open_table
from redpoll.catalogs.tables import Table, require_columns
from redpoll.catalogs.values import kept_values, plain_numbers
from redpoll.schema.column import Column, is_text

_RA = ("ra", "raj2000", "ra_icrs", "radeg", "_raj2000", "ra_j2000", "ra(j2000)", "r.a.", "right_ascension", "alpha")
_DEC = ("dec", "dej2000", "decj2000", "de_icrs", "dedeg", "_dej2000", "dec_j2000", "dec(j2000)", "dec_icrs", "decl.",
        "declination", "decl", "decdeg", "delta")  # fmt: skip


def draft_recipe(
    name: str, file: Path, *, ra: str | None = None, dec: str | None = None, radius: float = 1.5,
    columns: Sequence[str] = (), every: bool = False,
) -> str:  # fmt: skip
    """The TOML text of a recipe; notation of positions and types are guessed from the first rows.

    Parameters
    ----------
    name
        The catalogue's name, the prefix of its columns.
    file
        The file of the table.
    ra, dec
        Columns of the position; default: columns with usual names.
    radius
        Maximum separation of a match [arcsec].
    columns
        Columns to keep.
    every
        Keep all matches instead of the nearest.

    Raises
    ------
    CatalogError
        If the file cannot be read, or has no such column.
    """
    with open_table(file) as table:
        ra, dec = ra or _found(table, _RA, "ra", file), dec or _found(table, _DEC, "dec", file)
        require_columns(table, [ra, dec, *columns], str(file))
        rows = next(islice(table.batches([ra, dec, *columns]), 1), None)
        if rows is None:
            raise CatalogError(f"{file}: has no rows")
        units = dict(table.units)
    lines = [f"title = {_quoted(name + ', from ' + file.name)}", "", "[position]", f"ra = {_quoted(ra)}",
             f"dec = {_quoted(dec)}", f"format = {_quoted(_format(rows[ra]))}", "", "[match]",
             f"radius_arcsec = {float(radius)!r}", f"which = {_quoted('all' if every else 'nearest')}"]  # fmt: skip
    for column in columns:
        lines += ["", *_described(name, column, rows[column], units.get(column, ""), file.name)]
    return "\n".join(lines) + "\n"


def read_sky_positions(file: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Right ascensions and declinations [deg] in a table's columns with usual names; CatalogError without them."""
    with open_table(file) as table:
        ra, dec = _found(table, _RA, "ra", file), _found(table, _DEC, "dec", file)
        batches = [read_positions(b, Position(ra, dec, _format(b[ra])), str(file)) for b in table.batches([ra, dec])]
    positions = [np.concatenate([b[i] for b in batches]) if batches else np.zeros(0) for i in (0, 1)]
    known = np.isfinite(positions[0])
    return positions[0][known], positions[1][known]


def _found(table: Table, usual: Sequence[str], option: str, file: Path) -> str:
    by_name = {name.lower(): name for name in reversed(table.names)}
    for name in usual:
        if name in by_name:
            return by_name[name]
    raise CatalogError(f"{file}: no column is named {option} or similar: {', '.join(table.names[:40])}")


def _format(values: pa.Array) -> Literal["degrees", "sexagesimal"]:
    return "degrees" if not is_text(values.type) or _fits(values, "float64") else "sexagesimal"


def _described(name: str, column: str, values: pa.Array, unit: str, file: str) -> list[str]:
    made = re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_") or "value"
    doc = f"{column} of {file}; null without a match."
    return [f"[columns.{name}_{made}]", f"source = {_quoted(column)}", f"dtype = {_quoted(_dtype(values))}",
            f"unit = {_quoted(unit)}", f"doc = {_quoted(doc)}"]  # fmt: skip


def _dtype(values: pa.Array) -> str:
    if is_text(values.type):
        return "float64" if _fits(values, "float64") else "string"
    for name in ("int8", "int16", "int32", "int64", "float32", "float64"):
        if values.type == Column(name).arrow_type:
            return name
    if pa.types.is_boolean(values.type):
        return "int8"
    return "int64" if pa.types.is_integer(values.type) else "float64" if _fits(values, "float64") else "string"


def _fits(values: pa.Array, dtype: str) -> bool:
    """Whether these values can be read as a type, and at least one of them is not null."""
    try:
        plain_numbers(values, "draft")
        return bool(kept_values(values, Kept("x", "x", Column(dtype)), "draft").null_count < len(values))
    except CatalogError:
        return False


def _quoted(text: str) -> str:
    """A TOML string."""
    escaped = "".join(c if c.isprintable() and c not in '"\\' else f"\\U{ord(c):08x}" for c in text)
    return f'"{escaped}"'
