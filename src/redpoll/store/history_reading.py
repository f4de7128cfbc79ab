"""From packed histories to light curves in one pass: decode, sort, one measurement per exposure and band, the bound."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll.kernels import kernel, part
from redpoll.schema.bands import BANDS
from redpoll.schema.light_curve import LightCurves
from redpoll.schema.merging import RANK, copy_point, mark_curve, sort_ties_of_curve
from redpoll.schema.time_order import sort_curve
from redpoll.store.history_blobs import BAND_OF, KIND_OF, Blobs, Known, add_points, room
from redpoll.store.history_bounds import within_bound


def merged(blobs: Blobs, bounds: NDArray[np.int64], row_of: NDArray[np.int64], before: Known) -> LightCurves:
    """The light curve of each row, of the points that were measured and known before its time, sorted by time.

    It has one point per exposure and band (see `redpoll.schema.merging`) and is `within_bound`. The result is that of
    `redpoll.store.history_bounds.bounded` on the unpacked points.

    Parameters
    ----------
    blobs, bounds
        What is stored: object ``k`` has the blobs ``bounds[k]`` to ``bounds[k + 1]``.
    row_of
        The object of each row; one may have several rows.
    before
        Time of each row [MJD TAI].
    """
    n_points = np.concatenate([[0], np.cumsum(blobs.sizes)])[bounds]
    sizes = np.diff(n_points)[row_of]
    if not sizes.sum():
        return LightCurves(np.zeros(len(row_of) + 1, np.int64), *room(0)[:5])
    columns = room(int(sizes.sum()))[:5]
    offsets = np.zeros(len(row_of) + 1, np.int64)
    longest = int(sizes.max(initial=0))
    scratch = (room(longest), room(longest), np.empty(longest, np.int64), np.empty(longest, np.int64),
               np.empty(longest, np.bool_))  # fmt: skip
    _merge(blobs.views, blobs.starts, bounds, row_of, before, (BAND_OF, KIND_OF, RANK), scratch, offsets, columns)
    mjd, band, flux, flux_err, kind = (values[: offsets[-1]] for values in columns)
    return within_bound(LightCurves(offsets, mjd, band, flux, flux_err, kind))


@part
def _decreases(mjd: Any, n: int) -> Any:
    """Whether a time is earlier than the one before; without branches."""
    found = False
    for k in range(1, n):
        found |= mjd[k] < mjd[k - 1]
    return found


@kernel
def _merge(
    views: Any, starts: Any, bounds: Any, row_of: Any, before: Any, tables: Any, scratch: Any, offsets: Any, out: Any
) -> None:
    gathered, ordered, order, left, keep = scratch
    winner, latest = np.empty(len(BANDS) + 1, np.int64), np.empty(len(BANDS) + 1)
    at = 0
    for row in range(len(row_of)):
        n = 0
        for i in range(bounds[row_of[row]], bounds[row_of[row] + 1]):
            n = add_points(views, starts[i], before[row], tables, gathered, n)
        points = gathered
        if _decreases(gathered[0], n):
            for k in range(n):
                order[k] = k
            sort_curve(gathered[0], 0, n, order, left)
            for k in range(n):
                copy_point(gathered, order[k], ordered, k)
            points = ordered
        mark_curve(0, n, -1, points, tables[2], keep, (winner, latest))
        first = at
        for k in range(n):  # without branches
            out[0][at], out[1][at], out[2][at] = points[0][k], points[1][k], points[2][k]
            out[3][at], out[4][at] = points[3][k], points[4][k]
            at += keep[k]
        sort_ties_of_curve(out, first, at)
        offsets[row + 1] = at
