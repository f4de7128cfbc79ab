"""Science module: a rising blackbody fitted to the young light curve, in all bands at once."""

from __future__ import annotations

import numpy as np

from redpoll import Column, feature, science_module
from redpoll.curve_fitting import measured, rainbow_fit
from redpoll.light_curves import DETECTION, FORCED, LightCurves, fitted_columns, negative_fraction, per_point
from redpoll.typing import Arrays, Floats, Texts

OUTPUTS = {
    "rainbow_rise_time": feature(
        "d", "Time scale of the rise; null without a fit, or if too short or long to measure."
    ),
    "rainbow_rise_phase": feature("d", "Time since half of the fitted plateau, negative before; null if not measured."),
    "rainbow_temperature": feature(
        "K", "Temperature of the fitted blackbody; null at the limits of 100 K and 1,000,000 K."
    ),
    "rainbow_rise_snr": feature("", "Maximum signal to noise of the fitted points."),
    "rainbow_rise_chi2": feature("", "Reduced chi2 of the fit; null with as many parameters as points."),
    "rainbow_rise_points": Column("int32", doc="Points that were fitted; 0 without a fit.", indexed=False),
    "is_rising": Column("bool", doc="Before the fitted plateau, with a significant point; false without a fit."),
}


@science_module(version="3", outputs=OUTPUTS, compile_group="curve_fitting")
def rainbow_rise(
    survey: Texts,
    mjd: Floats,
    age: Floats,
    light_curve: LightCurves,
    *,
    max_age: float = 60.0,
    max_days: float = 60.0,
    min_points: int = 5,
    max_points: int = 100,
    min_snr: float = 3.0,
    max_negative_fraction: float = 0.3,
) -> Arrays:
    """Sigmoid rise of a blackbody of constant temperature, fitted to detections and forced photometry.

    Fitted are objects known for at most `max_age` days: the newest `max_points` of the last `max_days`, if there are at
    least `min_points` in two bands. A common fit needs fewer points in each band: an object with two points in g and
    three in r is fitted, where a fit per band needs four in both. A source is rising if its errors allow it; no
    monotonic series is required, which would exclude most real supernovae. A source that is below its template in more
    than `max_negative_fraction` of its five-sigma points is no transient, and is not fitted.

    References
    ----------
    Russeil et al. 2024, A&A 683, A251; Leoni et al. 2022, A&A 663, A13, for rising sigmoids as features.
    """
    young = np.flatnonzero(age <= max_age)
    recent = light_curve.of_kind(DETECTION, FORCED).of_alerts(young).since(mjd[young] - max_days)
    chosen = recent.newest(max_points)
    is_transient = negative_fraction(chosen, 5.0) <= max_negative_fraction
    some = np.flatnonzero(is_transient & (np.diff(chosen.offsets) >= min_points))
    curve, rows = chosen.of_alerts(some), young[some]
    fit = rainbow_fit(
        curve.mjd, curve.band, curve.flux, curve.flux_err, curve.offsets, survey=per_point(survey[rows], curve.offsets)
    )
    phase, snr = mjd[rows] - fit.t0, np.fmax.reduceat(curve.flux / curve.flux_err, curve.offsets[:-1])
    is_rising = (phase < 2 * fit.rise_time) & (snr >= min_snr)
    n_points = np.where(np.isfinite(fit.t0), fit.n_points, 0)
    rise_time, temperature = (
        measured(fit.rise_time, fit.rise_time_err),
        measured(fit.temperature_start, fit.temperature_start_err),
    )
    found = (rise_time, measured(phase, fit.t0_err), temperature, snr, fit.reduced_chi2, n_points, is_rising)
    return fitted_columns(OUTPUTS, rows, len(mjd), *found)
