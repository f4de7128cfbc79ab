"""Readers of sky maps: flat or multi-order FITS, gzipped or not, or a JSON notice that contains one.

References
----------
Singer & Price 2016, PRD 93, 024013 (flat maps); Martinez-Castellanos et al. 2022, AJ 163, 259 (multi-order maps).
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from redpoll.astro.time import MJD_ZERO, is_night, tai_mjd_from_utc_jd
from redpoll.crossmatch.bounded_file import BoundedReader, open_bounded, reader_of
from redpoll.crossmatch.cells import from_uniq
from redpoll.crossmatch.errors import SkyFileError
from redpoll.crossmatch.fits_table import BinaryTable, open_fits_table
from redpoll.crossmatch.moc import FRAMES
from redpoll.crossmatch.sky_maps.flat import MAX_CELLS, Piece, order_of_nside, read_flat
from redpoll.crossmatch.sky_maps.sky_map import Distances, SkyMap, check_density, make_sky_map

MAX_BYTES = 2 << 30
"""Maximum bytes of a map, uncompressed; it is read in pieces."""
MAX_NOTICE = 64 << 20
"""Maximum size of a notice."""
_DENSITY = ("PROBDENSITY", "PROB", "PROBABILITY")
_DISTANCE = ("DISTMU", "DISTSIGMA")
_PIXEL = ("PIXEL", "INDEX", "IPIX")
_ROWS = 1 << 18
_UNIX_MJD = 40_587.0


def read_sky_map(path: Path) -> SkyMap:
    """The sky map in a file, normalised.

    Flat maps have PROB, PROBABILITY or PROBDENSITY in NESTED or RING order, whole or with a column PIXEL;
    multi-order maps have UNIQ in addition; DISTMU and DISTSIGMA are optional. A JSON notice of LIGO, Virgo and KAGRA
    has such a file in ``event.skymap``.

    Raises
    ------
    SkyFileError
        If it is none of these, damaged, too large or invalid; the message names the reason.
    """
    with open_bounded(path, MAX_BYTES) as reader:
        return _read(reader)


def parse_sky_map(data: bytes, where: str) -> SkyMap:
    """The sky map in bytes, such as an upload, named `where` in errors; see `read_sky_map`."""
    return _read(reader_of(data, where, MAX_BYTES))


def _read(reader: BoundedReader) -> SkyMap:
    try:
        if reader.head(1) in (b"{", b" ", b"\n", b"\r"):
            name, reader = _from_notice(reader)
            return _from_table(open_fits_table(reader), name)
        return _from_table(open_fits_table(reader), None)
    except (ValueError, OverflowError) as error:
        raise SkyFileError(f"{reader.where}: {error}; correct the map or fetch it again") from error


def _from_notice(reader: BoundedReader) -> tuple[str | None, BoundedReader]:
    """Name of the event and the FITS file within a notice."""
    data = reader.read(MAX_NOTICE + 1)
    if len(data) > MAX_NOTICE:
        raise ValueError(f"a notice of more than {MAX_NOTICE >> 20} MB")
    try:
        notice = json.loads(data)
    except RecursionError as error:
        raise ValueError("JSON nested too deeply") from error
    event = notice.get("event") if isinstance(notice, dict) else None
    text = event.get("skymap") if isinstance(event, dict) else None
    if not isinstance(text, str):
        raise ValueError("the notice holds no sky map (event.skymap); a retraction has none")
    name = notice.get("superevent_id")
    try:
        inner = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"event.skymap is not base64: {error}") from error
    return name if isinstance(name, str) else None, reader_of(inner, f"{reader.where}: event.skymap", MAX_BYTES)


def _from_table(table: BinaryTable, event: str | None) -> SkyMap:
    if (frame := table.text("COORDSYS")) not in FRAMES:
        raise ValueError(f"COORDSYS is {frame[:20]!r}; only ICRS (C) is read: convert the map")
    density = next((name for name in _DENSITY if name in table.names), None)
    if density is None:
        raise ValueError(f"it has no column {', '.join(_DENSITY)}; it has {', '.join(table.names)[:200]}")
    names = [density, *(_DISTANCE if set(_DISTANCE) <= set(table.names) else ())]
    starts, orders, columns = _cells(table, names)
    scale = 4.0 ** orders.astype(np.float64) if "UNIQ" in table.names and density != "PROBDENSITY" else 1.0
    mjd = _mjd(table)
    event = event or str(table.header.get("OBJECT", "")).strip() or None
    return make_sky_map(
        starts, orders, columns[0] * scale, distances=_distances(columns[1:]), event=event, mjd=mjd
    )  # fmt: skip


def _cells(table: BinaryTable, names: Sequence[str]) -> Piece:
    pixel = next((name for name in _PIXEL if name in table.names), None)
    if "UNIQ" in table.names:
        starts, orders, columns = _listed(table, "UNIQ", names, 0)
    elif pixel is not None:
        starts, orders, columns = _listed(table, pixel, names, 4 * 4 ** order_of_nside(table.count("NSIDE")))
    else:
        starts, orders, columns = read_flat(table, names)
    check_density(columns[0])
    return starts, orders, columns


def _listed(table: BinaryTable, cell: str, names: Sequence[str], first: int) -> Piece:
    """Cells listed in the table: NUNIQ numbers, or pixels of one order whose first has the NUNIQ number `first`."""
    if table.n_rows > MAX_CELLS:
        raise ValueError(f"the map has {table.n_rows:,} cells; at most {MAX_CELLS:,} are read")
    if any(table.repeat(name) != 1 for name in [cell, *names]):
        raise ValueError(f"its columns have more than one value beside one {cell}")
    chunks = list(table.chunks([cell, *names], _ROWS))
    if not chunks:
        raise ValueError("the map has no cells")
    numbers, *columns = (np.concatenate(parts) for parts in zip(*chunks, strict=True))
    if numbers.dtype.kind != "i":
        raise ValueError(f"column {cell} does not hold integers")
    uniq = _as_uniq(numbers, first, table.text("ORDERING")) if first else numbers
    starts, orders = from_uniq(uniq)
    return starts, orders, columns


def _as_uniq(pixels: Any, first: int, ordering: str) -> Any:
    if ((pixels < 0) | (pixels >= 3 * first)).any():
        raise ValueError(f"a pixel lies outside of 0 to {3 * first - 1:,}")
    if ordering == "RING":
        from healpix_geo import ring

        order = (first.bit_length() - 3) // 2
        pixels = ring.to_nested(pixels.astype(np.uint64), order, num_threads=1).astype(np.int64)
    elif ordering != "NESTED":
        raise ValueError(f"ORDERING is {ordering[:20]!r}; NESTED or RING is needed")
    return pixels + first


def _distances(columns: Sequence[Any]) -> Distances | None:
    if not columns:
        return None
    return Distances(*(np.asarray(column, np.float32) for column in columns))


def _mjd(table: BinaryTable) -> float | None:
    """Time of the event [MJD TAI] by MJD-OBS, else DATE-OBS, both UTC; None if it has neither."""
    utc = table.header.get("MJD-OBS")
    if utc is None:
        date = str(table.header.get("DATE-OBS", "")).strip()
        if not date:
            return None
        utc = _utc_mjd(date)
    if isinstance(utc, bool) or not isinstance(utc, int | float) or not is_night(utc):
        raise ValueError(f"MJD-OBS is {str(utc)[:30]!r}; a modified Julian date is needed")
    return float(tai_mjd_from_utc_jd(float(utc) + MJD_ZERO))


def _utc_mjd(date: str) -> float:
    try:
        moment = datetime.fromisoformat(date)
    except ValueError as error:
        raise ValueError(f"DATE-OBS is {date[:30]!r}; a date such as 2019-08-14T21:10:39 is needed") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp() / 86_400 + _UNIX_MJD
