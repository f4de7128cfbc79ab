"""Conversion of a catalogue's values as its recipe declares: stripped, nulls replaced, scaled and cast."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from redpoll.catalogs.errors import CatalogError
from redpoll.catalogs.recipe import Kept, Scalar
from redpoll.schema.column import is_text


def kept_values(array: pa.Array, kept: Kept, where: str) -> pa.Array:
    """The values of one kept column; empty text and values that are not finite become null.

    Raises
    ------
    CatalogError
        If a value does not fit the declared type.

    Examples
    --------
    >>> from redpoll.schema.column import Column
    >>> kept = Kept("vsx_type", "VType", Column("string"), null=("None",))
    >>> kept_values(pa.array(["RRAB  ", "None", ""]), kept, "vsx").to_pylist()
    ['RRAB', None, None]
    """
    wanted = kept.column.arrow_type
    try:
        if is_text(array.type):
            array = plain_text(array, strip=kept.strip or not is_text(wanted))
            array = _without(array, ["", *map(str, kept.null)])
        if pa.types.is_floating(wanted) and not pa.types.is_floating(array.type):
            array = array.cast(pa.float64())
        array = _without_numbers(array, kept.null)
        if kept.scale != 1.0:
            array = pc.multiply(array.cast(pa.float64()), kept.scale)
        made = array.cast(wanted, safe=not pa.types.is_floating(wanted))
    except (pa.ArrowException, TypeError) as error:
        raise CatalogError(f"{where}: '{kept.source}' is declared {wanted}: {error}") from error
    return pc.if_else(pc.is_finite(made), made, None) if pa.types.is_floating(wanted) else made


def plain_text(array: pa.Array, *, strip: bool = True) -> pa.Array:
    """A column as strings without surrounding blanks."""
    text = array.cast(pa.string())
    return pc.utf8_trim_whitespace(text) if strip else text


def plain_numbers(array: pa.Array, where: str) -> NDArray[np.float64]:
    """A column as float64, NaN where it is null or empty; CatalogError if it holds text that is not a number."""
    if is_text(array.type):
        array = _without(plain_text(array), ["", "nan", "NaN", "null", "NULL", "None", "--"])
    try:
        return np.asarray(array.cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)
    except pa.ArrowException as error:
        raise CatalogError(f"{where}: is not a column of numbers: {error}") from error


def is_among(array: pa.Array, allowed: Sequence[Scalar], where: str) -> pa.Array:
    """Whether each value is allowed; surrounding blanks are ignored; never null."""
    if is_text(array.type):
        array = plain_text(array)
        allowed = [str(value) for value in allowed]
    try:
        return pc.is_in(array, value_set=pa.array(allowed).cast(array.type))
    except pa.ArrowException as error:
        raise CatalogError(f"{where}: where: {array.type} cannot be compared with {list(allowed)}: {error}") from error


def _without(text: pa.Array, unknown: Sequence[str]) -> pa.Array:
    return pc.if_else(pc.is_in(text, value_set=pa.array(unknown, pa.string())), None, text)


def _without_numbers(array: pa.Array, unknown: Sequence[Scalar]) -> pa.Array:
    numbers = [value for value in unknown if isinstance(value, int | float) and not isinstance(value, bool)]
    if not numbers or not (pa.types.is_floating(array.type) or pa.types.is_integer(array.type)):
        return array
    is_unknown = pc.is_in(array.cast(pa.float64()), value_set=pa.array(numbers, pa.float64()))
    return pc.if_else(is_unknown, None, array)
