"""Columns of a batch as plugins read them: Arrow converted to numpy, with a defined value for null.

========================  =====================================================================
column                    array in a module with ``per="batch"``
========================  =====================================================================
float32, float64          the same dtype; null becomes NaN
integers                  the same dtype; **with nulls, float64** and NaN (exact up to 2**53)
string, dictionary        objects: str or None
bool                      bool; a null raises an error
bytes                     objects: memoryview of the stored bytes, without a copy, or None
light curves              `redpoll.schema.light_curve.LightCurves`; null becomes a curve without points
any other                 objects: Python values or None
========================  =====================================================================

All arrays are read-only, so that a module that writes to its inputs fails.
With ``per="object"`` every name but the detections' and light curves' is a Python scalar, or None for null
(NaN stays NaN).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.errors import PluginError, SchemaError
from redpoll.plugin.detections import Detections, detections
from redpoll.schema.column import is_text
from redpoll.schema.light_curve import LightCurves, freeze

LIGHT_CURVE = "light_curve"
LIGHT_CURVES = (LIGHT_CURVE, "packet_light_curve")


class Columns:
    """The columns of one batch, each converted at most once; the outputs of modules are added.

    Examples
    --------
    >>> columns = Columns(pa.record_batch({"n": pa.array([1, None]), "mag": pa.array([18.5, None])}))
    >>> columns.numpy("n"), columns.python("mag")
    (array([ 1., nan]), [18.5, None])
    """

    def __init__(self, batch: pa.RecordBatch) -> None:
        self._arrays: dict[str, pa.Array] = dict(zip(batch.schema.names, batch.columns, strict=True))
        self._numpy: dict[str, Any] = {}
        self._detections: tuple[NDArray[np.int64], Detections] | None = None
        self.n = batch.num_rows

    def arrow(self, name: str) -> pa.Array:
        """The column as an Arrow array; SchemaError if there is none."""
        if name not in self._arrays:
            raise SchemaError(f"the batch has no column '{name}'")
        return self._arrays[name]

    def add(self, arrays: dict[str, pa.Array]) -> None:
        """Add columns."""
        self._arrays |= arrays

    def numpy(self, name: str) -> Any:
        """The column as a module with per="batch" reads it; see the table above."""
        if name not in self._numpy:
            array = self.arrow(name)
            self._numpy[name] = light_curves(array) if name in LIGHT_CURVES else to_numpy(name, array)
        return self._numpy[name]

    def python(self, name: str) -> list[Any]:
        """The column as Python scalars or None."""
        array = self.arrow(name)
        _refuse_null_booleans(name, array)
        return [*self.numpy(name)] if _is_bytes(array.type) else array.to_pylist()

    def detections(self) -> tuple[NDArray[np.int64], Detections]:
        """Offsets and values of the light curves' detections."""
        if self._detections is None:
            offsets, values = detections(self.numpy(LIGHT_CURVE))
            freeze(vars(values).values())
            self._detections = offsets, values
        return self._detections


def light_curves(array: pa.Array) -> LightCurves:
    """The light curves of a column, read-only."""
    curves = LightCurves.from_arrow(array)
    freeze(vars(curves).values())
    return curves


def to_numpy(name: str, array: pa.Array) -> NDArray[Any]:
    """A column as a read-only array, by the table above.

    Raises
    ------
    PluginError
        If a boolean column has nulls.
    """
    _refuse_null_booleans(name, array)
    if _is_bytes(array.type):
        values = _views(array)
    elif _is_plain(array.type):
        values = array.to_numpy(zero_copy_only=False)
    else:
        values = _objects(array.to_pylist())
    freeze([values])
    return values


def _refuse_null_booleans(name: str, array: pa.Array) -> None:
    if pa.types.is_boolean(array.type) and array.null_count:
        raise PluginError(f"'{name}' is a boolean with {array.null_count} nulls; fill them before it is read")


def _is_plain(arrow_type: pa.DataType) -> bool:
    number = pa.types.is_floating(arrow_type) or pa.types.is_integer(arrow_type) or pa.types.is_boolean(arrow_type)
    return bool(number or is_text(arrow_type))


def _is_bytes(arrow_type: pa.DataType) -> bool:
    tests = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view)
    return any(test(arrow_type) for test in tests)


def _views(array: pa.Array) -> NDArray[np.object_]:
    return _objects([None if not value.is_valid else memoryview(value.as_buffer()).toreadonly() for value in array])


def _objects(values: list[Any]) -> NDArray[np.object_]:
    return np.fromiter(values, object, len(values))
