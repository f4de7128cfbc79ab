"""Science module: best period of the source, and whether it is significant."""

from __future__ import annotations

from typing import Any

import numpy as np

from redpoll import Column, feature, flag, science_module
from redpoll.conditions import is_solar_system
from redpoll.curve_fitting import measured
from redpoll.light_curves import (
    BANDS,
    DETECTION,
    FORCED,
    LightCurves,
    at_trigger,
    averaged,
    days_of_each,
    fitted_columns,
    owners,
)
from redpoll.photometry import flux_from_mag
from redpoll.statistics import Periods, multiband_periods, night_steps
from redpoll.typing import Arrays, Bools, Floats, Ints, Texts

OUTPUTS = {
    "period": Column("float32", "d", "Best period, significant or not; null without a search or at its limits."),
    "period_err": feature("d", "One-sigma error of period, if its peak is the right one."),
    "period_log10_fap": Column("float32", doc="Logarithm of the false-alarm probability.", aggregate="min"),
    "period_power": feature("", "Fraction of the variance that two harmonics explain, 0..1."),
    "period_margin": feature(
        "",
        "Logarithm of the likelihood ratio to the next best period and the daily alias; no probability. Null where "
        "only long periods were searched.",
    ),
    "period_amplitude": feature("mag", "Half of the range in the alert's band, with the reference source."),
    "period_cycles": feature("", "Time from the first to the last of the searched points, in periods."),
    "period_points": Column("int32", doc="Points that were searched; 0 without a search.", indexed=False),
    "period_mjd": Column("float64", "d", "Time of the last of them [MJD TAI].", indexed=False),
    "is_periodic": flag("The period is significant, and no other is nearly as good.", assigns="variable_star"),
}


@science_module(version="6", outputs=OUTPUTS, compile_group="statistics")
def periodic(
    band: Texts,
    roid: Texts,
    reference_mag: Floats,
    light_curve: LightCurves,
    *,
    min_points: int = 20,
    max_points: int = 200,
    days: float = 400.0,
    visit_days: float = 0.01,
    min_period: float = 0.1,
    max_log10_fap: float = -5.0,
    min_margin: float = 2.0,
    min_power: float = 0.7,
    min_cycles: float = 4.0,
    min_nights: int = 8,
    min_ratio: float = 0.75,
) -> Arrays:
    """Best period of the difference fluxes of the last `days`, all bands together, from `min_period` days on.

    Fluxes need no reference; detections and forced photometry of both signs are used, points of one band within
    `visit_days` averaged, the newest `max_points` of them, of a light curve that is
    [stepwise](../../explanation/answer-cache.md): it grows by a tenth at a time. Solar System objects are left out. Few
    visits fit many periods: a period is significant only if it is 10**`min_margin` times as likely as the next best one
    and as its daily alias, one count a visit, and after `min_cycles` cycles and `min_nights` nights with a detection.
    The margin is no probability: see [how often a period is right](../../explanation/rules.md). The false-alarm
    probability is that of white noise, and any slow rise and fall, such as a supernova's, looks like one cycle or two.

    A light curve that is smooth from night to night (von Neumann's ratio below `min_ratio`) is searched for periods
    longer than four such steps (two in each harmonic), and has no margin. If a period would be significant, all
    periods from `min_period` on are searched: only one that remains the best is.

    References
    ----------
    VanderPlas & Ivezic 2015, ApJ 812, 18; Baluev 2008, MNRAS 385, 1279; von Neumann 1941, Ann. Math. Stat. 12, 367.
    """
    searched = light_curve.stepwise.of_kind(DETECTION, FORCED)
    newest = averaged(searched.since(at_trigger(searched, searched.mjd) - days), visit_days).newest(max_points)
    rows = np.flatnonzero(~is_solar_system(roid) & (np.diff(newest.offsets) >= min_points))
    curve = newest.of_alerts(rows)
    length = days_of_each(curve)
    enough = _nights(curve.of_kind(DETECTION)) >= min_nights
    ratio, step = night_steps(curve.mjd, curve.band, curve.flux, curve.offsets, n_bands=len(BANDS))
    shortest = np.where(ratio < min_ratio, np.fmax(min_period, 4 * step), min_period)

    def is_significant(best: Periods) -> Bools:
        cycles = length / best.period
        is_seen = (cycles >= min_cycles) & ~_is_daily(best.period, cycles, min_cycles)
        return np.asarray(is_seen & (best.power >= min_power) & (best.log10_fap <= max_log10_fap) & enough)

    best = _search(curve, shortest)
    is_partial = shortest > min_period
    again = np.flatnonzero(is_significant(best) & is_partial)
    best, is_partial[again] = _replaced(best, again, _search(curve.of_alerts(again), min_period)), False
    margin = np.where(is_partial, np.nan, np.fmin(best.second_margin, best.alias_margin))
    is_periodic = is_significant(best) & (margin >= min_margin) & (best.period >= shortest)
    amplitude = _in_mag(_in_band(best, band[rows]), reference_mag[rows])
    n_points = np.where(best.n_frequencies > 0, np.diff(curve.offsets), 0)
    last = np.where(n_points > 0, at_trigger(curve, curve.mjd), np.nan)
    found = (measured(best.period, best.period_err), best.period_err, best.log10_fap, best.power, margin, amplitude,
             length / best.period, n_points, last, is_periodic)  # fmt: skip
    return fitted_columns(OUTPUTS, rows, len(band), *found)


def _search(curve: LightCurves, shortest: Floats | float) -> Periods:
    flux, err = curve.flux, curve.flux_err
    return multiband_periods(
        curve.mjd, flux, err, curve.band, curve.offsets, shortest=shortest, n_bands=len(BANDS), use_cache=True
    )


def _replaced(all_of_them: Periods, rows: Ints, some: Periods) -> Periods:
    """The periods with those of some rows in their place."""
    columns: list[Any] = [column.copy() for column in all_of_them]
    for column, values in zip(columns, some, strict=True):
        column[rows] = values
    return Periods(*columns)


def _nights(seen: LightCurves) -> Ints:
    """Number of nights with a point; two points half a day apart are of two nights."""
    row = owners(seen.offsets)
    begins = np.ones(len(row), bool)
    begins[1:] = (np.diff(row) != 0) | (np.diff(seen.mjd) >= 0.5)
    return np.bincount(row[begins], minlength=len(seen))


def _is_daily(period: Floats, cycles: Floats, min_cycles: float) -> Bools:
    """Whether the period may be the daily alias of a slow change that has fewer than `min_cycles` cycles."""
    frequency = 1 / period
    nearest = np.round(frequency)
    return np.asarray((nearest >= 1) & (np.abs(frequency - nearest) * cycles * period < min_cycles))


def _in_band(best: Periods, band: Texts) -> Floats:
    """Half range of the flux in one band of each light curve [nJy]; NaN for an unknown band."""
    code = np.array([BANDS.index(b) if b in BANDS else -1 for b in band], np.int64)
    return np.where(code >= 0, best.amplitude[np.arange(len(code)), code], np.nan)


def _in_mag(flux: Floats, reference_mag: Floats) -> Floats:
    """Half range [mag] of a source that varies by `flux` around its reference; NaN where it would reach zero."""
    fraction = flux / flux_from_mag(reference_mag)
    return 1.25 * np.log10((1 + fraction) / np.where(fraction < 1, 1 - fraction, np.nan))
