"""Index of positions on the sky, and the compiled search of those near other positions.

Sources are sorted by `hpx29`. A cone is covered by at most four cells in which it fits whole, found from the bits of
the alert's own index; where it crosses the edge of a base cell (rare: those are 58 degrees wide) by `cone_ranges`.
Every source in those cells is then measured exactly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from redpoll.astro.healpix import every_other_bit
from redpoll.astro.sky import ORDER, cone_ranges, hpx29, is_position, unit_vectors
from redpoll.astro.sky_index_layer import Layer
from redpoll.kernels import kernel, part

_ARCSEC = math.pi / 648_000.0
_STRETCH = 1.46  # of a base cell's unit square per radian on the sky: at most 1.453, at the poles
_CELLS_PER_REACH = 4
_FINEST = ORDER - 4  # of the cells that cover a cone: the margin for rounding is far smaller than these
_MAX_BUCKET_ORDER = 11
_LAYER_ARCSEC = np.array([5.0, 60.0, 900.0])
_YEARS = (
    10.0  # a guess at the time between catalogue and alert, by which fast sources are set apart; any guess is right
)
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class SkyIndex:
    """Sorted positions; made by `build_index`, or from arrays that are mapped from disk.

    Attributes
    ----------
    hpx, xyz
        int64 (n,) and unit vectors float64 (n, 3).
    limit
        Squared chord of each source's own radius, float64 (n,).
    motion
        Velocity of the unit vectors [rad/yr], float64 (n, 3); (0, 3) if nothing moves.
    buckets
        Row of the first source in each coarse cell, layer after layer, int64.
    """

    hpx: Integers
    xyz: Floats
    limit: Floats
    motion: Floats
    buckets: Integers
    layers: tuple[Layer, ...]
    epoch: float = 2000.0


@dataclass(frozen=True)
class Matches:
    """Pairs of an alert's and a source's row with their distance [arcsec], by alert, then nearest first."""

    alert: Integers
    source: Integers
    arcsec: Floats


def build_index(
    ra: ArrayLike, dec: ArrayLike, radius_arcsec: ArrayLike, *,
    pm_ra: ArrayLike | None = None, pm_dec: ArrayLike | None = None, epoch: float = 2000.0,
) -> tuple[SkyIndex, Integers]:  # fmt: skip
    """The index of sources, and the order (n,) of its rows: row ``i`` is the source ``order[i]``.

    Parameters
    ----------
    ra, dec
        Positions at `epoch` [deg].
    radius_arcsec
        How far a match may lie from each source, or from any.
    pm_ra, pm_dec
        Proper motions [mas/yr], `pm_ra` with the cosine of the declination; NaN counts as none.
    epoch
        Julian year of the positions.

    Raises
    ------
    ValueError
        If a position is invalid, or a radius is not between 0 and 180 degrees.

    Examples
    --------
    >>> index, order = build_index([10.0, 20.0], [5.0, -5.0], 1.5)
    >>> matches = find_matches(index, [20.0001], [-5.0])
    >>> order[matches.source].tolist(), matches.arcsec.round(4).tolist()
    ([1], [0.3586])
    """
    ra, dec = np.atleast_1d(np.asarray(ra, np.float64)), np.atleast_1d(np.asarray(dec, np.float64))
    hpx = hpx29(ra, dec)
    radius = np.broadcast_to(np.asarray(radius_arcsec, np.float64), ra.shape) * _ARCSEC
    if not ((radius >= 0) & (radius <= math.pi)).all():
        raise ValueError("a radius must be between 0 and 648,000 arcsec")
    xyz = unit_vectors(ra, dec)
    motion = _velocities(ra, dec, pm_ra, pm_dec)
    speed = np.sqrt((motion**2).sum(1)) if len(motion) else np.zeros(len(ra))
    layer = _layer_of(radius, speed)
    order = np.lexsort((hpx, layer))
    hpx, radius, speed, layer = hpx[order], radius[order], speed[order], layer[order]
    layers, buckets = _layers(hpx, radius, speed, layer)
    limit = 4 * np.sin(radius / 2) ** 2
    moving = motion[order] if speed.any() else motion[:0]
    return SkyIndex(hpx, xyz[order], limit, moving, buckets, layers, epoch), order


def find_matches(
    index: SkyIndex, ra: ArrayLike, dec: ArrayLike, *,
    hpx: ArrayLike | None = None, year: ArrayLike | None = None, every: bool = False,
) -> Matches:  # fmt: skip
    """The nearest source of each position within the source's radius, or every such source.

    Parameters
    ----------
    ra, dec
        Positions [deg]; one that is not finite has no match.
    hpx
        Their `hpx29`, if known; negative where the position has no match.
    year
        Julian year of each position; needed only for moving sources.
    every
        All sources within reach instead of the nearest.
    """
    ra, dec = (np.require(np.atleast_1d(x), np.float64, ["C", "W"]) for x in (ra, dec))
    cells = _indices(ra, dec) if hpx is None else np.require(np.atleast_1d(hpx), np.int64, ["C", "W"])
    years = np.zeros(len(ra))
    if len(index.motion) and year is not None:
        years = np.nan_to_num(np.broadcast_to(np.asarray(year, np.float64), ra.shape) - index.epoch)
    found = [_search_layer(index, layer, ra, dec, cells, years, every) for layer in index.layers]
    alert, source, chord2 = (np.concatenate([f[k] for f in found]) if found else np.zeros(0) for k in range(3))
    if every or len(found) > 1:
        order = np.lexsort((source, chord2, alert))
        alert, source, chord2 = alert[order], source[order], chord2[order]
    if len(found) > 1 and not every:
        first = np.flatnonzero(np.diff(alert, prepend=-1))
        alert, source, chord2 = alert[first], source[first], chord2[first]
    arcsec = 2 * np.arcsin(np.minimum(np.sqrt(chord2) / 2, 1.0)) / _ARCSEC
    return Matches(alert.astype(np.int64), source.astype(np.int64), arcsec)


def julian_year(mjd: ArrayLike) -> Floats:
    """Julian year of a time (MJD).

    >>> float(julian_year(51544.5))
    2000.0
    """
    return np.asarray((np.asarray(mjd, np.float64) - 51544.5) / 365.25 + 2000.0)


def _indices(ra: Floats, dec: Floats) -> Integers:
    cells = np.full(len(ra), -1, np.int64)
    known = is_position(ra, dec)
    cells[known] = hpx29(ra[known], dec[known]) if known.any() else []
    return cells


def _velocities(ra: Floats, dec: Floats, pm_ra: ArrayLike | None, pm_dec: ArrayLike | None) -> Floats:
    if pm_ra is None or pm_dec is None:
        return np.zeros((0, 3))
    east, north = (np.nan_to_num(np.asarray(pm, np.float64)) * (_ARCSEC / 1000) for pm in (pm_ra, pm_dec))
    lon, lat = np.radians(ra), np.radians(dec)
    x = -east * np.sin(lon) - north * np.sin(lat) * np.cos(lon)
    y = east * np.cos(lon) - north * np.sin(lat) * np.sin(lon)
    return np.column_stack([x, y, north * np.cos(lat)])


def _layer_of(radius: Floats, speed: Floats) -> Integers:
    """Groups of sources of similar reach that are searched together, so that a few wide or fast ones cost little."""
    reach = (radius + speed * _YEARS) / _ARCSEC
    return np.searchsorted(_LAYER_ARCSEC, reach).astype(np.int64)


def _layers(hpx: Integers, radius: Floats, speed: Floats, layer: Integers) -> tuple[tuple[Layer, ...], Integers]:
    made: list[Layer] = []
    buckets: list[Integers] = []
    bounds = [*np.flatnonzero(np.diff(layer, prepend=-1)).tolist(), len(hpx)]
    for start, stop in pairwise(bounds):
        order = int(np.clip(math.log(max(stop - start, 12) / 12, 4), 0, _MAX_BUCKET_ORDER))
        edges = np.arange(12 * 4**order + 1, dtype=np.int64) << 2 * (ORDER - order)
        first = sum(map(len, buckets))
        buckets.append(start + np.searchsorted(hpx[start:stop], edges))
        rows = slice(start, stop)
        made.append(Layer(start, stop, float(radius[rows].max()), float(speed[rows].max()), order, first))
    return tuple(made), np.concatenate(buckets).astype(np.int64) if buckets else np.zeros(0, np.int64)


def _search_layer(
    index: SkyIndex, layer: Layer, ra: Floats, dec: Floats, hpx: Integers, years: Floats, every: bool
) -> tuple[Integers, Integers, Floats]:
    reach = layer.radius + layer.speed * float(np.abs(years).max(initial=0.0))
    order = max(math.floor(-math.log2(max(_CELLS_PER_REACH * _STRETCH * reach, 2.0**-_FINEST))), 0)
    margin = min(math.ceil(_STRETCH * reach * 2**ORDER) + 2, 2**ORDER)
    cells, crossing = _cover(hpx, order, margin)
    ranges, offsets = _crossing_ranges(ra[crossing], dec[crossing], reach / _ARCSEC)
    pairs: tuple[Integers, Integers, Floats] = _search(
        np.radians(ra), np.radians(dec), years, cells, 2 * (ORDER - order), ranges, offsets,
        index.hpx, index.xyz, index.limit, index.motion, index.buckets[layer.buckets :],
        2 * (ORDER - layer.order), layer.stop, every,
    )  # fmt: skip
    return pairs


def _crossing_ranges(ra: Floats, dec: Floats, reach_arcsec: float) -> tuple[Integers, Integers]:
    """Ranges of cells of the few cones that cross the edge of a base cell, end to end, and their offsets."""
    found = [cone_ranges(x, y, min(reach_arcsec, 648_000.0)) for x, y in zip(ra.tolist(), dec.tolist(), strict=True)]
    offsets = np.cumsum([0, *map(len, found)])
    return np.concatenate(found) if found else np.zeros((0, 2), np.int64), offsets


@kernel
def _cover(hpx: Any, order: int, margin: int) -> Any:
    """Up to four cells of an order around each position, else -1; and rows whose cone crosses a base cell's edge."""
    cells = np.full((len(hpx), 4), -1, np.int64)
    crossing = np.empty(len(hpx), np.int64)
    n = 0
    side = 1 << 29
    shift = 29 - order
    for i in range(len(hpx)):
        if hpx[i] < 0:
            continue
        base = hpx[i] >> 58
        inside = hpx[i] & ((1 << 58) - 1)
        x, y = every_other_bit(inside), every_other_bit(inside >> 1)
        if x < margin or y < margin or x + margin >= side or y + margin >= side:
            cells[i, 0] = -2
            crossing[n] = i
            n += 1
            continue
        k = 0
        for cx in range((x - margin) >> shift, ((x + margin) >> shift) + 1):
            for cy in range((y - margin) >> shift, ((y + margin) >> shift) + 1):
                cells[i, k] = (base << (2 * order)) | _spread_bits(cx) | (_spread_bits(cy) << 1)
                k += 1
    return cells, crossing[:n]


@kernel
def _search(
    lon: Any, lat: Any, years: Any, cells: Any, shift: int, ranges: Any, offsets: Any,
    hpx: Any, xyz: Any, limit: Any, motion: Any, buckets: Any, bucket_shift: int, stop: int, every: bool,
) -> Any:  # fmt: skip
    """Pairs within the limit of the source, or the nearest of each position: alerts, sources, squared chords."""
    alert, source, chord2 = (
        np.empty(len(lon) + 16, np.int64),
        np.empty(len(lon) + 16, np.int64),
        np.empty(len(lon) + 16),
    )
    position = np.empty(3)
    n = crossing = 0
    for i in range(len(lon)):
        if cells[i, 0] == -1:
            continue
        position[0], position[1] = math.cos(lat[i]) * math.cos(lon[i]), math.cos(lat[i]) * math.sin(lon[i])
        position[2] = math.sin(lat[i])
        first = n
        first_range, last_range = 0, 4
        if cells[i, 0] == -2:
            first_range, last_range = offsets[crossing], offsets[crossing + 1]
            crossing += 1
        for k in range(first_range, last_range):
            if cells[i, 0] == -2:
                low, high = ranges[k, 0], ranges[k, 1]
            elif cells[i, k] >= 0:
                low, high = cells[i, k] << shift, (cells[i, k] + 1) << shift
            else:
                break
            row = _first_row(hpx, buckets, bucket_shift, low)
            while row < stop and hpx[row] < high:
                distance2 = _chord2(position, xyz, motion, row, years[i])
                if distance2 <= limit[row]:
                    if n == len(alert):
                        alert, source, chord2 = _doubled(alert), _doubled(source), _doubled(chord2)
                    if every or n == first:
                        alert[n], source[n], chord2[n] = i, row, distance2
                        n += 1
                    elif distance2 < chord2[first] or (distance2 == chord2[first] and row < source[first]):
                        source[first], chord2[first] = row, distance2
                row += 1
    return alert[:n], source[:n], chord2[:n]


@part
def _chord2(position: Any, xyz: Any, motion: Any, row: int, years: float) -> Any:
    """Squared chord from a position to a source, moved linearly by its proper motion."""
    x, y, z = xyz[row, 0], xyz[row, 1], xyz[row, 2]
    if len(motion) > 0:
        x, y, z = x + motion[row, 0] * years, y + motion[row, 1] * years, z + motion[row, 2] * years
        length = math.sqrt(x * x + y * y + z * z)
        x, y, z = x / length, y / length, z / length
    return (position[0] - x) ** 2 + (position[1] - y) ** 2 + (position[2] - z) ** 2


@part
def _first_row(hpx: Any, buckets: Any, shift: int, value: int) -> Any:
    """The first row whose index is at least the value, searched within the rows of its bucket."""
    bucket = value >> shift
    low, high = buckets[bucket], buckets[bucket + 1]
    while low < high:
        middle = (low + high) >> 1
        if hpx[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


@part
def _doubled(values: Any) -> Any:
    larger = np.empty(2 * len(values), values.dtype)
    for i in range(len(values)):
        larger[i] = values[i]
    return larger


@part
def _spread_bits(value: int) -> int:
    """The lower 29 bits moved to bits 0, 2, 4 ..."""
    value = (value | (value << 16)) & 0x0000FFFF0000FFFF
    value = (value | (value << 8)) & 0x00FF00FF00FF00FF
    value = (value | (value << 4)) & 0x0F0F0F0F0F0F0F0F
    value = (value | (value << 2)) & 0x3333333333333333
    return (value | (value << 1)) & 0x5555555555555555
