"""Check of the columns that are never null: identifiers, time, position and sign."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.schema.rows import take_rows

_NEEDED = {
    "alert_id": "alert_id is missing",
    "object_id": "object_id is missing",
    "mjd": "mjd is missing, not finite or out of range",
    "night": "mjd is missing, not finite or out of range",
    "ra": "ra is missing or not finite",
    "dec": "dec is missing or not finite",
    "hpx29": "ra and dec are no position on the sky",
    "is_positive": "the sign of the flux is neither positive nor negative",
}


def unusable(alerts: pa.RecordBatch) -> dict[int, str]:
    """Row -> reason for every alert with a null in a column that is never null."""
    reasons: dict[int, str] = {}
    for name, reason in _NEEDED.items():
        column = alerts.column(name)
        if column.null_count:
            for row in np.flatnonzero(_missing(column)):
                reasons.setdefault(int(row), reason)
    return reasons


def usable(alerts: pa.RecordBatch) -> pa.RecordBatch:
    """The alerts without such a null."""
    return take_rows(alerts, np.setdiff1d(np.arange(alerts.num_rows), list(unusable(alerts))).astype(np.int64))


def _missing(column: pa.Array) -> NDArray[np.bool_]:
    return np.asarray(column.is_null().to_numpy(zero_copy_only=False))
