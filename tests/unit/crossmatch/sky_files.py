"""Sky maps and regions as files, written by astropy."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from astropy.io import fits
from healpix_geo import ring

from redpoll.astro.sky import hpx29

FORMATS = {"i8": "K", "i4": "J", "f8": "D", "f4": "E"}


def table_bytes(columns: dict[str, Any], header: dict[str, Any] | None = None, *, in_row: int = 1) -> bytes:
    """A FITS file of one table, with so many values of each column in a row."""
    made = []
    for name, values in columns.items():
        values = np.asarray(values)
        code = FORMATS[values.dtype.str[1:]]
        shaped = values.reshape(-1, in_row) if in_row > 1 else values
        made.append(fits.Column(name, f"{in_row}{code}", array=shaped))
    unit = fits.BinTableHDU.from_columns(made)
    unit.header.update(header or {})
    out = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), unit]).writeto(out)
    return out.getvalue()


def with_card(data: bytes, key: str, value: str) -> bytes:
    """The file with another value on a card, as somebody might forge it; ``key`` may stand in any unit."""
    at = data.rindex(f"{key:8}= ".encode())
    return data[:at] + f"{key:8}= {value:>20}".ljust(80).encode() + data[at + 80 :]


def uniq(order: int, cells: Any) -> np.ndarray:
    return 4 * 4**order + np.asarray(cells, np.int64)


def multi_order(density: Any = None, *, header: dict[str, Any] | None = None, **columns: Any) -> bytes:
    """A multi-order map of the twelve base cells."""
    density = np.arange(1.0, 13.0) if density is None else np.asarray(density, np.float64)
    base = {"UNIQ": uniq(0, np.arange(12)), "PROBDENSITY": density}
    return table_bytes({**base, **columns}, {"ORDERING": "NUNIQ", "COORDSYS": "C", **(header or {})})


def flat(values: Any, *, ordering: str = "NESTED", in_row: int = 1, header: dict[str, Any] | None = None) -> bytes:
    """A flat map of nested values, in either order."""
    values = np.asarray(values)
    nside = round((len(values) / 12) ** 0.5)
    if ordering == "RING":
        nested = ring.to_nested(np.arange(len(values), dtype=np.uint64), nside.bit_length() - 1)
        values = values[nested]
    cards = {"ORDERING": ordering, "NSIDE": nside, **(header or {})}
    return table_bytes({"PROB": values}, cards, in_row=in_row)


def batch(ra: Any, dec: Any, **columns: Any) -> pa.RecordBatch:
    """Alerts at these positions, at MJD 60000."""
    ra, dec = np.asarray(ra, np.float64), np.asarray(dec, np.float64)
    place = {"mjd": np.full(len(ra), 60000.0), "ra": ra, "dec": dec, "hpx29": hpx29(ra, dec)}
    return pa.record_batch({**place, **columns})


def whole_sky(n: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Places all over the sky [deg]."""
    rng = np.random.default_rng(seed)
    return rng.uniform(0, 360, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n)))


def zipped_zeros(path: Path, megabytes: int) -> Path:
    """A gzip bomb: zeros after the start of a FITS file."""
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(b"SIMPLE  =")
        for _ in range(megabytes):
            file.write(bytes(1 << 20))
    return path
