"""The stored measurements of an object as bytes: packing, and unpacking those of many objects at once.

A blob holds, little-endian: CRC-32 of all bytes after it (u32), version and level of thinning (u8), number of packets
(u16), number of points (u32); then of each packet the time when it became known (f64) and its number of points (u32);
then of all points mjd (f64), flux and flux_err (f32), and band and kind in one byte. Points are sorted by packet, then
by time.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from redpoll.astro.ragged import owners
from redpoll.errors import StoreError
from redpoll.kernels import kernel, part
from redpoll.schema.light_curve import LightCurves

VERSION = 1
_HEADER = struct.Struct("<IBBHI")
_CHECKSUM = 4
_RUN, _POINT = 12, 17
Known = NDArray[np.float64]


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
    runs = np.concatenate([[0], np.cumsum(is_start)])[curves.offsets]
    sizes = _HEADER.size + _RUN * np.diff(runs) + _POINT * np.diff(curves.offsets)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    buffer = np.zeros(starts[-1], np.uint8)
    level = np.zeros(len(curves), np.uint8) if levels is None else np.array(levels, np.uint8)
    single = (_bytes(flux, np.float32), _bytes(flux_err, np.float32), band, kind)
    _pack(curves.offsets, runs, is_start, level, (_bytes(mjd, np.float64), _bytes(known, np.float64)), single, starts,
          buffer)  # fmt: skip
    whole, bounds = buffer.tobytes(), starts.tolist()
    return [_with_checksum(whole[i:j]) for i, j in pairwise(bounds)]


def check(blob: bytes, what: str) -> None:
    """Raise StoreError, with `what` in it, if a blob is not one that `pack` made."""
    if len(blob) >= _HEADER.size:
        checksum, version, _, n_runs, n = _HEADER.unpack_from(blob)
        is_whole = version == VERSION and len(blob) == _HEADER.size + _RUN * n_runs + _POINT * n
        if is_whole and checksum == isal_zlib.crc32(memoryview(blob)[_CHECKSUM:]):
            return
    raise StoreError(f"the stored history of {what} is damaged: `redpoll store rebuild` makes it anew")


def level_of(blob: bytes) -> int:
    """The level of thinning of a blob."""
    return int(_HEADER.unpack_from(blob)[2])


def _has_several_packets(curves: LightCurves, known: Known) -> bool:
    first = known[curves.offsets[:-1][np.diff(curves.offsets) > 0]]
    return bool((known != np.repeat(first, np.diff(curves.offsets)[np.diff(curves.offsets) > 0])).any())


def _bytes(values: NDArray[Any], kind: type) -> NDArray[np.uint8]:
    return np.ascontiguousarray(values, kind).view(np.uint8)


def _with_checksum(blob: bytes) -> bytes:
    checksum: int = isal_zlib.crc32(memoryview(blob)[_CHECKSUM:])
    return checksum.to_bytes(4, "little") + blob[_CHECKSUM:]


def unpack(
    blobs: Sequence[bytes], rows: NDArray[np.int64], wanted: NDArray[np.int64], before: Known
) -> tuple[LightCurves, Known]:
    """Light curves of len(before) rows, not sorted, and when each point became known.

    Row ``rows[i]`` gets the points of blob ``wanted[i]`` that were measured and known before ``before[row]``; `rows` is
    sorted. The blobs are whole: see `check`.
    """
    lengths = np.array([len(blob) for blob in blobs], np.int64)
    starts = np.concatenate([[0], np.cumsum(lengths)])[:-1].astype(np.int64)
    buffer = np.frombuffer(b"".join(blobs), np.uint8)
    room = int(((lengths[wanted] - _HEADER.size) // _POINT).sum()) + 1
    mjd, known = np.empty(room), np.empty(room)
    flux, flux_err = np.empty(room, np.float32), np.empty(room, np.float32)
    band, kind = np.empty(room, np.int8), np.empty(room, np.int8)
    offsets = np.zeros(len(before) + 1, np.int64)
    out = (mjd.view(np.uint8), flux.view(np.uint8), flux_err.view(np.uint8), mjd, band, kind, known)
    n = _unpack(buffer, starts, rows, wanted, before, offsets, out)
    return LightCurves(np.cumsum(offsets), mjd[:n], band[:n], flux[:n], flux_err[:n], kind[:n]), known[:n]


@kernel
def _unpack(buffer: Any, starts: Any, rows: Any, wanted: Any, before: Any, counts: Any, out: Any) -> int:
    mjd_bytes, flux_bytes, flux_err_bytes, mjd, band, kind, known = out
    time = np.empty(1)
    at = 0
    for i in range(len(rows)):
        row, start = rows[i], starts[wanted[i]]
        n_runs = np.int64(buffer[start + 6]) | np.int64(buffer[start + 7]) << 8
        n = _u32(buffer, start + 8)
        run = start + 12
        first = run + 12 * n_runs
        done = 0
        for j in range(n_runs):
            _copy(buffer, run + 8 * j, time.view(np.uint8), 0, 8)
            length = min(_u32(buffer, run + 8 * n_runs + 4 * j), n - done)
            if time[0] < before[row]:
                _copy(buffer, first + 8 * done, mjd_bytes, 8 * at, 8 * length)
                _copy(buffer, first + 8 * n + 4 * done, flux_bytes, 4 * at, 4 * length)
                _copy(buffer, first + 12 * n + 4 * done, flux_err_bytes, 4 * at, 4 * length)
                code = first + 16 * n + done
                kept = at
                for k in range(length):
                    if mjd[at + k] < before[row]:
                        _move(mjd, at + k, kept)
                        _move4(flux_bytes, at + k, kept)
                        _move4(flux_err_bytes, at + k, kept)
                        band[kept] = np.int8(buffer[code + k] & 15) - 1
                        kind[kept] = np.int8(buffer[code + k] >> 4) - 1
                        known[kept] = time[0]
                        kept += 1
                counts[row + 1] += kept - at
                at = kept
            done += length
    return at


@kernel
def _pack(
    offsets: Any, runs: Any, is_start: Any, level: Any, doubles: Any, single: Any, starts: Any, buffer: Any
) -> None:
    mjd, known = doubles
    flux, flux_err, band, kind = single
    for i in range(len(offsets) - 1):
        first, stop, at = offsets[i], offsets[i + 1], starts[i]
        n, n_runs = stop - first, runs[i + 1] - runs[i]
        buffer[at + 4], buffer[at + 5] = VERSION, level[i]
        buffer[at + 6], buffer[at + 7] = n_runs & 255, n_runs >> 8
        _set_u32(buffer, at + 8, n)
        run, points = at + 12, at + 12 + 12 * n_runs
        _copy(mjd, 8 * first, buffer, points, 8 * n)
        _copy(flux, 4 * first, buffer, points + 8 * n, 4 * n)
        _copy(flux_err, 4 * first, buffer, points + 12 * n, 4 * n)
        begun, j = first, 0
        for k in range(first, stop):
            buffer[points + 16 * n + k - first] = (band[k] + 1) | (kind[k] + 1) << 4
            if is_start[k]:
                _copy(known, 8 * k, buffer, run + 8 * j, 8)
                begun = k
                j += 1
            if k + 1 == stop or is_start[k + 1]:
                _set_u32(buffer, run + 8 * n_runs + 4 * (j - 1), k + 1 - begun)


@part
def _set_u32(buffer: Any, at: int, value: int) -> None:
    for i in range(4):
        buffer[at + i] = value >> 8 * i & 255


@part
def _u32(buffer: Any, at: int) -> Any:
    return (
        np.int64(buffer[at])
        | np.int64(buffer[at + 1]) << 8
        | np.int64(buffer[at + 2]) << 16
        | np.int64(buffer[at + 3]) << 24
    )


@part
def _copy(source: Any, i: int, target: Any, j: int, n: int) -> None:
    for k in range(n):
        target[j + k] = source[i + k]


@part
def _move(values: Any, i: int, j: int) -> None:
    values[j] = values[i]


@part
def _move4(values: Any, i: int, j: int) -> None:
    if i != j:
        for k in range(4):
            values[4 * j + k] = values[4 * i + k]
