"""Flags that a packet does not tell count as set, so that no module sees a flag without an answer."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

FLAGS = ("has_bad_pixels", "is_edge", "is_streak", "is_dipole", "is_photometry_bad")


def fill_flags(alerts: pa.RecordBatch) -> pa.RecordBatch:
    """The same alerts with every missing flag set."""
    for name in FLAGS:
        place = alerts.schema.get_field_index(name)
        if alerts.column(place).null_count:
            alerts = alerts.set_column(place, alerts.schema.field(place), pc.fill_null(alerts.column(place), True))
    return alerts
