"""Science module: orphan afterglow candidates, by their fading in several bands.

An orphan afterglow is the fading light after a gamma-ray burst whose gamma rays were not detected.
"""

from __future__ import annotations

import numpy as np

from redpoll import feature, flag, science_module
from redpoll.conditions import is_empty_position, is_solar_system
from redpoll.curve_fitting import LineSums, line_sums
from redpoll.light_curves import (
    BANDS,
    LightCurves,
    fitted_columns,
    highest_of_each,
    is_non_detection,
    is_positive_detection,
    last_of_each,
    lowest_of_each,
    owners,
    taken,
)
from redpoll.statistics import BandSeries
from redpoll.typing import Arrays, Bools, Floats, Ints, Texts

_STARTS = 24
OUTPUTS = {
    "afterglow_decay": feature("", "Index of the power law t^-decay of all bands; null if not fitted."),
    "afterglow_decay_err": feature("", "One-sigma error of the index at a fixed time of the burst."),
    "afterglow_chi2": feature("", "Reduced chi2 of the power law."),
    "afterglow_fade": feature("mag/d", "Slope of a straight line in magnitudes, common to all bands."),
    "afterglow_chromatic": feature("", "Improvement by one slope for each band over a common slope, in sigma."),
    "is_orphan_afterglow": flag("Fades as an afterglow at an empty position.", assigns="orphan_afterglow"),
}


@science_module(version="2", outputs=OUTPUTS, compile_group="statistics")
def orphan_afterglow(
    light_curve: LightCurves,
    is_good: Bools,
    roid: Texts,
    age: Floats,
    reference_mag: Floats,
    reference_distance_arcsec: Floats,
    star_score: Floats,
    star_distance_arcsec: Floats,
    *,
    min_points: int = 5,
    min_bands: int = 2,
    max_age: float = 30.0,
    min_decay: float = 0.6,
    max_decay: float = 4.0,
    min_fade: float = 0.15,
    max_chi2: float = 4.0,
    max_chromatic: float = 3.0,
    max_start_days: float = 5.0,
    min_host_arcsec: float = 1.5,
) -> Arrays:
    """Power law and straight line through the detections since the brightest, with one slope for all bands.

    Fitted are sources at most `max_age` days old with `min_points` detections in `min_bands` bands. The time of the
    burst is the best of 24 between the last upper limit before the first detection, or `max_start_days` before it, and
    the first detection. A candidate fades from its first detection on, equally fast in all bands, with an index from
    `min_decay` to `max_decay`. No star, galaxy or source of the template lies within `min_host_arcsec`.

    References
    ----------
    Sari, Piran & Halpern 1999, ApJ 519, L17 (indices and breaks); Ho et al. 2020, ApJ 905, 98 (cuts on ZTF alerts);
    Masson & Bregeon 2024, A&A 691, A347 (features for Fink, of an exponential with a line instead).
    """
    young = np.flatnonzero(age <= max_age)
    rows, numbers = _fits(light_curve.of_alerts(young), min_points, min_bands, max_start_days)
    found = fitted_columns(list(OUTPUTS)[:5], young[rows], len(light_curve), *numbers)
    decay, fade = found["afterglow_decay"], found["afterglow_fade"]
    is_empty = is_empty_position(star_distance_arcsec, reference_mag, reference_distance_arcsec, min_host_arcsec)
    is_like = (decay >= min_decay) & (decay <= max_decay) & (fade >= min_fade)
    is_like &= (found["afterglow_chi2"] <= max_chi2) & ~(found["afterglow_chromatic"] > max_chromatic)
    return found | {"is_orphan_afterglow": is_good & ~is_solar_system(roid) & is_empty & is_like}


def _fits(
    curve: LightCurves, min_points: int, min_bands: int, max_start_days: float
) -> tuple[Ints, tuple[Floats, ...]]:
    """Which light curves have enough points, and their fitted numbers."""
    series, starts = _fading_points(curve, max_start_days)
    n, n_bands = series.counts.sum(axis=1), (series.counts > 0).sum(axis=1)
    rows = np.flatnonzero((n >= min_points) & (n_bands >= min_bands) & (n > n_bands + 1))
    series = series.of_alerts(rows)
    straight = line_sums(series.mjd, series.mag, series.mag_err, series.offsets).together(len(BANDS))
    bands = _best_power_law(series, *starts[:, rows])
    power = bands.together(len(BANDS))
    chi2, chromatic = power.chi2 / power.degrees_of_freedom, _chromatic(bands, power)
    return rows, (power.slope / 2.5, power.slope_err / 2.5, chi2, straight.slope, chromatic)


def _fading_points(curve: LightCurves, max_start_days: float) -> tuple[BandSeries, Floats]:
    """Positive detections from the brightest on; earliest and latest time of the burst [MJD]."""
    row = owners(curve.offsets)
    keep = is_positive_detection(curve) & (curve.flux_err > 0)
    first = lowest_of_each(curve, curve.mjd, keep)
    is_before = is_non_detection(curve, 5.0) & ~(curve.mjd >= first[row])
    limit = taken(curve.mjd, last_of_each(curve.offsets, is_before))
    is_peak = keep & (curve.flux == highest_of_each(curve, curve.flux, keep)[row])
    peak = lowest_of_each(curve, curve.mjd, is_peak)
    series = BandSeries.of(curve, keep & (curve.mjd >= peak[row]))
    return series, np.stack([np.fmax(limit, first - max_start_days), first])


def _best_power_law(series: BandSeries, earliest: Floats, first: Floats) -> LineSums:
    """Lines in magnitude against log10 of the time since the best start for all bands together, one line a band."""
    who = owners(series.offsets) // len(BANDS)
    fraction = 1.0 - np.geomspace(1.0, 1e-3, _STARTS)[:, None]
    since = series.mjd - (earliest + fraction * (first - earliest))[:, who]
    mag, mag_err = (np.tile(values, _STARTS) for values in (series.mag, series.mag_err))
    ends = np.arange(_STARTS)[:, None] * len(who) + series.offsets[1:]
    lines = line_sums(np.log10(np.maximum(since, 1e-6)).ravel(), mag, mag_err, np.append(0, ends))
    chi2 = lines.together(len(BANDS)).chi2.reshape(_STARTS, len(first))
    best = np.where(np.isnan(chi2), np.inf, chi2).argmin(axis=0)
    n = len(BANDS) * len(first)
    return lines.of_series(np.repeat(best, len(BANDS)) * n + np.arange(n))


def _chromatic(lines: LineSums, common: LineSums) -> Floats:
    """Improvement of chi2 by a slope for each band, minus the number of extra slopes, over its standard deviation."""
    is_fitted = lines.xx > 0
    chi2 = np.where(is_fitted, lines.chi2, 0.0).reshape(-1, len(BANDS)).sum(axis=1)
    extra = is_fitted.reshape(-1, len(BANDS)).sum(axis=1) - 1
    return np.asarray((common.chi2 - chi2 - extra) / np.sqrt(2.0 * np.where(extra > 0, extra, np.nan)))
