"""Rows of the store as plain JSON values: no NaN, no rounding noise, no number that JavaScript would spoil."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from redpoll.schema.alert import COLUMNS
from redpoll.schema.table_rows import Row

_SAFE_INTEGER = 2**53 - 1
_ID = re.compile(r"^(alert_id|object_id|hpx29|candid|pid|rfid|\w*[a-z]Id)$")
_FLOAT32 = frozenset(name for name, column in COLUMNS.items() if column.dtype == "float32")
_FLOAT32 |= {"probability", "max_probability", "last_probability"}


def plain(value: Any, name: str = "") -> Any:
    """The value of column `name` as a JSON type.

    NaN and infinity become None, bytes are dropped to None, identifiers and integers beyond 2^53 become strings,
    and float32 columns lose the digits that float64 adds to them.

    >>> plain(float("nan")), plain(1234, "candid"), plain(18.299999237060547, "mag"), plain(2**60)
    (None, '1234', 18.3, '1152921504606846976')
    """
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int | np.integer):
        return str(value) if _ID.match(name) or abs(int(value)) > _SAFE_INTEGER else int(value)
    if isinstance(value, float | np.floating):
        return _plain_float(float(value), name in _FLOAT32 or isinstance(value, np.float32))
    if isinstance(value, Mapping):
        return {str(key): plain(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(item, name) for item in value]
    return value.isoformat() if isinstance(value, date | datetime) else None


def _plain_float(value: float, is_float32: bool) -> float | None:
    if not math.isfinite(value):
        return None
    return shortest(value) if is_float32 else value


def shortest(value: float) -> float:
    """The float64 with the fewest digits that is still the same float32.

    >>> shortest(0.10000000149011612)
    0.1
    """
    return float(f"{value:.7g}") if np.float32(f"{value:.7g}") == np.float32(value) else float(f"{value:.9g}")


def plain_rows(rows: Sequence[Row], schema: pa.Schema) -> list[dict[str, Any]]:
    """Rows of a schema as JSON values, float32 numbers with the digits that they have.

    >>> schema = pa.schema({"mag": pa.float32(), "alert_id": pa.int64()})
    >>> plain_rows([{"mag": 18.299999237060547, "alert_id": 1234}], schema)
    [{'mag': 18.3, 'alert_id': '1234'}]
    """
    is_float32 = {field.name for field in schema if pa.types.is_float32(field.type)}
    return [
        {name: _plain_float32(value) if name in is_float32 else plain(value, name) for name, value in row.items()}
        for row in rows
    ]


def _plain_float32(value: float | None) -> float | None:
    return None if value is None else _plain_float(value, True)


def to_json(value: Any) -> bytes:
    """Compact JSON as bytes; ValueError if the value contains NaN or infinity."""
    return json.dumps(value, allow_nan=False, separators=(",", ":")).encode("ascii")
