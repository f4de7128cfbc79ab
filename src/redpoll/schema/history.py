"""Time-sorted light curves from the histories of packets and their triggering detections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from redpoll.schema.light_curve import LightCurves
from redpoll.schema.merging import one_per_exposure
from redpoll.schema.time_order import time_order


@dataclass(frozen=True)
class Points:
    """Points of many light curves; ``row`` is the row of the packet. A NaN flux is an upper limit of depth flux_err."""

    row: NDArray[np.int64]
    mjd: NDArray[np.float64]
    band: NDArray[np.int8]
    flux: NDArray[np.float32]
    flux_err: NDArray[np.float32]
    kind: NDArray[np.int8]

    def kept(self, keep: NDArray[np.bool_]) -> Points:
        """The points where `keep` is true."""
        return self if keep.all() else Points(*(getattr(self, name)[keep] for name in _NAMES))


_NAMES = ("row", "mjd", "band", "flux", "flux_err", "kind")


def items(lists: pa.Array) -> tuple[pa.Array, NDArray[np.int64]]:
    """Items of a list column end to end, and the row of each; none if the packets have no such field."""
    if not pa.types.is_list(lists.type):
        return pa.nulls(0, pa.struct([])), np.zeros(0, np.int64)
    lengths = pc.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False)
    return lists.flatten(), np.repeat(np.arange(len(lists)), lengths)


def light_curves(own: Points, *histories: Points) -> LightCurves:
    """Light curves sorted by time with the triggering detection last, one point per exposure and band.

    ``own`` has exactly one point a row, in row order. History points without a time are dropped; which point of an
    exposure is kept, see `one_per_exposure`.
    """
    parts = [h.kept(np.isfinite(h.mjd)) for h in histories]
    joined: dict[str, NDArray[Any]] = {
        name: np.concatenate([getattr(p, name) for p in (*parts, own)]) for name in _NAMES
    }
    order, offsets = time_order(joined["row"], joined["mjd"], len(own.row))
    mjd, band, flux, flux_err, kind = (joined[name][order] for name in _NAMES[1:])
    curves = LightCurves(
        offsets, mjd, band, flux.astype(np.float32, copy=False), flux_err.astype(np.float32, copy=False), kind
    )
    return one_per_exposure(curves, triggering=curves.triggering)
