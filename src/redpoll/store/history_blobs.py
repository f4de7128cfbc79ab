"""The stored measurements of an object as bytes: packing, checking, and unpacking those of many objects at once.

A blob holds, little-endian: version and level of thinning (u8), number of packets (u16) and of points (u32); of each
packet the time when it became known (f64); of all points mjd (f64), then flux, then flux_err (f32); of each packet its
number of points (u32); of all points band and kind in one byte; zeros; and the CRC-32 of all that (u32). Its length is
a multiple of eight, so that blobs laid end to end can be read as arrays. Points are sorted by packet, then by time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from redpoll.astro.ragged import owners
from redpoll.errors import StoreError
from redpoll.kernels import kernel, part
from redpoll.schema.bands import BANDS, KINDS
from redpoll.schema.light_curve import LightCurves

VERSION = 2
_HEADER, _CHECKSUM = 8, 4
_PACKET, _POINT = 12, 17
_WHOLE = 0x2144DF1C
"""CRC-32 of any bytes that end with their own CRC-32."""
_NIBBLES = np.arange(256) % 16, np.arange(256) // 16
BAND_OF, KIND_OF = (
    np.where(codes > len(names), -1, codes - 1).astype(np.int8)
    for codes, names in zip(_NIBBLES, (BANDS, KINDS), strict=True)
)
"""Band and kind of a point by its byte; -1 if unknown."""
Known = NDArray[np.float64]
Views = tuple[NDArray[np.uint8], NDArray[np.uint32], NDArray[np.float32], NDArray[np.float64]]


@dataclass(frozen=True)
class Blobs:
    """Blobs end to end, whole: ``views`` are the same bytes as arrays of several types, ``starts`` where each begins.

    ``sizes`` is the number of points of each.
    """

    views: Views
    starts: NDArray[np.int64]
    sizes: NDArray[np.int64]

    @classmethod
    def of(cls, blobs: Sequence[bytes], what: Callable[[int], str]) -> Blobs:
        """Blobs read from a store; StoreError, with `what` of its number, if one is not as `pack` made it."""
        lengths = np.fromiter(map(len, blobs), np.int64, len(blobs))
        checksums = np.fromiter(map(isal_zlib.crc32, blobs), np.int64, len(blobs))
        is_bad = (checksums != _WHOLE) | (lengths % 8 != 0) | (lengths < _HEADER + 8)
        if is_bad.any():
            raise _damaged(what(int(is_bad.argmax())))
        stops = np.cumsum(lengths)
        found = cls(_views(np.frombuffer(b"".join(blobs), np.uint8)), stops - lengths, np.empty_like(lengths))
        bad = _measure(found.views, found.starts, lengths, found.sizes)
        if bad >= 0:
            raise _damaged(what(bad))
        return found


def check(blob: bytes, what: str) -> None:
    """Raise StoreError, with `what` in it, if a blob is not one that `pack` made."""
    Blobs.of([blob], lambda _: what)


def level_of(blob: bytes) -> int:
    """The level of thinning of a blob."""
    return blob[1]


def pack(curves: LightCurves, known: Known, levels: Sequence[int] | None = None) -> list[bytes]:
    """A blob for each light curve; `known` is the time when each point became known, `levels` those of thinning."""
    points: list[NDArray[Any]] = [curves.mjd, known, curves.flux, curves.flux_err, curves.band, curves.kind]
    if _has_several_packets(curves, known):
        order = np.lexsort((curves.mjd, known, owners(curves.offsets)))
        points = [values[order] for values in points]
    mjd, known, flux, flux_err, band, kind = points
    is_start = np.ones(len(known), bool)
    is_start[1:] = known[1:] != known[:-1]
    is_start[curves.offsets[:-1][np.diff(curves.offsets) > 0]] = True
    packets = np.concatenate([[0], np.cumsum(is_start)])[curves.offsets]
    sizes = _HEADER + _PACKET * np.diff(packets) + _POINT * np.diff(curves.offsets) + _CHECKSUM
    starts = np.concatenate([[0], np.cumsum(-(-sizes // 8) * 8)])
    buffer = np.zeros(starts[-1], np.uint8)
    level = np.zeros(len(curves), np.uint8) if levels is None else np.array(levels, np.uint8)
    _pack(curves.offsets, packets, is_start, level, (mjd, known, flux, flux_err, band, kind), starts, _views(buffer))
    whole, bounds = buffer.tobytes(), starts.tolist()
    return [_with_checksum(whole[i : j - _CHECKSUM]) for i, j in pairwise(bounds)]


def unpack(blobs: Blobs, bounds: NDArray[np.int64]) -> tuple[LightCurves, Known]:
    """All points of each row, not sorted, and when each became known; row ``i`` has blobs ``bounds[i:i + 2]``."""
    n = int(blobs.sizes.sum())
    points = room(n)
    offsets = np.zeros(len(bounds), np.int64)
    _unpack(blobs.views, blobs.starts, bounds, (BAND_OF, KIND_OF), offsets, points)
    mjd, band, flux, flux_err, kind, known = (values[: offsets[-1]] for values in points)
    return LightCurves(offsets, mjd, band, flux, flux_err, kind), known


def room(n: int) -> tuple[NDArray[Any], ...]:
    """Uninitialised columns of n points: mjd, band, flux, flux_err, kind, known."""
    return (np.empty(n), np.empty(n, np.int8), np.empty(n, np.float32), np.empty(n, np.float32),
            np.empty(n, np.int8), np.empty(n))  # fmt: skip


def _damaged(what: str) -> StoreError:
    return StoreError(f"the stored history of {what} is damaged: `redpoll store rebuild` makes it anew")


def _views(buffer: NDArray[np.uint8]) -> Views:
    return buffer, buffer.view(np.uint32), buffer.view(np.float32), buffer.view(np.float64)


def _has_several_packets(curves: LightCurves, known: Known) -> bool:
    first = known[curves.offsets[:-1][np.diff(curves.offsets) > 0]]
    return bool((known != np.repeat(first, np.diff(curves.offsets)[np.diff(curves.offsets) > 0])).any())


def _with_checksum(blob: bytes) -> bytes:
    checksum: int = isal_zlib.crc32(blob)
    return blob + checksum.to_bytes(_CHECKSUM, "little")


@part
def _header(views: Any, start: int) -> Any:
    """Numbers of packets and points of a blob."""
    return np.int64(views[0][start + 2]) | np.int64(views[0][start + 3]) << 8, np.int64(views[1][start // 4 + 1])


@kernel
def _measure(views: Any, starts: Any, lengths: Any, sizes: Any) -> int:
    """Fill the numbers of points; returns the number of the first blob that does not fit into its length, or -1."""
    for i in range(len(starts)):
        n_packets, n = _header(views, starts[i])
        needed = _HEADER + _PACKET * n_packets + _POINT * n + _CHECKSUM
        if views[0][starts[i]] != VERSION or (needed + 7) // 8 * 8 != lengths[i]:
            return i
        first, total = (starts[i] + _HEADER + 8 * n_packets + 16 * n) // 4, np.int64(0)
        for j in range(n_packets):
            total += np.int64(views[1][first + j])
        if total != n:
            return i
        sizes[i] = n
    return -1


@part
def add_points(views: Any, start: int, before: float, tables: Any, points: Any, at: int) -> Any:
    """Copy the points of a blob that were measured and known before a time, from place `at` on; returns the end."""
    data, integers, singles, doubles = views
    mjd, band, flux, flux_err, kind, known = points
    n_packets, n = _header(views, start)
    times = start // 8 + 1
    first = times + n_packets
    fluxes = 2 * (first + n)
    counts = fluxes + 2 * n
    codes = 4 * (counts + n_packets)
    k = np.int64(0)
    for j in range(n_packets):
        stop = k + np.int64(integers[counts + j])
        time = doubles[times + j]
        if not time < before:
            k = stop
        while k < stop:
            if doubles[first + k] < before:
                code = data[codes + k]
                mjd[at], flux[at], flux_err[at] = doubles[first + k], singles[fluxes + k], singles[fluxes + n + k]
                band[at], kind[at], known[at] = tables[0][code], tables[1][code], time
                at += 1
            k += 1
    return at


@kernel
def _unpack(views: Any, starts: Any, bounds: Any, tables: Any, offsets: Any, points: Any) -> None:
    at = 0
    for row in range(len(bounds) - 1):
        for i in range(bounds[row], bounds[row + 1]):
            at = add_points(views, starts[i], np.inf, tables, points, at)
        offsets[row + 1] = at


@kernel
def _pack(offsets: Any, packets: Any, is_start: Any, level: Any, points: Any, starts: Any, views: Any) -> None:
    mjd, known, flux, flux_err, band, kind = points
    data, integers, singles, doubles = views
    for i in range(len(offsets) - 1):
        first, n, start = offsets[i], offsets[i + 1] - offsets[i], starts[i]
        n_packets = packets[i + 1] - packets[i]
        data[start], data[start + 1] = VERSION, level[i]
        data[start + 2], data[start + 3] = n_packets & 255, n_packets >> 8
        integers[start // 4 + 1] = n
        times = start // 8 + 1
        fluxes = 2 * (times + n_packets + n)
        counts = fluxes + 2 * n
        j = -1
        for k in range(n):
            doubles[times + n_packets + k] = mjd[first + k]
            singles[fluxes + k], singles[fluxes + n + k] = flux[first + k], flux_err[first + k]
            data[4 * (counts + n_packets) + k] = (band[first + k] + 1) | (kind[first + k] + 1) << 4
            if is_start[first + k]:
                j += 1
                doubles[times + j] = known[first + k]
            integers[counts + j] += 1
