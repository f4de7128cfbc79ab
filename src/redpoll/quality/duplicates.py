"""An alert that comes twice is processed once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Exists = Callable[[str, NDArray[Any]], NDArray[Any]]
"""From a survey and alert ids to one boolean per id: is this alert stored?"""
ALREADY_STORED = "already stored"
"""The reason of every duplicate in the ledger, whether its twin is in the store or earlier in the batch."""


def nothing_exists(survey: str, alert_ids: NDArray[Any]) -> NDArray[np.bool_]:
    """False for every alert: without a store none is a duplicate."""
    return np.zeros(len(alert_ids), bool)


def duplicates(alerts: pa.RecordBatch, exists: Exists) -> dict[int, str]:
    """Row -> reason for every alert that is stored already or stands earlier in the batch."""
    if not alerts.num_rows:
        return {}
    ids = alerts["alert_id"].to_numpy(zero_copy_only=False)
    repeated = np.ones(len(ids), bool)
    repeated[np.unique(ids, return_index=True)[1]] = False
    stored = np.asarray(exists(alerts["survey"][0].as_py(), ids), bool)
    return {int(row): ALREADY_STORED for row in np.flatnonzero(repeated | stored)}
