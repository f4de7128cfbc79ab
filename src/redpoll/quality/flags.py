"""Missing quality flags default to true."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

FLAGS = ("has_bad_pixels", "is_edge", "is_streak", "is_dipole", "is_photometry_bad")


def fill_flags(alerts: pa.RecordBatch) -> pa.RecordBatch:
    """The alerts with missing flags set to true."""
    for name in FLAGS:
        index = alerts.schema.get_field_index(name)
        if alerts.column(index).null_count:
            alerts = alerts.set_column(index, alerts.schema.field(index), pc.fill_null(alerts.column(index), True))
    return alerts
