"""An alert that comes twice is processed once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Known = Callable[[str, NDArray[Any]], NDArray[Any]]
"""Survey and alert ids to one boolean each: is it already stored?"""


def duplicates(alerts: pa.RecordBatch, known: Known) -> dict[int, str]:
    """Row -> reason for every alert that is already stored or came earlier in the batch."""
    if not alerts.num_rows:
        return {}
    ids = alerts["alert_id"].to_numpy(zero_copy_only=False)
    first = np.zeros(len(ids), bool)
    first[np.unique(ids, return_index=True)[1]] = True
    stored = np.asarray(known(alerts["survey"][0].as_py(), ids), bool)
    reasons = {int(row): "repeated in the batch" for row in np.flatnonzero(~first)}
    return reasons | {int(row): "already stored" for row in np.flatnonzero(stored)}
