"""Science module: the rise and fall of a cooling blackbody, fitted in all bands at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll import Column, science_module
from redpoll.astro.curve_fitting import rainbow_fit
from redpoll.astro.ragged import per_point, scattered
from redpoll.schema.bands import DETECTION, FORCED
from redpoll.schema.light_curve import LightCurves

OUTPUTS = {
    "shape_rise_time": Column("float32", "d", "Time scale of the rise; null without a fit.", indexed=False),
    "shape_fall_time": Column("float32", "d", "Time scale of the decline.", indexed=False),
    "shape_phase": Column("float32", "d", "Time since the fitted bolometric peak.", indexed=False),
    "shape_temperature_early": Column("float32", "K", "Temperature before the peak.", indexed=False),
    "shape_temperature_late": Column("float32", "K", "Temperature after it.", indexed=False),
    "shape_colour_time": Column("float32", "d", "Time scale of the change of temperature.", indexed=False),
    "shape_snr": Column("float32", doc="Fitted bolometric peak in units of its error.", indexed=False),
    "shape_chi2": Column(
        "float32", doc="Reduced chi2 of the fit; null with as many parameters as points.", indexed=False
    ),
    "shape_points": Column("int32", doc="Points that were fitted; 0 without a fit.", indexed=False),
    "shape_days": Column("float32", "d", "Time from the first of those points to the last.", indexed=False),
}


@science_module(version="1", outputs=OUTPUTS, compile_group="curve_fitting")
def rainbow_shape(
    survey: NDArray[Any],
    mjd: NDArray[np.float64],
    age: NDArray[np.float32],
    light_curve: LightCurves,
    *,
    max_age: float = 400.0,
    max_days: float = 400.0,
    min_points: int = 12,
    max_points: int = 150,
    min_days: float = 15.0,
) -> dict[str, NDArray[np.generic]]:
    """Rise and fall (Bazin's form) of a blackbody that cools, fitted to detections and forced photometry.

    Only objects known for `min_days` to `max_age` days are fitted, to the newest `max_points` of the last `max_days`,
    if there are at least `min_points` in two bands: the model has eight parameters.

    References
    ----------
    Russeil et al. 2024, A&A 683, A251; Bazin et al. 2009, A&A 499, 653.
    """
    n, chosen = len(mjd), light_curve.of_kind(DETECTION, FORCED).since(mjd - max_days).newest(max_points)
    rows = np.flatnonzero((age <= max_age) & (age >= min_days) & (np.diff(chosen.offsets) >= min_points))
    curve = chosen.of_alerts(rows)
    fit = rainbow_fit(
        curve.mjd, curve.band, curve.flux, curve.flux_err, curve.offsets,
        bolometric="bazin", temperature="sigmoid", survey=per_point(survey[rows], curve.offsets),
    )  # fmt: skip
    peak = fit.t0 + fit.rise_time * fit.fall_time / (fit.rise_time + fit.fall_time) * np.log(
        fit.fall_time / fit.rise_time
    )
    days = np.where(np.isfinite(fit.t0), curve.mjd[curve.offsets[1:] - 1] - curve.mjd[curve.offsets[:-1]], np.nan)
    found = (
        fit.rise_time, fit.fall_time, mjd[rows] - peak, fit.temperature_start, fit.temperature_end, fit.colour_time,
        fit.amplitude / fit.amplitude_err, fit.reduced_chi2,
    )  # fmt: skip
    columns = [scattered(values, rows, n) for values in found]
    n_points = np.where(np.isfinite(fit.t0), fit.n_points, 0)
    columns += [scattered(n_points, rows, n, 0), scattered(days, rows, n)]
    return dict(zip(OUTPUTS, columns, strict=True))
