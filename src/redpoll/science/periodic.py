"""Science module: best period of the source, and whether it is significant."""

from __future__ import annotations

import numpy as np

from redpoll import Column, feature, flag, science_module
from redpoll.conditions import is_solar_system
from redpoll.light_curves import (
    BANDS,
    DETECTION,
    FORCED,
    LightCurves,
    at_trigger,
    fitted_columns,
    lowest_of_each,
    owners,
)
from redpoll.photometry import flux_from_mag
from redpoll.statistics import Periods, multiband_periods, night_steps
from redpoll.typing import Arrays, Bools, Floats, Ints, Texts

OUTPUTS = {
    "period": Column("float32", "d", "Best period, significant or not; null without a search."),
    "period_err": feature("d", "One-sigma error of period, if its peak is the right one."),
    "period_log10_fap": Column("float32", doc="Logarithm of the false-alarm probability.", aggregate="min"),
    "period_power": feature("", "Fraction of the variance that the period explains, 0..1."),
    "period_log10_odds": feature("", "Logarithm of the odds against the next best period and the daily aliases."),
    "period_amplitude": feature("mag", "Half of the range in the alert's band, with the reference source."),
    "period_cycles": feature("", "Time from the first to the last of the searched points, in periods."),
    "period_points": Column("int32", doc="Points that were searched; 0 without a search.", indexed=False),
    "is_periodic": flag("The period is significant, and no other is nearly as good.", assigns="variable_star"),
}


@science_module(version="3", outputs=OUTPUTS, compile_group="statistics")
def periodic(
    mjd: Floats,
    band: Texts,
    roid: Texts,
    reference_mag: Floats,
    light_curve: LightCurves,
    *,
    min_points: int = 20,
    max_points: int = 200,
    days: float = 400.0,
    min_period: float = 0.1,
    max_log10_fap: float = -5.0,
    min_log10_odds: float = 3.0,
    min_power: float = 0.5,
    min_cycles: float = 4.0,
    min_nights: int = 8,
    min_ratio: float = 0.75,
    sure_power: float = 0.9,
) -> Arrays:
    """Best period of the difference fluxes of the last `days`, all bands together, from `min_period` days on.

    Fluxes need no reference; detections and forced photometry of both signs are used, the newest `max_points` of them.
    Solar System objects are left out. Few points fit many periods: a period is significant only if it is
    `min_log10_odds` more likely than the next best one and than its daily aliases, and after `min_cycles` cycles and
    `min_nights` nights with a detection. The false-alarm probability is that of white noise, and any slow rise and
    fall, such as a supernova's, looks like one cycle or two. A light curve that is smooth from night to night (von
    Neumann's ratio below `min_ratio`) has no significant period shorter than two such steps, unless the period explains
    `sure_power` of the variance: a slow change, sparsely sampled, fits many short periods.

    References
    ----------
    VanderPlas & Ivezic 2015, ApJ 812, 18; Baluev 2008, MNRAS 385, 1279.
    """
    newest = light_curve.of_kind(DETECTION, FORCED).since(mjd - days).newest(max_points)
    rows = np.flatnonzero(~is_solar_system(roid) & (np.diff(newest.offsets) >= min_points))
    curve = newest.of_alerts(rows)
    best = multiband_periods(
        curve.mjd, curve.flux, curve.flux_err, curve.band, curve.offsets, shortest=min_period, n_bands=len(BANDS)
    )
    cycles = (at_trigger(curve, curve.mjd) - lowest_of_each(curve, curve.mjd, curve.kind >= 0)) / best.period
    odds = np.fmin(best.second_log10_odds, best.alias_log10_odds)
    is_periodic = (
        (cycles >= min_cycles)
        & (best.log10_fap <= max_log10_fap)
        & (odds >= min_log10_odds)
        & (best.power >= min_power)
        & (_nights(curve.of_kind(DETECTION)) >= min_nights)
        & ~_is_daily(best.period, cycles, min_cycles)
        & ~(_is_too_short(curve, best.period, min_ratio) & (best.power < sure_power))
    )
    amplitude = _in_mag(_in_band(best, band[rows]), reference_mag[rows])
    n_points = np.where(best.n_frequencies > 0, np.diff(curve.offsets), 0)
    found = (best.period, best.period_err, best.log10_fap, best.power, odds, amplitude, cycles, n_points, is_periodic)
    return fitted_columns(OUTPUTS, rows, len(mjd), *found)


def _nights(seen: LightCurves) -> Ints:
    """Number of nights with a point; two points half a day apart are of two nights."""
    row = owners(seen.offsets)
    begins = np.ones(len(row), bool)
    begins[1:] = (np.diff(row) != 0) | (np.diff(seen.mjd) >= 0.5)
    return np.bincount(row[begins], minlength=len(seen))


def _is_too_short(curve: LightCurves, period: Floats, min_ratio: float) -> Bools:
    """Whether the light curve is smooth from night to night and the period shorter than two of these steps."""
    ratio, step = night_steps(curve.mjd, curve.band, curve.flux, curve.offsets, n_bands=len(BANDS))
    return np.asarray((ratio < min_ratio) & (period < 2 * step))


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
