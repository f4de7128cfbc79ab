"""Science module: microlensing candidates, by a fit of a point lens and a point source."""

from __future__ import annotations

import numpy as np

from redpoll import Column, feature, flag, science_module
from redpoll.conditions import is_empty_position, is_solar_system
from redpoll.curve_fitting import measured, paczynski_fit
from redpoll.light_curves import (
    DETECTION,
    FORCED,
    LightCurves,
    at_trigger,
    averaged,
    days_of_each,
    fitted_columns,
    negative_fraction,
)
from redpoll.typing import Arrays, Bools, Floats, Ints, Texts

OUTPUTS = {
    "mulens_einstein_time": feature(
        "d", "Einstein time of the fitted event; null without a fit or at a limit of the search."
    ),
    "mulens_impact": feature(
        "", "Minimum distance of lens and source in Einstein radii; null at a limit of the search."
    ),
    "mulens_phase": feature("d", "Time since the fitted peak; negative before it."),
    "mulens_delta_chi2": Column("float32", doc="chi2 of a constant minus chi2 of the event.", aggregate="max"),
    "mulens_chi2": feature("", "Reduced chi2 of the event."),
    "mulens_mjd": Column("float64", "d", "Time of the last of the fitted points [MJD TAI].", indexed=False),
    "is_microlensing_candidate": flag(
        "One symmetric achromatic event explains the light curve; false without a fit.", assigns="microlensing"
    ),
}


@science_module(version="7", outputs=OUTPUTS, compile_group="curve_fitting")
def microlensing(
    mjd: Floats,
    is_good: Bools,
    star_score: Floats,
    star_distance_arcsec: Floats,
    reference_mag: Floats,
    reference_distance_arcsec: Floats,
    roid: Texts,
    is_periodic: Bools,
    host_d_dlr: Floats,
    n_detections: Ints,
    light_curve: LightCurves,
    *,
    min_points: int = 12,
    max_points: int = 150,
    visit_days: float = 0.02,
    min_delta_chi2: float = 200.0,
    max_chi2: float = 2.5,
    max_impact: float = 1.0,
    min_einstein_time: float = 1.0,
    max_einstein_time: float = 500.0,
    min_star_score: float = 0.3,
    min_d_dlr: float = 3.0,
    max_star_arcsec: float = 2.0,
    max_phase: float = 2.0,
    min_days: float = 3.0,
    max_earlier: int = 20,
    max_negative_fraction: float = 0.3,
) -> Arrays:
    """Point lens and point source, fitted to the difference fluxes in all bands together, and a candidate by rule.

    The event is the same in all bands but for the flux of the source, so that a change of colour increases chi2. Fitted
    is what may be one event of a star: a catalogued source or one of the template within `max_star_arcsec`, not known
    to be a galaxy or to lie in one (`star_score`, `host_d_dlr`; unknown passes), neither periodic nor a Solar System
    object, with detections that span `min_days`, longer than any flare, and below its template in at most
    `max_negative_fraction` of its five-sigma points. The survey counts at most `max_earlier` detections, or twice as
    many as the light curve holds, that are not in the light curve: a variable star has hundreds. A candidate improves
    on a constant by `min_delta_chi2`, fits well, comes within `max_impact` Einstein radii and is within `max_phase`
    Einstein times of its peak. Cataclysmic variables can pass during their rise, when one event still explains all
    points. Fitted are the newest `max_points` means of points of one band within `visit_days`, of a light curve that is
    [stepwise](../../explanation/answer-cache.md): it grows by a tenth at a time.

    References
    ----------
    Paczynski 1986, ApJ 304, 1; Rodriguez et al. 2022, ApJ 927, 150, for events in ZTF; Godines et al. 2019, A&C 28.
    """
    is_elsewhere = (star_score < min_star_score) | (star_distance_arcsec > max_star_arcsec) | (host_d_dlr < min_d_dlr)
    is_elsewhere |= is_empty_position(star_distance_arcsec, reference_mag, reference_distance_arcsec, max_star_arcsec)
    is_star = ~is_elsewhere & ~is_solar_system(roid) & ~is_periodic
    is_single = _is_single_event(light_curve.of_kind(DETECTION), n_detections, min_days, max_earlier)
    stars = np.flatnonzero(is_star & is_single)
    curve = averaged(light_curve.stepwise.of_kind(DETECTION, FORCED).of_alerts(stars), visit_days).newest(max_points)
    is_above = negative_fraction(curve, 5.0) <= max_negative_fraction
    some = np.flatnonzero(is_above & (np.diff(curve.offsets) >= min_points))
    chosen, rows = curve.of_alerts(some), stars[some]
    fit = paczynski_fit(chosen.mjd, chosen.band, chosen.flux, chosen.flux_err, chosen.offsets, use_cache=True)
    phase = mjd[rows] - fit.t0
    is_event = (fit.delta_chi2 >= min_delta_chi2) & (fit.reduced_chi2 <= max_chi2) & (fit.impact <= max_impact)
    einstein_time = measured(fit.einstein_time, fit.einstein_time_err)
    is_event &= (einstein_time >= min_einstein_time) & (einstein_time <= max_einstein_time)
    is_event &= np.abs(phase) <= max_phase * fit.einstein_time
    is_event &= is_good[rows]
    last = np.where(np.isfinite(fit.t0), at_trigger(chosen, chosen.mjd), np.nan)
    found = (einstein_time, measured(fit.impact, fit.impact_err), phase, fit.delta_chi2, fit.reduced_chi2, last,
             is_event)  # fmt: skip
    return fitted_columns(OUTPUTS, rows, len(mjd), *found)


def _is_single_event(seen: LightCurves, n_detections: Ints, min_days: float, max_earlier: int) -> Bools:
    """Whether the detections last long enough, and the survey counts not many more than the light curve holds."""
    held = np.diff(seen.offsets)
    return np.asarray((days_of_each(seen) >= min_days) & ~(n_detections - held > np.maximum(max_earlier, 2 * held)))
