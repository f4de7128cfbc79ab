"""Bounds on the stored light curve of an object: old superseded values are removed, and the past is thinned."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll.astro.ragged import owners
from redpoll.schema.bands import BANDS
from redpoll.schema.light_curve import LightCurves
from redpoll.schema.merging import EXPOSURE_DAYS, RANK, best_of_each_exposure, one_per_exposure
from redpoll.schema.time_order import time_order_of_each

NEWEST = 1_000
"""Points of an object that are never thinned: the newest by time."""
PAST = 1_000
"""Points of an object older than those."""
LATE_DAYS = 30.0
"""An alert that is processed at most so long after later ones sees exactly what was known at its own time."""
LEVELS = 18
"""Widths of the time bins: 0.5 d at level 1, twice as wide at each next level, 180 years at the last."""
Known = NDArray[np.float64]


def sorted_by_time(curves: LightCurves, known: Known) -> tuple[LightCurves, Known]:
    """The same points, each curve sorted by time, then by band, kind, value and when it became known."""
    order = time_order_of_each(curves.offsets, curves.mjd)
    mjd = curves.mjd[order]
    ties = np.flatnonzero(mjd[1:] == mjd[:-1])
    if len(ties):
        keys = [getattr(curves, name)[order] for name in ("flux_err", "flux", "kind", "band")]
        order = order[np.lexsort((known[order], *keys, mjd, owners(curves.offsets)))]
    return _taken(curves, order), known[order]


def in_time_order(curves: LightCurves) -> LightCurves:
    """The same points, each curve sorted by time; points of one time stay as they are."""
    return _taken(curves, time_order_of_each(curves.offsets, curves.mjd))


def compacted(
    curves: LightCurves, known: Known, levels: NDArray[np.int64]
) -> tuple[LightCurves, Known, NDArray[np.int64]]:
    """Histories, sorted by time, without the points that no later alert needs; returns new levels of thinning.

    Values that another one superseded (see `best_of_each_exposure`) are kept until what superseded them has been known
    for `LATE_DAYS` before the newest packet; the same value twice in succession is kept once, as known since the first
    time.
    """
    repeated = _is_repeated(curves, known)
    curves, known = curves.kept(~repeated), known[~repeated]
    newest = np.full(len(curves), -np.inf)
    np.maximum.at(newest, owners(curves.offsets), known)
    is_old = known < newest[owners(curves.offsets)] - LATE_DAYS
    keep = ~is_old
    keep[is_old] = best_of_each_exposure(curves.kept(is_old), known[is_old])
    curves, known = curves.kept(keep), known[keep]
    too_many = np.flatnonzero(np.diff(curves.offsets) > NEWEST + PAST)
    if len(too_many):
        keep, levels = thinned(curves, levels)
        curves, known = curves.kept(keep), known[keep]
    return curves, known, levels


def bounded(curves: LightCurves, known: Known) -> LightCurves:
    """One point per exposure and band, at most `NEWEST` + `PAST` in each curve; sorted by time before and after."""
    return within_bound(one_per_exposure(curves, known))


def within_bound(curves: LightCurves) -> LightCurves:
    """The curves, sorted by time, with at most `NEWEST` + `PAST` points in each, see `thinned`."""
    if (np.diff(curves.offsets) > NEWEST + PAST).any():
        curves = curves.kept(thinned(curves, np.zeros(len(curves), np.int64))[0])
    return curves


def thinned(curves: LightCurves, levels: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Which points of curves, sorted by time, to keep so that none has more than `NEWEST` + `PAST`; and their levels.

    The newest `NEWEST` stay. Of the older ones, each band keeps one in each bin of time: the one of the best kind, of
    equals the earliest. Bins are as narrow as `PAST` allows, and begin at MJD 0: every band keeps points over the whole
    past, and thinning again, with more points, gives what thinning all at once gives. ``levels`` sets how wide the bins
    of each curve have been so far.
    """
    keep, levels = np.ones(len(curves.mjd), bool), levels.copy()
    for i in np.flatnonzero(np.diff(curves.offsets) > NEWEST + PAST):
        first, stop = curves.offsets[i], curves.offsets[i + 1] - NEWEST
        past = slice(first, stop)
        order = np.lexsort((curves.mjd[past], RANK[curves.kind[past]]))
        for level in range(max(1, int(levels[i])), LEVELS + 1):
            chosen = order[_first_of_each_bin(curves, past, order, level)]
            if len(chosen) <= PAST:
                break
        chosen = chosen[:PAST]
        keep[past] = False
        keep[first + chosen] = True
        levels[i] = level
    return keep, levels


def _first_of_each_bin(curves: LightCurves, past: slice, order: NDArray[np.int64], level: int) -> NDArray[np.int64]:
    days = 0.25 * 2.0**level
    cell = np.floor(curves.mjd[past] / days) * (len(BANDS) + 1) + (curves.band[past] + 1)
    return np.sort(np.unique(cell[order], return_index=True)[1])


def _is_repeated(curves: LightCurves, known: Known) -> NDArray[np.bool_]:
    """Whether a point repeats the one that became known just before it, of the same exposure, band and kind.

    A value that returns after another one is no repetition: it is the newest again.
    """
    flux, flux_err = (np.nan_to_num(values, nan=-np.inf) for values in (curves.flux, curves.flux_err))
    values: list[NDArray[Any]] = [flux_err, flux, curves.mjd]  # of those known at once, the best is the last
    group: list[NDArray[Any]] = [curves.kind, _exposures(curves)]
    order = np.lexsort((*values, known, *group))
    same = np.logical_and.reduce([key[order][1:] == key[order][:-1] for key in (*values, *group)])
    repeated = np.zeros(len(known), bool)
    repeated[order[1:]] = same
    return repeated


def _exposures(curves: LightCurves) -> NDArray[np.int64]:
    """A number for each exposure of a curve and band, see `best_of_each_exposure`."""
    keys: list[NDArray[Any]] = [curves.mjd, curves.band, owners(curves.offsets)]
    order = np.lexsort(keys)
    mjd, band, owner = (key[order] for key in keys)
    is_new = (owner[1:] != owner[:-1]) | (band[1:] != band[:-1]) | (np.diff(mjd) > EXPOSURE_DAYS)
    numbers = np.empty(len(order), np.int64)
    numbers[order] = np.concatenate([[0], np.cumsum(is_new)])[: len(order)]
    return numbers


def _taken(curves: LightCurves, order: NDArray[np.int64]) -> LightCurves:
    values = (getattr(curves, name)[order] for name in ("mjd", "band", "flux", "flux_err", "kind"))
    return LightCurves(curves.offsets, *values)
