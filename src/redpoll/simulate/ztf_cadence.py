"""Cadence of ZTF's public survey: the northern sky in g and r, both in one night, every second clear night."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from redpoll.simulate.exposures import (
    TAI_MINUS_UTC,
    Exposures,
    Fields,
    calendar,
    midnight_ra,
    moonlight,
    one_at_a_time,
    separation_ra,
    sky_grid,
)

PAST_DAYS = 1500
"""Days of the simulated survey before the night, from which ndethist and jdstarthist count."""
_SEEING = 2.05  # median FWHM [arcsec], Bellm et al. 2019
_G, _R, _I = 1, 2, 3
_DARK_LIMIT = {_G: 20.75, _R: 20.6, _I: 20.0}
_MOON_LOSS = {_G: 1.1, _R: 0.6, _I: 0.3}
_ZERO_POINT = {_G: 26.3, _R: 26.2, _I: 25.7}


def n_fields(n_alerts: int) -> int:
    """Number of fields of a night with so many alerts."""
    return int(np.clip(n_alerts // 30, 6, 300))


def draw_fields(rng: np.random.Generator, n: int, night_mjd: float) -> Fields:
    """`n` fields of a grid 7.2 deg apart that are up at midnight; numbered in the order of the grid."""
    ra, dec = sky_grid(np.arange(-24.85, 85.0, 7.2), 7.2)
    up = np.flatnonzero(np.abs(separation_ra(ra, midnight_ra(np.array(night_mjd)))) < 70.0)
    chosen = np.sort(rng.choice(up, min(n, len(up)), replace=False))
    return Fields(number=chosen.astype(np.int64) + 200, ra=ra[chosen], dec=dec[chosen])


def draw_exposures(rng: np.random.Generator, fields: Fields, night_mjd: int, nights: int) -> Exposures:
    """Exposures of each field over the past and over the window of `nights` nights; every field is visited in it."""
    days = np.arange(-PAST_DAYS, nights)
    clear = rng.random(len(days)) < 0.78
    transparency = rng.exponential(0.12, len(days))
    parts = [_field(rng, k, ra, days + night_mjd, clear, nights) for k, ra in enumerate(fields.ra)]
    field, day, fraction, band = (np.concatenate(column) for column in zip(*parts, strict=True))
    fraction = one_at_a_time(day, fraction, 40.0)
    limit, seeing, zero_point = _conditions(rng, day + fraction, band, transparency[day - day.min()])
    mjd = day + fraction + TAI_MINUS_UTC
    columns = {"field": field, "mjd": mjd, "band": band, "limiting_mag": limit, "seeing": seeing}
    night = calendar(day)
    return Exposures.sorted(len(fields.ra), zero_point=zero_point, night=night, **columns)


def _field(
    rng: np.random.Generator, k: int, ra: float, days: NDArray[np.int64], clear: NDArray[np.bool_], nights: int
) -> tuple[NDArray, ...]:
    """Field, day, fraction of the day and band of each exposure of one field."""
    up = np.abs(separation_ra(np.array(ra), midnight_ra(days.astype(float)))) < 80.0
    turn = (np.arange(len(days)) + rng.integers(2)) % 2 == 0
    visited = up & clear & (turn ^ (rng.random(len(days)) < 0.15))
    visited[len(days) - 1 - rng.integers(nights)] = True
    day = days[visited]
    first = rng.uniform(0.13, 0.42, len(day))
    swap = rng.random(len(day)) < 0.5
    second = first + rng.uniform(0.02, 0.1, len(day))
    keep = rng.random(len(day)) < np.where(day >= days[-1] - nights + 1, 1.0, 0.9)
    near_ir = rng.random(len(day)) < (0.2 if rng.random() < 0.4 else 0.0)
    third = second + rng.uniform(0.002, 0.02, len(day))
    day_ = np.concatenate([day, day[keep], day[near_ir]])
    fraction = np.concatenate([first, second[keep], third[near_ir]])
    band = np.concatenate([np.where(swap, _R, _G), np.where(swap, _G, _R)[keep], np.full(near_ir.sum(), _I)])
    return np.full(len(day_), k), day_, fraction, band


def _conditions(
    rng: np.random.Generator, mjd: NDArray[np.float64], band: NDArray[np.int64], haze: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Limiting magnitude, seeing [arcsec] and zero point of each exposure."""
    seeing = _SEEING * np.exp(rng.normal(0.0, 0.2, len(mjd)))
    dark, loss, zero = (np.array([0.0, *table.values()])[band] for table in (_DARK_LIMIT, _MOON_LOSS, _ZERO_POINT))
    limit = (
        dark - loss * moonlight(mjd) ** 2 - haze - 1.25 * np.log10(seeing / _SEEING) + rng.normal(0.0, 0.12, len(mjd))
    )
    return limit, seeing, zero - haze
