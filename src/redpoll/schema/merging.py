"""One measurement per exposure and band: the rule that packets, stored histories, modules and portal share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll.kernels import kernel, part
from redpoll.schema.bands import BANDS, DETECTION, FORCED, LOW_QUALITY, UPPER_LIMIT
from redpoll.schema.light_curve import LightCurves

EXPOSURE_DAYS = 1e-5
"""Points of a band whose neighbours in time are at most so far apart (0.86 s) are measurements of one exposure."""
RANK = np.array([4, 4, 4, 4, 4], np.int8)  # by kind; the last is an unknown kind
RANK[[DETECTION, FORCED, LOW_QUALITY, UPPER_LIMIT]] = [0, 1, 2, 3]
"""Of the points of an exposure, the one whose kind has the smallest rank is kept."""


def best_of_each_exposure(
    curves: LightCurves, known: NDArray[np.float64] | None = None, *, triggering: NDArray[np.int64] | None = None
) -> NDArray[np.bool_]:
    """Which points to keep, so that every exposure and band has one measurement.

    The points of a band are sorted by time; where neighbours are at most `EXPOSURE_DAYS` apart they belong to the same
    exposure. There is no grid of times, whose cell boundaries would separate two points that are close together. Of an
    exposure a detection outranks a forced measurement, which outranks a detection of low quality, which outranks an
    upper limit: a forced measurement does not depend on the flags of the candidate, and a limit is no measurement of
    flux. Of equals the one that became known last is kept, then the later, then the larger flux and error: the answer
    does not depend on the order in which points were received.

    Left out are forced fluxes that are exactly zero (the survey's blank) or null, upper limits without a finite
    depth, and whatever is infinite. The triggering detection is always kept, and wins its exposure.

    Parameters
    ----------
    curves
        Sorted by time, but for the triggering detection, which is the last point of its curve.
    known
        When each point became known: the time of the packet that brought it. None: all at once.
    triggering
        Index of the triggering detection of each curve, -1 if it has none. None: no curve has one.
    """
    keep = np.empty(len(curves.mjd), bool)
    known = np.zeros(len(curves.mjd)) if known is None else known
    triggering = np.full(len(curves), -1) if triggering is None else triggering
    _mark(curves.offsets, triggering, _arrays(curves, known), RANK, keep)
    return keep


def one_per_exposure(
    curves: LightCurves, known: NDArray[np.float64] | None = None, *, triggering: NDArray[np.int64] | None = None
) -> LightCurves:
    """The light curves with the points of `best_of_each_exposure` only; those of equal times are sorted by band."""
    found = curves.kept(best_of_each_exposure(curves, known, triggering=triggering))
    owned = 0 if triggering is None else (triggering >= 0).astype(np.int64)
    ends = found.offsets[1:] - owned
    if _has_ties(found.offsets, ends, found.mjd, found.band):
        copies = [getattr(found, name).copy() for name in ("mjd", "band", "flux", "flux_err", "kind")]
        found = LightCurves(found.offsets, *copies)
        _sort_ties(found.offsets, ends, _arrays(found, np.zeros(len(found.mjd))))
    return found


def joined(stored: LightCurves, packets: LightCurves) -> LightCurves:
    """What is stored of each object and the points of its packet as one light curve, by `best_of_each_exposure`.

    Both are sorted by time and hold one point per exposure and band; a packet's points are newer than any stored one,
    its last is the triggering detection.
    """
    if not len(stored.mjd):
        return packets
    offsets = stored.offsets + packets.offsets
    n = int(offsets[-1])
    merged = LightCurves(
        offsets, np.empty(n), np.empty(n, np.int8), np.empty(n, np.float32), np.empty(n, np.float32),
        np.empty(n, np.int8),
    )  # fmt: skip
    known = np.empty(n)
    old = _arrays(stored, np.zeros(len(stored.mjd)))
    new = _arrays(packets, np.ones(len(packets.mjd)))
    _interleave(stored.offsets, old, packets.offsets, new, _arrays(merged, known))
    triggering = np.where(np.diff(packets.offsets) > 0, offsets[1:] - 1, -1)
    return one_per_exposure(merged, known, triggering=triggering)


def news(stored: LightCurves, packets: LightCurves) -> NDArray[np.bool_]:
    """Which points of the packets add something to the stored ones: a new exposure, a better kind or a new value."""
    is_news = np.ones(len(packets.mjd), bool)
    if not len(stored.mjd):
        return is_news
    old = _arrays(stored, np.zeros(len(stored.mjd)))
    new = _arrays(packets, np.ones(len(packets.mjd)))
    _find_news(stored.offsets, old, packets.offsets, new, RANK, is_news)
    return is_news


def _arrays(curves: LightCurves, known: NDArray[np.float64]) -> tuple[NDArray[Any], ...]:
    return (curves.mjd, curves.band, curves.flux, curves.flux_err, curves.kind, known)


@part
def _is_blank(points: Any, i: int) -> Any:
    """Whether a point measures nothing; without branches, which kinds in no order would make slow."""
    flux, flux_err, kind = points[2][i], points[3][i], points[4][i]
    no_depth = np.isnan(flux_err) | np.isinf(flux_err) | (flux_err <= 0)
    no_flux = (kind == FORCED) & (np.isnan(flux) | (flux == 0))
    is_upper_limit = kind == UPPER_LIMIT
    return (is_upper_limit & no_depth) | (~is_upper_limit & (np.isinf(flux) | np.isinf(flux_err) | no_flux))


@part
def _outranks(points: Any, rank: Any, i: int, j: int) -> Any:
    """Whether point i is to be kept rather than j, of the same exposure."""
    mjd, _, flux, flux_err, kind, known = points
    if rank[kind[i]] != rank[kind[j]]:
        return rank[kind[i]] < rank[kind[j]]
    if known[i] != known[j]:
        return known[i] > known[j]
    if mjd[i] != mjd[j]:
        return mjd[i] > mjd[j]
    if flux[i] != flux[j] and not (np.isnan(flux[i]) and np.isnan(flux[j])):
        return np.isnan(flux[j]) or flux[i] > flux[j]
    return not np.isnan(flux_err[i]) and (np.isnan(flux_err[j]) or flux_err[i] > flux_err[j])


@kernel
def _mark(offsets: Any, triggering: Any, points: Any, rank: Any, keep: Any) -> None:
    room = (np.empty(len(BANDS) + 1, np.int64), np.empty(len(BANDS) + 1))
    for r in range(len(offsets) - 1):
        mark_curve(offsets[r], offsets[r + 1], triggering[r], points, rank, keep, room)


@part
def mark_curve(first: int, stop: int, own: int, points: Any, rank: Any, keep: Any, room: Any) -> None:
    """Set which points from `first` to `stop` to keep, see `best_of_each_exposure`; `own` is the triggering detection.

    `room` has a number and a time for each band.
    """
    mjd = points[0]
    end = stop if own < 0 else own
    for i in range(first, end):
        keep[i] = not _is_blank(points, i)
    i = first
    while i + 1 < end:  # almost all points are of an exposure of their own
        begin = i
        i += 1
        while i < end and mjd[i] - mjd[i - 1] <= EXPOSURE_DAYS:
            i += 1
        if i - begin == 2:
            _mark_pair(begin, points, rank, keep)
        elif i - begin > 2:
            _mark_neighbours(begin, i, -1, points, rank, keep, room)
    if own >= 0:
        begin, end = _around(mjd, first, own)
        _mark_neighbours(begin, end, own, points, rank, keep, room)


@part
def _mark_pair(i: int, points: Any, rank: Any, keep: Any) -> None:
    """Of two neighbours, i and the next, keep one if they are of one band; the commonest case by far."""
    if keep[i] and keep[i + 1] and points[1][i] == points[1][i + 1]:
        is_next_better = _outranks(points, rank, i + 1, i)
        keep[i], keep[i + 1] = not is_next_better, is_next_better


@part
def _around(mjd: Any, first: int, own: int) -> Any:
    """The points before `own` that are its neighbours in time, or neighbours of its neighbours, as a range."""
    stop = own
    while stop > first and mjd[stop - 1] > mjd[own] + EXPOSURE_DAYS:
        stop -= 1
    begin, earliest, latest = stop, mjd[own], mjd[own]
    if stop > first and mjd[stop - 1] > latest:
        latest = mjd[stop - 1]
    while begin > first and earliest - mjd[begin - 1] <= EXPOSURE_DAYS:
        begin -= 1
        earliest = min(earliest, mjd[begin])
    while stop < own and mjd[stop] - latest <= EXPOSURE_DAYS:
        latest = mjd[stop]
        stop += 1
    return begin, stop


@part
def _mark_neighbours(first: int, stop: int, own: int, points: Any, rank: Any, keep: Any, room: Any) -> None:
    """Set which points of a range to keep, and `own`, if there is one."""
    mjd, band = points[0], points[1]
    winner, latest = room
    winner[:], latest[:] = -1, -np.inf
    at, waits = first, own >= 0
    while at < stop or waits:
        if waits and (at == stop or mjd[own] <= mjd[at]):
            i, waits = own, False
        else:
            i, at = at, at + 1
        keep[i] = i == own or not _is_blank(points, i)
        if not keep[i]:
            continue
        b = band[i] + 1
        before = winner[b]
        is_same = mjd[i] - latest[b] <= EXPOSURE_DAYS
        latest[b] = mjd[i]
        if is_same and before != own and (i == own or _outranks(points, rank, i, before)):
            keep[before], winner[b] = False, i
        elif is_same:
            keep[i] = False
        else:
            winner[b] = i


@kernel
def _interleave(old_offsets: Any, old: Any, new_offsets: Any, new: Any, out: Any) -> None:
    """Two sets of light curves merged by time; the last point of each new curve comes last."""
    at = 0
    for r in range(len(old_offsets) - 1):
        i, j, end_i, end_j = old_offsets[r], new_offsets[r], old_offsets[r + 1], new_offsets[r + 1]
        while i < end_i or j < end_j:
            if i < end_i and (j >= end_j - 1 or old[0][i] <= new[0][j]):
                copy_point(old, i, out, at)
                i += 1
            else:
                copy_point(new, j, out, at)
                j += 1
            at += 1


@part
def copy_point(source: Any, i: int, out: Any, at: int) -> None:
    """Copy point i of six columns to place `at` of others."""
    out[0][at], out[1][at], out[2][at] = source[0][i], source[1][i], source[2][i]
    out[3][at], out[4][at], out[5][at] = source[3][i], source[4][i], source[5][i]


@kernel
def _has_ties(offsets: Any, ends: Any, mjd: Any, band: Any) -> bool:
    for r in range(len(ends)):
        for i in range(offsets[r] + 1, ends[r]):
            if mjd[i] == mjd[i - 1] and band[i] < band[i - 1]:
                return True
    return False


@kernel
def _sort_ties(offsets: Any, ends: Any, points: Any) -> None:
    for r in range(len(ends)):
        sort_ties_of_curve(points, offsets[r], ends[r])


@part
def sort_ties_of_curve(points: Any, first: int, stop: int) -> None:
    """Sort points of equal times, from `first` to `stop`, by band; they are sorted by time already."""
    mjd, band, flux, flux_err, kind = points[0], points[1], points[2], points[3], points[4]
    for i in range(first + 1, stop):
        j = i
        while j > first and mjd[j] == mjd[j - 1] and band[j] < band[j - 1]:
            band[j], band[j - 1] = band[j - 1], band[j]
            flux[j], flux[j - 1] = flux[j - 1], flux[j]
            flux_err[j], flux_err[j - 1] = flux_err[j - 1], flux_err[j]
            kind[j], kind[j - 1] = kind[j - 1], kind[j]
            j -= 1


@kernel
def _find_news(old_offsets: Any, old: Any, new_offsets: Any, new: Any, rank: Any, is_news: Any) -> None:
    for r in range(len(old_offsets) - 1):
        first, stop = old_offsets[r], old_offsets[r + 1]
        for j in range(new_offsets[r], new_offsets[r + 1]):
            while first < stop and old[0][first] < new[0][j] - EXPOSURE_DAYS and j < new_offsets[r + 1] - 1:
                first += 1
            at = first
            while at < stop and old[0][at] < new[0][j] - EXPOSURE_DAYS:
                at += 1
            is_news[j] = True
            while at < stop and old[0][at] <= new[0][j] + EXPOSURE_DAYS:
                if old[1][at] == new[1][j] and _has_it(old, at, new, j, rank):
                    is_news[j] = False
                at += 1


@part
def _has_it(old: Any, i: int, new: Any, j: int, rank: Any) -> Any:
    """Whether the stored point of the exposure is better than the new one, or the same."""
    if rank[old[4][i]] != rank[new[4][j]]:
        return rank[old[4][i]] < rank[new[4][j]]
    return _equal(old[2][i], new[2][j]) and _equal(old[3][i], new[3][j])


@part
def _equal(a: float, b: float) -> bool:
    return a == b or (np.isnan(a) and np.isnan(b))
