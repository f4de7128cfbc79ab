"""Cadence of Rubin: a wide survey in pairs of bands every few nights, and one deep field with many visits."""

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

PAST_DAYS = 400
"""Days of the simulated survey before the night."""
DEEP = 0
"""Position of the deep field among the fields."""
_DARK_LIMIT = np.array([23.3, 24.3, 23.9, 23.4, 22.8, 22.0])
_MOON_LOSS = np.array([0.9, 0.7, 0.4, 0.25, 0.15, 0.1])
_PAIRS = np.array([[0, 1], [1, 2], [2, 3], [3, 4], [4, 5]])
_DEEP_VISITS = 8


def n_fields(n_alerts: int) -> int:
    """Number of fields of a night with so many alerts."""
    return int(np.clip(n_alerts // 60, 8, 150))


def draw_fields(rng: np.random.Generator, n: int, night_mjd: float) -> Fields:
    """`n` fields of a grid 3 deg apart in the southern sky that are up at midnight; the first is the deep one."""
    ra, dec = sky_grid(np.arange(-66.0, 6.0, 3.0), 3.0)
    up = np.flatnonzero(np.abs(separation_ra(ra, midnight_ra(np.array(night_mjd)))) < 65.0)
    chosen = rng.choice(up, min(n, len(up)), replace=False)
    return Fields(number=chosen.astype(np.int64), ra=ra[chosen], dec=dec[chosen])


def draw_exposures(rng: np.random.Generator, fields: Fields, night_mjd: int, nights: int) -> Exposures:
    """Exposures of each field over the past and over the window of `nights` nights; every field is visited in it."""
    days = np.arange(-PAST_DAYS, nights)
    clear = rng.random(len(days)) < 0.8
    parts = [_field(rng, k, ra, days + night_mjd, clear, nights) for k, ra in enumerate(fields.ra)]
    field, day, fraction, band = (np.concatenate(column) for column in zip(*parts, strict=True))
    mjd = day + one_at_a_time(day, fraction, 36.0) + TAI_MINUS_UTC
    seeing = 1.0 * np.exp(rng.normal(0.0, 0.2, len(mjd)))
    limit = _DARK_LIMIT[band] - _MOON_LOSS[band] * moonlight(mjd) ** 2 - 1.25 * np.log10(seeing)
    limit += rng.normal(0.0, 0.1, len(mjd)) - rng.exponential(0.1, len(mjd))
    columns = {"field": field, "mjd": mjd, "band": band, "limiting_mag": limit, "seeing": seeing}
    return Exposures.sorted(len(fields.ra), zero_point=np.full(len(mjd), 31.4), night=calendar(day), **columns)


def _field(
    rng: np.random.Generator, k: int, ra: float, days: NDArray[np.int64], clear: NDArray[np.bool_], nights: int
) -> tuple[NDArray, ...]:
    """Field, day, fraction of the day and band of each exposure of one field; nights begin before midnight UTC."""
    up = np.abs(separation_ra(np.array(ra), midnight_ra(days.astype(float)))) < 80.0
    visited = up & clear & (rng.random(len(days)) < (0.4 if k == DEEP else 0.3))
    visited[len(days) - 1 - rng.integers(nights)] = True
    day = days[visited]
    repeats = _DEEP_VISITS if k == DEEP else 1
    pair = _PAIRS[rng.choice(5, len(day), p=[0.08, 0.27, 0.3, 0.2, 0.15])]
    first = 1.0 + rng.uniform(0.02, 0.34, len(day))
    steps = np.arange(repeats) * 40.0 / 86400.0
    start = np.concatenate([first[:, None] + steps, first[:, None] + 33.0 / 1440.0 + steps], axis=1)
    band = np.repeat(pair, repeats, axis=1)
    return np.full(start.size, k), np.repeat(day, 2 * repeats), start.ravel(), band.ravel()
