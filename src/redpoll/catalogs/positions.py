"""Positions from a catalogue's columns, in degrees or sexagesimal notation; invalid positions are NaN."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from redpoll.astro.sky import is_position
from redpoll.catalogs.errors import CatalogError
from redpoll.catalogs.recipe import Position
from redpoll.catalogs.values import plain_numbers, plain_text

Floats = NDArray[np.float64]
_SEXAGESIMAL = (
    r"^\s*(?P<sign>[-+−]?)\s*(?P<a>\d{1,3})\s*[:hd°\s]\s*(?P<b>\d{1,2}(?:\.\d*)?)\s*"
    r"(?:[:m'′\s]\s*(?P<c>\d{1,2}(?:\.\d*)?)?\s*[s\"″]?)?\s*$"
)
_HOURS = {"h", "hr", "hour", "hours", "hourangle", '"h:m:s"', "h:m:s"}
_RADIANS = {"rad", "radian", "radians"}
_MANY = 50
_WIDE = 60.0


def read_positions(columns: Mapping[str, pa.Array], position: Position, where: str) -> tuple[Floats, Floats]:
    """Right ascension and declination [deg] of each row; NaN for invalid positions.

    Raises
    ------
    CatalogError
        If a value is text that is not a number.
    """
    if position.format == "sexagesimal":
        ra, dec = (sexagesimal(plain_text(columns[name])) for name in (position.ra, position.dec))
        ra = np.where((ra >= 0) & (ra <= 24), 15 * ra, np.nan)
    else:
        ra, dec = (plain_numbers(columns[name], f"{where}: {name}") for name in (position.ra, position.dec))
    known = is_position(ra, dec) & (np.abs(ra) <= 360.0)
    return np.where(known, ra % 360.0, np.nan), np.where(known, dec, np.nan)


def sexagesimal(text: pa.Array) -> Floats:
    """Numbers written as ``hh mm ss.s`` or ``-dd:mm:ss.s``, in the first one's unit; NaN for anything else.

    >>> sexagesimal(pa.array(["12 30 00", "-00:30:00.0", "around noon"])).tolist()
    [12.5, -0.5, nan]
    """
    parts = pc.extract_regex(text, _SEXAGESIMAL)
    a, b, c = (_number(parts, name) for name in "abc")
    b, c = (np.where(x < 60.0, x, np.nan) for x in (b, c))
    c[~_is_given(parts, "c") & np.isfinite(a)] = 0.0
    negative = np.isin(pc.fill_null(parts.field("sign"), "").to_numpy(zero_copy_only=False), ["-", "−"])
    return np.where(negative, -1.0, 1.0) * (a + b / 60 + c / 3600)


def refuse_odd_units(units: Mapping[str, str], position: Position, where: str) -> None:
    """Raise CatalogError if the units in the file are not degrees."""
    if position.format == "sexagesimal":
        return
    for name in (position.ra, position.dec):
        if (unit := units.get(name, "").strip().lower()) in _HOURS | _RADIANS:
            raise CatalogError(f"{where}: '{name}' is in {unit}; give a column in degrees, or format = \"sexagesimal\"")


def refuse_hours_and_radians(ra: Floats, dec: Floats, where: str) -> None:
    """Raise CatalogError if positions look like hours or radians: a small range, with a wide one of declinations."""
    if len(ra) < _MANY:
        return
    highest, spread = float(ra.max()), float(np.ptp(dec))
    if highest <= 2 * np.pi and float(np.abs(dec).max()) <= np.pi / 2 and spread > 1.0:
        raise CatalogError(f"{where}: right ascensions end at {highest:.3f}: they are radians; give them in degrees")
    if highest <= 24.0 and spread > _WIDE:
        raise CatalogError(f"{where}: right ascensions end at {highest:.3f}, declinations span {spread:.0f} degrees: "
                           "right ascension is in hours; give it in degrees")  # fmt: skip


def _number(parts: pa.StructArray, name: str) -> Floats:
    digits = parts.field(name)
    known = pc.if_else(pc.equal(digits, ""), None, digits)
    return np.array(pc.cast(known, pa.float64()).to_numpy(zero_copy_only=False), np.float64)


def _is_given(parts: pa.StructArray, name: str) -> NDArray[np.bool_]:
    return np.asarray(pc.fill_null(pc.not_equal(parts.field(name), ""), False).to_numpy(zero_copy_only=False))
