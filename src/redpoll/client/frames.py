"""Arrow tables as tables of pandas, polars and astropy; each library is imported when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pyarrow as pa

from redpoll.schema.column import field_fact

PandasFrame = Any
PolarsFrame = Any
AstropyTable = Any


def to_pandas(table: pa.Table) -> PandasFrame:
    """A pandas DataFrame with Arrow's types; ImportError that names the package if pandas is not installed."""
    pandas = _needed("pandas", "to_pandas")
    return table.to_pandas(types_mapper=pandas.ArrowDtype)


def to_polars(table: pa.Table) -> PolarsFrame:
    """A polars DataFrame; ImportError that names the package if polars is not installed."""
    return _needed("polars", "to_polars").from_arrow(table)


def to_astropy(table: pa.Table) -> AstropyTable:
    """An astropy Table with units and descriptions, nulls masked."""
    from astropy.table import MaskedColumn, Table
    from astropy.units import Unit

    columns = []
    for field, column in zip(table.schema, table.columns, strict=True):
        values, is_null = _values(column)
        unit = field_fact(field, "unit")
        columns.append(
            MaskedColumn(
                values,
                name=field.name,
                mask=is_null,
                unit=Unit(unit, parse_strict="silent") if unit else None,
                description=field_fact(field, "doc") or None,
            )
        )
    return Table(columns)


def _values(column: pa.ChunkedArray) -> tuple[Any, Any]:
    """Values as numpy array, and which of them are null; text, lists and structs are Python objects."""
    is_null = column.is_null().to_numpy()
    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
        zero = False if pa.types.is_boolean(kind) else 0
        return column.fill_null(pa.scalar(zero, kind)).to_numpy(), is_null
    values = np.empty(len(column), object)
    values[:] = column.to_pylist()
    is_text = pa.types.is_string(kind) or (pa.types.is_dictionary(kind) and pa.types.is_string(kind.value_type))
    return (np.where(is_null, "", values).astype(str) if is_text else values), is_null


def _needed(package: str, method: str) -> Any:
    try:
        return import_module(package)
    except ImportError as error:
        raise ImportError(f"{method} needs the package {package}: install it with `pip install {package}`") from error
