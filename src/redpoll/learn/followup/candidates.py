"""Candidates for follow-up: positions, magnitudes and the utility of observing each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.learn.checked_table import NumberColumn, read_checked_table
from redpoll.learn.errors import DatasetError

Array = NDArray[np.float64]
Utility = Callable[[Array], Array]
_POSITIONS = {
    "ra": NumberColumn(0.0, 360.0, what="right ascension in degrees"),
    "dec": NumberColumn(-90.0, 90.0, what="declination in degrees"),
}
_MAG = NumberColumn(-5.0, 35.0, what="magnitude")
_VALUE = NumberColumn(may_lack=True, what="number")


@dataclass(frozen=True)
class Candidates:
    """Objects that may be observed: name, survey ("" if unknown), ICRS position [deg], AB magnitude and utility > 0."""

    object_ids: list[str]
    surveys: list[str]
    ra: Array
    dec: Array
    mag: Array
    utility: Array

    def __len__(self) -> int:
        return len(self.object_ids)

    def take(self, rows: NDArray[np.int64]) -> Candidates:
        """Some of the candidates."""
        names, surveys = ([values[i] for i in rows.tolist()] for values in (self.object_ids, self.surveys))
        return Candidates(names, surveys, self.ra[rows], self.dec[rows], self.mag[rows], self.utility[rows])


def value_itself(values: Array) -> Array:
    """The utility is the column's value."""
    return values


def uncertainty(p: Array) -> Array:
    """Utility by the uncertainty of a probability: 1 where it is one half, 0 where it is sure; NaN outside 0 to 1.

    >>> uncertainty(np.array([0.5, 0.9, 1.0, 3.0])).round(3).tolist()
    [1.0, 0.2, 0.0, nan]
    """
    return np.where((p >= 0) & (p <= 1), 1.0 - np.abs(2.0 * p - 1.0), np.nan)


def table_candidates(path: Path, column: str, utility: Utility, mag: str = "mag") -> Candidates:
    """The candidates of a table with the columns ``object_id``, ``ra``, ``dec``, a magnitude and a column of values.

    It may have ``survey`` too. Rows whose utility is unknown or not above 0 are left out.

    Raises
    ------
    DatasetError
        If the file or a value cannot be used, or an object is there twice.
    """
    known = {**_POSITIONS, mag: _MAG, column: _VALUE}
    table = read_checked_table(path, known, ("object_id", "survey"), required=("object_id", *known))
    names = table.texts["object_id"]
    is_again = np.ones(table.n_rows, bool)
    is_again[np.unique(names, return_index=True)[1]] = False
    table.refuse(is_again, "object_id", "is in the table twice; give each object one row", path)
    numbers = table.numbers
    surveys = table.texts.get("survey", [""] * table.n_rows)
    return useful(Candidates(names, surveys, numbers["ra"], numbers["dec"], numbers[mag], utility(numbers[column])))


def alert_candidates(alerts: pa.Table, column: str, utility: Utility, mag: str = "mag") -> Candidates:
    """The candidates among alerts, newest first: each object by its newest alert that has a utility above 0.

    Parameters
    ----------
    alerts
        Columns ``object_id``, ``survey``, ``ra``, ``dec``, the magnitude and the column of values.
    """
    for name in (column, mag):
        kind = alerts.schema.field(name).type
        if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
            raise DatasetError(f"column '{name}' is of type {kind}: a number is needed")
    values, mags, ra, dec = (_floats(alerts[name]) for name in (column, mag, "ra", "dec"))
    names, surveys = (alerts[name].to_pylist() for name in ("object_id", "survey"))
    found = useful(Candidates(names, surveys, ra, dec, mags, utility(values)))
    keys = list(zip(found.surveys, found.object_ids, strict=True))
    first = {key: i for i, key in reversed(list(enumerate(keys)))}
    return found.take(np.sort(np.array([*first.values()], np.int64)))


def useful(candidates: Candidates) -> Candidates:
    """Those with a magnitude and a utility above 0."""
    is_useful = np.isfinite(candidates.utility) & (candidates.utility > 0) & np.isfinite(candidates.mag)
    return candidates.take(np.flatnonzero(is_useful))


def _floats(column: Any) -> Array:
    return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)
