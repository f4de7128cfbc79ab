"""Exposures of a survey: field, time, band and depth."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
TAI_MINUS_UTC = 37.0 / 86400.0
"""TAI - UTC in days, since 2017."""


@dataclass(frozen=True)
class Fields:
    """Pointings on the sky: the survey's number and the centre [deg] of each."""

    number: NDArray[np.int64]
    ra: Array
    dec: Array


@dataclass(frozen=True)
class Exposures:
    """Exposures sorted by field, then time; those of field ``i`` are ``offsets[i]:offsets[i + 1]``.

    ``mjd`` TAI of the start (ztf) or middle (rubin), ``band`` index into u to y, ``limiting_mag`` five sigma, seeing
    as FWHM [arcsec], ``zero_point`` AB magnitude of one count per exposure, ``night`` YYYYMMDD.
    """

    field: NDArray[np.int64]
    mjd: Array
    band: NDArray[np.int64]
    limiting_mag: Array
    seeing: Array
    zero_point: Array
    night: NDArray[np.int64]
    offsets: NDArray[np.int64]

    @classmethod
    def sorted(cls, n_fields: int, **columns: NDArray) -> Exposures:
        """Exposures from columns in any order."""
        order = np.lexsort((columns["mjd"], columns["field"]))
        columns = {name: column[order] for name, column in columns.items()}
        counts = np.bincount(columns["field"], minlength=n_fields)
        return cls(offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), **columns)

    def __len__(self) -> int:
        return len(self.mjd)

    @property
    def columns(self) -> dict[str, NDArray]:
        """Every column by its name, without the offsets."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "offsets"}


def sky_grid(rows: Array, step: float) -> tuple[Array, Array]:
    """Right ascensions and declinations [deg] of a grid with rows at these declinations, `step` deg apart along each.

    >>> sky_grid(np.array([0.0]), 180.0)
    (array([  0., 180.]), array([0., 0.]))
    """
    grid = [(ra, dec) for dec in rows for ra in np.arange(0.0, 360.0, step / np.cos(np.radians(dec))) % 360.0]
    ra, dec = np.array(grid).T
    return ra, dec


def moonlight(mjd: Array) -> Array:
    """Illuminated fraction of the Moon, 0 to 1, from the mean lunation.

    >>> moonlight(np.array([51550.0])).round(1)  # new Moon of 2000 January 6
    array([0.])
    """
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * (mjd - 51549.76) / 29.530589))


def midnight_ra(mjd: Array) -> Array:
    """Right ascension opposite the Sun [deg], to a few degrees.

    >>> midnight_ra(np.array([60940.0])).round(0)  # 2025 September 22
    array([360.])
    """
    return np.asarray(np.mod((mjd - 60940.0) * 360.0 / 365.2422 - 1e-9, 360.0))


def separation_ra(ra: Array, other: Array) -> Array:
    """Difference of two right ascensions, -180 to 180 deg."""
    return np.asarray(np.mod(ra - other + 180.0, 360.0) - 180.0)


def one_at_a_time(day: NDArray[np.int64], fraction: Array, seconds: float) -> Array:
    """Fractions of the day, delayed so that exposures start at least `seconds` apart.

    >>> one_at_a_time(np.array([1, 1]), np.array([0.5, 0.5]), 86.4).tolist()
    [0.5, 0.501]
    """
    order = np.lexsort((fraction, day))
    shifted = fraction.copy()
    starts = np.flatnonzero(np.diff(day[order], prepend=day.min(initial=0) - 1))
    for night in np.split(order, starts[1:]):
        steps = np.arange(len(night)) * seconds / 86400.0
        shifted[night] = np.maximum.accumulate(fraction[night] - steps) + steps
    return shifted


def calendar(day: NDArray[np.int64]) -> NDArray[np.int64]:
    """Date YYYYMMDD of whole MJD days.

    >>> calendar(np.array([60939]))
    array([20250921])
    """
    date = np.datetime64("1858-11-17") + day.astype("timedelta64[D]")
    months = date.astype("datetime64[M]")
    year = months.astype("datetime64[Y]").astype(np.int64) + 1970
    month = months.astype(np.int64) % 12 + 1
    return np.asarray(year * 10000 + month * 100 + (date - months).astype(np.int64) + 1)
