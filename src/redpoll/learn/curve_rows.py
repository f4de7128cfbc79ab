"""Points of a table of light curves: one batch of its rows as arrays, every value checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from redpoll.astro.photometry import flux_err_from_mag_err, flux_from_mag
from redpoll.learn.curves import Array
from redpoll.learn.errors import DatasetError
from redpoll.schema.bands import BANDS, DETECTION, FORCED, KINDS, UPPER_LIMIT
from redpoll.schema.column import is_text

_UNKNOWN = pa.array(["", "nan", "NaN", "null", "NULL", "None", "--"])
_FLOAT = re.compile(r"[+-]?\d+(\.\d*)?[eE][+-]\d+|[+-]?\d+\.\d*([eE][+-]?\d+)?")
_MJD = (10_000.0, 100_000.0)
_MAG = (-10.0, 40.0)
_MAX_FLUX = 1e20  # nJy
_SIGMA = 5.0


@dataclass(frozen=True)
class RowRange:
    """Where rows of a batch are in their file: ``first`` is the number of its first row, from 1 without the header."""

    path: Path
    first: int

    def refuse(self, is_bad: NDArray[np.bool_], column: str, values: Any, why: str) -> None:
        """Raise DatasetError that names the first bad row with its value, if there is one."""
        if is_bad.any():
            i = int(np.argmax(is_bad))
            value = values[i].as_py() if isinstance(values[i], pa.Scalar) else values[i]
            raise DatasetError(f"{self.path}: row {self.first + i}, column '{column}': {str(value)[:60]!r} {why}")

    def refuse_type(self, column: str, kind: pa.DataType, wanted: str) -> None:
        """Raise DatasetError that names the column's type."""
        raise DatasetError(f"{self.path}: column '{column}' is of type {kind}; {wanted}")


@dataclass(frozen=True)
class PointRows:
    """Points in the order of a table, one entry a row in each array; the units are those of `LabelledCurve`."""

    mjd: Array
    band: NDArray[np.int64]
    flux: Array
    flux_err: Array
    kind: NDArray[np.int64]


def point_rows(batch: Mapping[str, pa.Array], rows: RowRange) -> PointRows:
    """The points of a batch with columns mjd, band, flux and flux_err or mag and mag_err, and perhaps kind.

    Raises
    ------
    DatasetError
        If a value cannot be used; the message names file, row and column, and what to do.
    """
    mjd = numbers(batch["mjd"], "mjd", rows)
    rows.refuse(~np.isfinite(mjd), "mjd", batch["mjd"], "is no time; give the MJD (TAI) of the exposure")
    rows.refuse(~((mjd > _MJD[0]) & (mjd < _MJD[1])), "mjd", batch["mjd"],
                "is no MJD; subtract 2400000.5 from a Julian date")  # fmt: skip
    band = _codes(batch["band"], "band", BANDS, rows, "rename the survey's own names: ZTF's R is r")
    rows.refuse(band < 0, "band", batch["band"], "is no band; every point needs one")
    kind = np.full(len(mjd), -1)
    if "kind" in batch:
        kind = _codes(batch["kind"], "kind", KINDS, rows, "or leave it empty")
    of = _from_flux if "flux" in batch else _from_mag
    flux, flux_err = of(batch, kind == UPPER_LIMIT, rows)
    found = np.where(np.abs(flux) > _SIGMA * flux_err, DETECTION, FORCED)
    return PointRows(mjd, band, flux, flux_err, np.where(kind < 0, found, kind))


def _from_flux(batch: Mapping[str, pa.Array], is_upper_limit: NDArray[np.bool_], rows: RowRange) -> tuple[Array, Array]:
    flux, err = (numbers(batch[name], name, rows) for name in ("flux", "flux_err"))
    rows.refuse(~(np.isfinite(flux) | is_upper_limit), "flux", batch["flux"],
                "is no flux; remove the row, or write its kind as upper_limit")  # fmt: skip
    rows.refuse(np.abs(flux) > _MAX_FLUX, "flux", batch["flux"], "is no flux in nJy; convert it: 1 Jy is 1e9 nJy")
    rows.refuse(~(np.isfinite(err) & (err > 0) & (err < _MAX_FLUX)), "flux_err", batch["flux_err"],
                "is no error; every point needs its one-sigma error in nJy, above 0")  # fmt: skip
    return np.where(is_upper_limit, np.nan, flux), err


def _from_mag(batch: Mapping[str, pa.Array], is_upper_limit: NDArray[np.bool_], rows: RowRange) -> tuple[Array, Array]:
    mag, mag_err = (numbers(batch[name], name, rows) for name in ("mag", "mag_err"))
    is_known = (mag > _MAG[0]) & (mag < _MAG[1])
    rows.refuse(~is_known, "mag", batch["mag"], "is no AB magnitude; remove the row")
    rows.refuse(~(np.isfinite(mag_err) & (mag_err > 0) | is_upper_limit), "mag_err", batch["mag_err"],
                "is no error; give one above 0, or write the kind of a limit as upper_limit")  # fmt: skip
    flux = flux_from_mag(mag)
    err = np.where(is_upper_limit, flux / _SIGMA, flux_err_from_mag_err(np.where(is_upper_limit, 1.0, mag_err), flux))
    return np.where(is_upper_limit, np.nan, flux), err


def numbers(array: pa.Array, column: str, rows: RowRange) -> Array:
    """A column as float64, NaN where it is null or empty; DatasetError if it holds something else."""
    array, kind = plain(array), array.type
    if is_text(array.type):
        text = pc.utf8_trim_whitespace(array.cast(pa.string()))
        text = pc.if_else(pc.is_in(text, value_set=_UNKNOWN), None, text)
        rows.refuse(np.array([not _is_number(v) for v in text.to_pylist()]) if not _casts(text) else np.zeros(0, bool),
                    column, array, "is no number")  # fmt: skip
        array = text
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind) or _is_null(kind)):
        rows.refuse_type(column, kind, "expected numbers, one point a row")
    return np.asarray(array.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), np.float64)


def texts(array: pa.Array, column: str, rows: RowRange) -> pa.Array:
    """A column as strings, null where empty; DatasetError if it does not hold text."""
    array = plain(array)
    if not (is_text(array.type) or _is_null(array.type)):
        rows.refuse_type(column, array.type, "expected text, one point a row")
    text = pc.utf8_trim_whitespace(array.cast(pa.string()))
    return pc.if_else(pc.equal(text, ""), None, text)


def identifiers(array: pa.Array, rows: RowRange) -> pa.Array:
    """The column object_id as exact strings, none null; DatasetError for floating-point numbers, also as text."""
    array = plain(array)
    if pa.types.is_floating(array.type):
        rows.refuse_type("object_id", array.type, "a float has no room for long identifiers: write text or integers")
    if pa.types.is_integer(array.type):
        array = array.cast(pa.string())
    found = texts(array, "object_id", rows)
    rows.refuse(
        found.is_null().to_numpy(zero_copy_only=False), "object_id", array, "is no identifier; give each row one"
    )
    unique = found.dictionary_encode()
    is_float = np.array([_FLOAT.fullmatch(v) is not None for v in unique.dictionary.to_pylist()], bool)
    if is_float.any():
        rows.refuse(is_float[unique.indices.to_numpy()], "object_id", found,
                    "is a floating-point number, which has lost digits; write identifiers as text")  # fmt: skip
    return found


def plain(array: pa.Array) -> pa.Array:
    """The values of a column without a dictionary."""
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def _codes(array: pa.Array, column: str, known: tuple[str, ...], rows: RowRange, remedy: str) -> NDArray[np.int64]:
    """Indices into the known words; -1 where there is none."""
    found = texts(array, column, rows).dictionary_encode()
    words = [str(word).replace(" ", "_") for word in found.dictionary.to_pylist()]
    codes = np.array([known.index(word) if word in known else -2 for word in words] + [-1])
    index = found.indices.fill_null(len(words)).to_numpy(zero_copy_only=False)
    rows.refuse(codes[index] == -2, column, array, f"is unknown; use {', '.join(known)}, {remedy}")
    return np.asarray(codes[index])


def _casts(text: pa.Array) -> bool:
    try:
        text.cast(pa.float64())
    except pa.ArrowInvalid:
        return False
    return True


def _is_number(value: str | None) -> bool:
    return value is None or _casts(pa.array([value], pa.string()))


def _is_null(kind: pa.DataType) -> bool:
    return bool(pa.types.is_null(kind))
