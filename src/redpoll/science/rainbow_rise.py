"""Science module: a rising blackbody fitted to the young light curve, in all bands at once."""

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
    "rainbow_rise_time": Column("float32", "d", "Time scale of the rise; null without a fit.", indexed=False),
    "rainbow_rise_phase": Column(
        "float32", "d", "Time since half of the fitted plateau; negative: not there yet.", indexed=False
    ),
    "rainbow_temperature": Column("float32", "K", "Temperature of the fitted blackbody.", indexed=False),
    "rainbow_rise_snr": Column(
        "float32", doc="Highest flux of the fitted points in units of its error.", indexed=False
    ),
    "rainbow_rise_chi2": Column(
        "float32", doc="Reduced chi2 of the fit; null with as many parameters as points.", indexed=False
    ),
    "rainbow_rise_points": Column("int32", doc="Points that were fitted; 0 without a fit.", indexed=False),
    "is_rising": Column(
        "bool", doc="The fit has not come to its plateau and some point is significant; false without a fit."
    ),
}


@science_module(version="1", outputs=OUTPUTS, compile_group="curve_fitting")
def rainbow_rise(
    survey: NDArray[Any],
    mjd: NDArray[np.float64],
    age: NDArray[np.float32],
    light_curve: LightCurves,
    *,
    max_age: float = 60.0,
    max_days: float = 60.0,
    min_points: int = 5,
    max_points: int = 100,
    min_snr: float = 3.0,
) -> dict[str, NDArray[np.generic]]:
    """Sigmoid rise of a blackbody of constant temperature, fitted to detections and forced photometry.

    Only objects known for at most `max_age` days are fitted, to the newest `max_points` of the last `max_days`, if
    there are at least `min_points` in two bands. One fit for all bands asks less of each: an object with two points in
    g and three in r has an answer, where a fit per band needs four in both. A rise is what the errors allow, not a
    series in which no point may be below the one before: that drops most real supernovae.

    References
    ----------
    Russeil et al. 2024, A&A 683, A251; Leoni et al. 2022, A&A 663, A13, for rising sigmoids as features.
    """
    n, chosen = len(mjd), light_curve.of_kind(DETECTION, FORCED).since(mjd - max_days).newest(max_points)
    rows = np.flatnonzero((age <= max_age) & (np.diff(chosen.offsets) >= min_points))
    curve = chosen.of_alerts(rows)
    fit = rainbow_fit(
        curve.mjd, curve.band, curve.flux, curve.flux_err, curve.offsets, survey=per_point(survey[rows], curve.offsets)
    )
    phase, snr = mjd[rows] - fit.t0, np.fmax.reduceat(curve.flux / curve.flux_err, curve.offsets[:-1])
    is_rising = (phase < 2 * fit.rise_time) & (snr >= min_snr)
    found = (fit.rise_time, phase, fit.temperature_start, snr, fit.reduced_chi2)
    columns = [scattered(values, rows, n) for values in found]
    n_points = np.where(np.isfinite(fit.t0), fit.n_points, 0)
    columns += [scattered(n_points, rows, n, 0), scattered(is_rising, rows, n, False)]
    return dict(zip(OUTPUTS, columns, strict=True))
