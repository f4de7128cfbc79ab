"""Science module: the rise and fall of a cooling blackbody, fitted in all bands at once."""

from __future__ import annotations

import numpy as np

from redpoll import Column, feature, science_module
from redpoll.curve_fitting import measured, rainbow_fit
from redpoll.light_curves import (
    DETECTION,
    FORCED,
    LightCurves,
    at_trigger,
    averaged,
    days_of_each,
    fitted_columns,
    negative_fraction,
    per_point,
)
from redpoll.typing import Arrays, Floats, Texts

OUTPUTS = {
    "shape_rise_time": feature(
        "d", "Time scale of the rise; null without a fit or at a limit of the search, as are the next."
    ),
    "shape_fall_time": feature("d", "Time scale of the decline."),
    "shape_phase": feature("d", "Time since the fitted bolometric peak."),
    "shape_temperature_early": feature("K", "Temperature before the peak."),
    "shape_temperature_late": feature("K", "Temperature after the peak."),
    "shape_colour_time": feature("d", "Time scale of the change of temperature."),
    "shape_snr": feature("", "Fitted bolometric peak in units of its error."),
    "shape_chi2": feature("", "Reduced chi2 of the fit; null with as many parameters as points."),
    "shape_points": Column("int32", doc="Points that were fitted; 0 without a fit.", indexed=False),
    "shape_days": feature("d", "Time from the first to the last of those points."),
    "shape_mjd": Column("float64", "d", "Time of the last of them [MJD TAI].", indexed=False),
}


@science_module(version="5", outputs=OUTPUTS, compile_group="curve_fitting")
def rainbow_shape(
    survey: Texts,
    mjd: Floats,
    age: Floats,
    light_curve: LightCurves,
    *,
    max_age: float = 400.0,
    max_days: float = 400.0,
    min_points: int = 12,
    max_points: int = 150,
    visit_days: float = 0.5,
    min_days: float = 15.0,
    max_negative_fraction: float = 0.3,
) -> Arrays:
    """Rise and fall (Bazin's function) of a cooling blackbody, fitted to detections and forced photometry.

    Fitted are objects known for `min_days` to `max_age` days: means of the points of a band within `visit_days`, the
    newest `max_points` of the last `max_days`, if there are at least `min_points`, of a light curve that is
    [stepwise](../../explanation/answer-cache.md): it grows by a tenth at a time. The model has eight parameters. A
    source that is below its template in more than `max_negative_fraction` of its five-sigma points is no transient,
    and is not fitted.

    References
    ----------
    Russeil et al. 2024, A&A 683, A251; Bazin et al. 2009, A&A 499, 653.
    """
    known = np.flatnonzero((age <= max_age) & (age >= min_days))
    stepwise = light_curve.stepwise.of_kind(DETECTION, FORCED).of_alerts(known)
    recent = stepwise.since(at_trigger(stepwise, stepwise.mjd) - max_days)
    chosen = averaged(recent, visit_days).newest(max_points)
    is_transient = negative_fraction(chosen, 5.0) <= max_negative_fraction
    some = np.flatnonzero(is_transient & (np.diff(chosen.offsets) >= min_points))
    curve, rows = chosen.of_alerts(some), known[some]
    fit = rainbow_fit(
        curve.mjd, curve.band, curve.flux, curve.flux_err, curve.offsets,
        bolometric="bazin", temperature="sigmoid", survey=per_point(survey[rows], curve.offsets), use_cache=True,
    )  # fmt: skip
    rise, fall = measured(fit.rise_time, fit.rise_time_err), measured(fit.fall_time, fit.fall_time_err)
    phase = mjd[rows] - (measured(fit.t0, fit.t0_err) + rise * fall / (rise + fall) * np.log(fall / rise))
    is_fitted = np.isfinite(fit.t0)
    days, last = np.where(is_fitted, [days_of_each(curve), at_trigger(curve, curve.mjd)], np.nan)
    return fitted_columns(
        OUTPUTS, rows, len(mjd), rise, fall, phase, measured(fit.temperature_start, fit.temperature_start_err),
        measured(fit.temperature_end, fit.temperature_end_err), measured(fit.colour_time, fit.colour_time_err),
        fit.amplitude / fit.amplitude_err, fit.reduced_chi2, np.where(is_fitted, fit.n_points, 0), days, last,
    )  # fmt: skip
