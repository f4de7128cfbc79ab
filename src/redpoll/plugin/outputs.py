"""Arrow columns of the declared types from the return values of plugins; NaN and None become null."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.errors import PluginError
from redpoll.plugin.node import Node
from redpoll.schema.column import Column


def by_name(node: Node, result: Any) -> dict[str, Any]:
    """The return value of a function as a dict by output name.

    A dict must have the declared names, a tuple the declared order; any other value is the only output. None makes
    all outputs None.

    Raises
    ------
    PluginError
        If the names or the number of outputs differ from the declaration.
    """
    names = tuple(node.outputs)
    if result is None:
        return dict.fromkeys(names)
    if isinstance(result, Mapping):
        if set(result) != set(names):
            raise PluginError(f"{node}: expected the outputs {_list(names)}, got {_list(result)}")
        return {name: result[name] for name in names}
    if isinstance(result, tuple):
        if len(result) != len(names):
            raise PluginError(f"{node}: expected {len(names)} outputs ({_list(names)}), got a tuple of {len(result)}")
        return dict(zip(names, result, strict=True))
    if len(names) > 1:
        kind = type(result).__name__
        raise PluginError(f"{node}: expected a dict or tuple of the outputs {_list(names)}, got a {kind}")
    return {names[0]: result}


def column_of(node: Node, name: str, values: Any, n: int) -> pa.Array:
    """One output of a batch as an Arrow array of its declared type.

    Raises
    ------
    PluginError
        If there is not one value per alert, or a value does not fit the declared type.
    """
    column = node.outputs[name]
    if values is None:
        return pa.nulls(n, column.arrow_type)
    array = _one_per_alert(node, name, values, n)
    try:
        made = _convert(array, column)
    except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
        raise PluginError(f"{node}: output '{name}' is declared {column.arrow_type}, {error}") from error
    if pa.types.is_boolean(made.type) and made.null_count:
        raise PluginError(f"{node}: output '{name}' is declared bool, got {made.null_count} None; return True or False")
    return made


def _one_per_alert(node: Node, name: str, values: Any, n: int) -> NDArray[Any]:
    if isinstance(values, np.ma.MaskedArray):
        mask, values = np.ma.getmaskarray(values), values.data.astype(object)
        values[mask] = None
    array = values if isinstance(values, np.ndarray) else _objects(values)
    if array.shape != (n,):
        raise PluginError(f"{node}: output '{name}' needs one value per alert: expected ({n},), got {array.shape}")
    return array


def _objects(values: Any) -> NDArray[Any]:
    """An array of objects from a list, element by element; anything else by `numpy.asarray`."""
    return np.fromiter(values, object, len(values)) if isinstance(values, list) else np.asarray(values)


def _convert(array: NDArray[Any], column: Column) -> pa.Array:
    wanted = column.arrow_type
    if not _is_number(wanted) and not pa.types.is_boolean(wanted):
        return pa.array(array.tolist(), wanted, from_pandas=True)
    if array.dtype.kind == "O":
        found = pa.array([_scalar(value) for value in array], from_pandas=True)
    else:
        is_float = array.dtype.kind in "fiu" and pa.types.is_floating(wanted)
        dtype = wanted.to_pandas_dtype() if is_float else array.dtype.newbyteorder("=")
        found = pa.array(array.astype(dtype, copy=False), from_pandas=True)
    if found.type == wanted:
        return found
    if not pa.types.is_null(found.type) and _sort(found.type) != _sort(wanted):
        raise TypeError(f"got {found.type}")
    return found.cast(wanted, safe=not pa.types.is_floating(wanted))


def _scalar(value: Any) -> Any:
    return value.item() if isinstance(value, np.ndarray) and value.ndim == 0 else value


def _sort(kind: pa.DataType) -> str:
    return "number" if _is_number(kind) else "bool" if pa.types.is_boolean(kind) else "other"


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _list(names: Any) -> str:
    return ", ".join(map(str, names))
