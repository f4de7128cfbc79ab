"""Cadence of ZTF's public survey: the northern sky in g and r every third night, since October 2020 every second.

Before that some fields were also observed every night for a month, in support of TESS (Bellm et al. 2019, PASP 131,
068003; van Roestel et al. 2019, RNAAS 3, 136). How often a due field is visited, how often in both bands, and the hours
between them were set to the nights of the histories of real packets and of the detections of SNe Ia (half 0 of
`benchmarks/realism.py`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from redpoll.simulate.exposures import (
    TAI_MINUS_UTC,
    Exposures,
    Fields,
    calendar,
    midnight_ra,
    one_at_a_time,
    separation_ra,
    sky_grid,
)
from redpoll.simulate.ztf_weather import clear_nights, conditions, haze

PAST_DAYS = 1500
"""Days of the simulated survey before the night, from which ndethist and jdstarthist count."""
FIRST_NIGHT = 58194
"""MJD of 2018-03-17, when the survey began."""
_G, _R, _I = 1, 2, 3
_TWO_NIGHTS = 59123  # MJD of 2020-10-01
_NIGHTLY_FROM, _NIGHTLY_DAYS, _NIGHTLY = 58660, 27, 0.35
_VISITED = 0.85
_BOTH_BANDS = {3: 0.6, 2: 0.75}
_AGAIN = 0.08
_MIDNIGHT, _DUSK, _DAWN = 0.33, 0.11, 0.50  # fractions of the UTC day
_HOURS, _HOURS_SCATTER = 1.1, 0.55
_HOUR = 1.0 / 24.0


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
    days = np.arange(-PAST_DAYS, nights) + night_mjd
    visited = _visits(rng, fields, days, clear_nights(rng, days))
    visited[:, days < min(FIRST_NIGHT, night_mjd)] = False
    visited[np.arange(len(fields.ra)), len(days) - 1 - rng.integers(nights, size=len(fields.ra))] = True
    lost = haze(rng, len(days), nights)
    field, night = np.nonzero(visited)
    field, day, fraction, band = _exposures(rng, fields, field, days[night], night >= PAST_DAYS)
    fraction = one_at_a_time(day, fraction, 40.0)
    limit, seeing, zero_point = conditions(rng, day + fraction, band, lost[day - days[0]])
    mjd = day + fraction + TAI_MINUS_UTC
    columns = {"field": field, "mjd": mjd, "band": band, "limiting_mag": limit, "seeing": seeing}
    return Exposures.sorted(len(fields.ra), zero_point=zero_point, night=calendar(day), **columns)


def period(days: NDArray[np.int64]) -> NDArray[np.int64]:
    """Nights after which a field is due again: 3 until September 2020, then 2.

    >>> period(np.array([58800, 60000])).tolist()
    [3, 2]
    """
    return np.where(days < _TWO_NIGHTS, 3, 2)


def _visits(
    rng: np.random.Generator, fields: Fields, days: NDArray[np.int64], clear: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Whether each field is visited on each night: when it is up and due, on most clear nights."""
    n = len(fields.ra)
    up = np.abs(separation_ra(fields.ra[:, None], midnight_ra(days.astype(float)))) < 80.0
    wanted = up & clear & (rng.random((n, len(days))) < _VISITED)
    due_after = np.where(_is_nightly(rng, n, days), 1, period(days))
    visited, last = np.zeros((n, len(days)), bool), -rng.integers(0, 3, n)
    for k in range(len(days)):
        now = wanted[:, k] & (k - last >= due_after[:, k])
        visited[now, k] = True
        last[now] = k
    return visited


def _is_nightly(rng: np.random.Generator, n: int, days: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which fields are observed every night: some, for four weeks each, from July 2019 to September 2020."""
    month = (days - days[0]) // _NIGHTLY_DAYS
    chosen = rng.random((n, int(month[-1]) + 1)) < _NIGHTLY
    return np.asarray(chosen[:, month] & (days >= _NIGHTLY_FROM) & (days < _TWO_NIGHTS))


def _exposures(
    rng: np.random.Generator,
    fields: Fields,
    field: NDArray[np.int64],
    day: NDArray[np.int64],
    tonight: NDArray[np.bool_],
) -> tuple[NDArray, ...]:
    """Field, day, fraction of the day and band of the exposures of each visit, near the field's transit."""
    n = len(day)
    transit = _MIDNIGHT + separation_ra(fields.ra[field], midnight_ra(day.astype(float))) / 361.0
    first = np.clip(transit + rng.normal(-0.02, 0.06, n), _DUSK, _DAWN - 0.05) + rng.uniform(0.0, 0.01, n)
    swap = rng.random(n) < 0.5
    second = first + _HOUR * np.exp(rng.normal(np.log(_HOURS), _HOURS_SCATTER, n)).clip(0.4, 5.0)
    both = rng.random(n) < np.where(tonight, 1.0, np.where(period(day) == 3, *_BOTH_BANDS.values()))
    has_i = rng.random(len(fields.ra)) < 0.4
    near_ir = has_i[field] & (rng.random(n) < 0.2)
    third = second + rng.uniform(0.002, 0.02, n)
    again = rng.random(n) < _AGAIN
    repeated = second + _HOUR * rng.uniform(0.4, 1.5, n)
    one, other = np.where(swap, _R, _G), np.where(swap, _G, _R)
    columns = (
        (field, field[both], field[near_ir], field[again]),
        (day, day[both], day[near_ir], day[again]),
        (first, second[both], third[near_ir], repeated[again]),
        (one, other[both], np.full(near_ir.sum(), _I), one[again]),
    )
    return tuple(np.concatenate(column) for column in columns)
