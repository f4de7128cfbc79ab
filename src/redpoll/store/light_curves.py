"""One light curve out of many packets: one measurement per exposure and band, by the rule of `schema.merging`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from redpoll.schema.bands import DETECTION
from redpoll.schema.light_curve import POINT_TYPE, LightCurves
from redpoll.schema.merging import one_per_exposure
from redpoll.store.history_bounds import sorted_by_time

_COLUMNS = {"mjd": np.float64, "band": np.int8, "flux": np.float32, "flux_err": np.float32, "kind": np.int8}


@dataclass(frozen=True)
class Packet:
    """The light curve of one packet, and what orders it among the packets of its object."""

    mjd: float
    alert_id: int
    curve: LightCurves


def merge(packets: Sequence[Packet]) -> LightCurves:
    """All points of an object's packets as one light curve, see `one_per_exposure`.

    A packet's points count as known since the packet's own time.
    """
    curves = [p.curve for p in packets]
    sizes = [len(c.mjd) for c in curves]
    values = (
        np.concatenate([getattr(c, name) for c in curves]) if curves else np.empty(0, dtype)
        for name, dtype in _COLUMNS.items()
    )
    points = LightCurves(np.array([0, sum(sizes)]), *values)
    return one_per_exposure(*sorted_by_time(points, np.repeat([p.mjd for p in packets], sizes).astype(np.float64)))


def to_table(curve: LightCurves) -> pa.Table:
    """A light curve as a table with the columns of ``POINT_TYPE``."""
    points = curve.to_arrow().values
    return pa.Table.from_arrays(points.flatten(), schema=pa.schema(list(POINT_TYPE)))


def single(mjd: float, band: int, flux: float | None, flux_err: float | None) -> LightCurves:
    """The light curve of an alert that brought none: its own detection."""
    values = np.array([flux, flux_err], np.float32)  # None becomes NaN
    own = (np.array([mjd]), np.array([band], np.int8), values[:1], values[1:], np.array([DETECTION], np.int8))
    return LightCurves(np.array([0, 1]), *own)
