"""One light curve out of many packets: each point once, the best word on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.schema.bands import DETECTION, FORCED, LOW_QUALITY, UPPER_LIMIT
from redpoll.schema.light_curve import POINT_TYPE, LightCurves

TICKS_PER_DAY = 100_000
"""Two points of a band are one measurement if their times agree when rounded to 1e-5 d (0.9 s)."""
_RANK = np.array([3, 3, 3, 3, 4], np.int8)  # by kind; the last is an unknown kind
_RANK[[DETECTION, LOW_QUALITY, UPPER_LIMIT, FORCED]] = [0, 1, 2, 0]


@dataclass(frozen=True)
class Packet:
    """The light curve of one packet, and what orders it among the packets of its object."""

    mjd: float
    alert_id: int
    curve: LightCurves


def merge(packets: Sequence[Packet]) -> LightCurves:
    """All points of an object's packets without duplicates, time-sorted, as one light curve.

    At one time and band there is at most one forced point and one other. Among the others a detection beats low
    quality, which beats a limit; of equals, the newest packet's word counts, in it the last.
    """
    ordered = sorted(packets, key=lambda p: (p.mjd, p.alert_id))
    curves = [p.curve for p in ordered]
    age = np.repeat(np.arange(len(curves)), [len(c.mjd) for c in curves])
    mjd, band, flux, flux_err, kind = (
        np.concatenate([getattr(c, name) for c in curves]) if curves else np.empty(0, dtype)
        for name, dtype in _COLUMNS.items()
    )
    tick, forced = np.rint(mjd * TICKS_PER_DAY).astype(np.int64), kind == FORCED
    order = np.lexsort((-np.arange(len(mjd)), -age, _RANK[kind], forced, band, tick))
    keep = order[_starts(tick[order], band[order], forced[order])]
    keep = keep[np.lexsort((forced[keep], band[keep], mjd[keep]))]
    points = (mjd[keep], band[keep], flux[keep], flux_err[keep], kind[keep])
    return LightCurves(np.array([0, len(keep)]), *points)


def to_table(curve: LightCurves) -> pa.Table:
    """A light curve as a table with the columns of ``POINT_TYPE``."""
    points = curve.to_arrow().values
    return pa.Table.from_arrays(points.flatten(), schema=pa.schema(list(POINT_TYPE)))


def single(mjd: float, band: int, flux: float | None, flux_err: float | None) -> LightCurves:
    """The light curve of an alert that brought none: its own detection."""
    values = np.array([flux, flux_err], np.float32)  # None becomes NaN
    own = (np.array([mjd]), np.array([band], np.int8), values[:1], values[1:], np.array([DETECTION], np.int8))
    return LightCurves(np.array([0, 1]), *own)


def _starts(*keys: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Whether each row of sorted keys differs from the one before."""
    first = np.ones(len(keys[0]), bool)
    if len(first):
        first[1:] = np.logical_or.reduce([k[1:] != k[:-1] for k in keys])
    return first


_COLUMNS = {"mjd": np.float64, "band": np.int8, "flux": np.float32, "flux_err": np.float32, "kind": np.int8}
