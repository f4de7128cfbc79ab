"""A small table that a person wrote, whole, with every value checked: CSV, Parquet, FITS or VOTable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.catalogs.errors import CatalogError
from redpoll.catalogs.table_file import open_table
from redpoll.errors import near
from redpoll.learn.curve_rows import RowRange, identifiers, numbers, texts
from redpoll.learn.errors import DatasetError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class NumberColumn:
    """A column of numbers: least and greatest value, and whether a row may have none."""

    low: float = -inf
    high: float = inf
    may_lack: bool = False
    what: str = "number"


@dataclass(frozen=True)
class CheckedTable:
    """Columns of a table: numbers as float64, NaN where there is none; texts as lists, "" where there is none."""

    numbers: dict[str, Array]
    texts: dict[str, list[str]]
    n_rows: int

    def refuse(self, is_bad: NDArray[np.bool_], column: str, why: str, path: Path) -> None:
        """Raise DatasetError that names the first bad row with its value in a column, if there is one."""
        values = self.texts.get(column, self.numbers.get(column))
        RowRange(path, 1).refuse(is_bad, column, [""] * self.n_rows if values is None else values, why)


def read_checked_table(
    path: Path, known_numbers: Mapping[str, NumberColumn], known_texts: Sequence[str] = (), *, required: Sequence[str]
) -> CheckedTable:
    """The known columns of a table; others are ignored.

    Parameters
    ----------
    path
        The file.
    known_numbers, known_texts
        The columns that are read if the table has them; ``object_id`` among the texts is kept exact.
    required
        Those that it must have.

    Raises
    ------
    DatasetError
        If the file or a value cannot be used; the message names file, row and column.
    """
    columns: dict[str, list[pa.Array]] = {}
    try:
        with open_table(path) as table:
            if missing := [name for name in required if name not in table.names]:
                raise DatasetError(f"{path}: has no column '{missing[0]}'{near(missing[0], table.names)}")
            wanted = [name for name in (*known_numbers, *known_texts) if name in table.names]
            for batch in table.batches(wanted):
                for name in wanted:
                    columns.setdefault(name, []).append(batch[name])
            n_odd = getattr(table, "n_odd", 0)
    except CatalogError as error:
        raise DatasetError(str(error)) from error
    if n_odd:
        raise DatasetError(f"{path}: {n_odd} rows have too many or too few values; correct them")
    whole = {name: _joined(parts) for name, parts in columns.items()}
    n_rows = len(next(iter(whole.values()), []))
    if not n_rows:
        raise DatasetError(f"{path}: has no rows")
    rows = RowRange(path, 1)
    found = {name: _checked(whole[name], name, known_numbers[name], rows) for name in whole if name in known_numbers}
    words = {name: _words(whole[name], name, rows) for name in whole if name in known_texts}
    return CheckedTable(found, words, n_rows)


def _joined(parts: list[pa.Array]) -> pa.Array:
    arrays = [chunk for part in parts for chunk in (part.chunks if isinstance(part, pa.ChunkedArray) else [part])]
    return pa.concat_arrays(arrays)


def _checked(array: pa.Array, name: str, column: NumberColumn, rows: RowRange) -> Array:
    values = numbers(array, name, rows)
    is_known = ~np.isnan(values)
    if not column.may_lack:
        rows.refuse(~is_known, name, array, f"is no {column.what}; every row needs one")
    rows.refuse(np.isinf(values), name, array, f"is no {column.what}")
    rows.refuse(is_known & ~((values >= column.low) & (values <= column.high)), name, array,
                f"is no {column.what}; use {column.low:g} to {column.high:g}")  # fmt: skip
    return values


def _words(array: pa.Array, name: str, rows: RowRange) -> list[str]:
    found: Any = identifiers(array, rows) if name == "object_id" else texts(array, name, rows)
    return ["" if word is None else str(word) for word in found.to_pylist()]
