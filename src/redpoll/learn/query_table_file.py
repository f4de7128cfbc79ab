"""Reader of a table of features, one row an object at one time, as Parquet or CSV."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from redpoll.catalogs.errors import CatalogError
from redpoll.catalogs.table_file import open_table
from redpoll.catalogs.text_table import TextTable
from redpoll.errors import near
from redpoll.learn.errors import DatasetError
from redpoll.learn.query_table import QueryTable

Columns = dict[str, pa.ChunkedArray]
_TEXTS, _NUMBERS = ("object_id", "label", "split"), ("mjd", "mag", "cost")
_MISSING = {"split": "", "mjd": 0.0, "mag": -np.inf, "cost": 1.0}


def read_query_table(path: Path | str, names: Sequence[str] = ()) -> QueryTable:
    """A table of features from a Parquet or CSV file.

    Columns ``object_id`` and ``label`` are needed; ``split``, ``mjd``, ``mag`` and ``cost`` are optional, and have the
    meaning of `QueryTable`. Features are the columns named, by default all others; an empty value is unknown.

    Raises
    ------
    DatasetError
        If the file, a column or a value cannot be used.
    """
    path = Path(path)
    columns = _columns(path, names)
    features = [name for name in columns if name not in (*_TEXTS, *_NUMBERS)]
    n = len(columns["object_id"])
    object_id, label, split = (_text(columns, name, n) for name in _TEXTS)
    mjd, mag, cost = (_number(path, columns, name, n) for name in _NUMBERS)
    values = np.column_stack([_number(path, columns, name, n) for name in features])
    with np.errstate(over="ignore"):
        values32 = values.astype(np.float32)
    try:
        return QueryTable(tuple(features), values32, object_id, label, split, mjd, mag, cost)
    except DatasetError as error:
        raise DatasetError(f"{path}: {error}") from error


def _columns(path: Path, names: Sequence[str]) -> Columns:
    try:
        with open_table(path) as table:
            wanted = _wanted(path, table.names, names)
            parts = list(table.batches(wanted))
            if isinstance(table, TextTable) and table.n_odd:
                raise DatasetError(f"{path}: {table.n_odd} rows have too many or too few values; correct them")
    except (CatalogError, pa.ArrowException) as error:
        raise DatasetError(f"{error}. A table of features is a Parquet or CSV file") from error
    if not sum(len(part["object_id"]) for part in parts):
        raise DatasetError(f"{path}: has no rows; a table of features has one object a row")
    return {name: pa.chunked_array([part[name] for part in parts]) for name in wanted}


def _wanted(path: Path, known: Sequence[str], names: Sequence[str]) -> list[str]:
    for name in ("object_id", "label", *names):
        if name not in known:
            raise DatasetError(f"{path}: has no column '{name}'{near(name, known)}")
    about = [name for name in (*_TEXTS, *_NUMBERS) if name in known]
    features = [name for name in (names or known) if name not in about]
    if not features:
        raise DatasetError(f"{path}: has no column of features beside {', '.join(about)}")
    return [*about, *dict.fromkeys(features)]


def _text(columns: Columns, name: str, n: int) -> NDArray[np.str_]:
    if name not in columns:
        return np.full(n, _MISSING[name], np.str_)
    return np.array(["" if value is None else str(value) for value in columns[name].to_pylist()], np.str_)


def _number(path: Path, columns: Columns, name: str, n: int) -> NDArray[np.float64]:
    if name not in columns:
        return np.full(n, _MISSING[name], np.float64)
    column = columns[name]
    try:
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            column = pc.if_else(pc.equal(column, ""), None, column)
        return np.asarray(column.cast(pa.float64()).to_numpy(), np.float64)
    except pa.ArrowException as error:
        raise DatasetError(
            f"{path}: column '{name}' has values that are not numbers ({error}); name the columns of features"
        ) from error
