"""Science module: whether a star brightens as one that passes behind a lens."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll import Column, science_module
from redpoll.astro.curve_fitting import paczynski_fit
from redpoll.astro.ragged import scattered, taken
from redpoll.schema.bands import DETECTION, FORCED
from redpoll.schema.light_curve import LightCurves

OUTPUTS = {
    "mulens_einstein_time": Column(
        "float32", "d", "Einstein time of the fitted event; null without a fit.", indexed=False
    ),
    "mulens_impact": Column("float32", doc="Least distance in Einstein radii.", indexed=False),
    "mulens_phase": Column("float32", "d", "Time since the fitted peak; negative: it is to come.", indexed=False),
    "mulens_delta_chi2": Column("float32", doc="chi2 of a constant less that of the event.", aggregate="max"),
    "mulens_chi2": Column("float32", doc="Reduced chi2 of the event.", indexed=False),
    "is_microlensing_candidate": Column(
        "bool",
        doc="One symmetric achromatic event explains the light curve; false without a fit.",
        assigns="microlensing",
        indexed=False,
    ),
}


@science_module(version="2", outputs=OUTPUTS, compile_group="curve_fitting")
def microlensing(
    mjd: NDArray[np.float64],
    is_good: NDArray[np.bool_],
    star_score: NDArray[np.float32],
    star_distance_arcsec: NDArray[np.float32],
    roid: NDArray[np.int8],
    is_periodic: NDArray[np.bool_],
    host_d_dlr: NDArray[np.float32],
    n_detections: NDArray[Any],
    light_curve: LightCurves,
    *,
    min_points: int = 12,
    max_points: int = 150,
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
) -> dict[str, NDArray[np.generic]]:
    """Point lens and point source, fitted to the difference fluxes in all bands together, and a candidate by rule.

    The event is the same in all bands but for the flux of the source, so that a change of colour costs chi2. A
    candidate improves on a constant by `min_delta_chi2`, fits well, comes within `max_impact` Einstein radii, is seen
    within `max_phase` Einstein times of its peak, is neither periodic nor a Solar-System object, and lies in no galaxy
    and on a star (`star_score`, `star_distance_arcsec`, `host_d_dlr`; unknown passes). Its detections span `min_days`,
    which no flare does, and at most `max_earlier`, or twice as many as the packet holds, are older than the packet: a
    variable star has hundreds. Cataclysmic variables can pass while only their rise is seen: the fit says no more than
    that one event explains what there is. The newest `max_points` are fitted.

    References
    ----------
    Paczynski 1986, ApJ 304, 1; Rodriguez et al. 2022, ApJ 927, 150, for events in ZTF; Godines et al. 2019, A&C 28.
    """
    n, curve = len(mjd), light_curve.of_kind(DETECTION, FORCED).newest(max_points)
    is_elsewhere = (star_score < min_star_score) | (star_distance_arcsec > max_star_arcsec) | (host_d_dlr < min_d_dlr)
    is_star = ~is_elsewhere & (roid < 2)
    rows = np.flatnonzero(is_star & (np.diff(curve.offsets) >= min_points))
    chosen = curve.of_alerts(rows)
    fit = paczynski_fit(chosen.mjd, chosen.band, chosen.flux, chosen.flux_err, chosen.offsets)
    phase = mjd[rows] - fit.t0
    found = (fit.einstein_time, fit.impact, phase, fit.delta_chi2, fit.reduced_chi2)
    is_event = (fit.delta_chi2 >= min_delta_chi2) & (fit.reduced_chi2 <= max_chi2) & (fit.impact <= max_impact)
    is_event &= (fit.einstein_time >= min_einstein_time) & (fit.einstein_time <= max_einstein_time)
    is_event &= np.abs(phase) <= max_phase * fit.einstein_time
    is_event &= _is_one_event(light_curve.of_kind(DETECTION), n_detections, min_days, max_earlier)[rows]
    columns = [scattered(values, rows, n) for values in found]
    columns.append(scattered(is_event, rows, n, False) & is_good & ~is_periodic)
    return dict(zip(OUTPUTS, columns, strict=True))


def _is_one_event(
    seen: LightCurves, n_detections: NDArray[Any], min_days: float, max_earlier: int
) -> NDArray[np.bool_]:
    """Whether the detections last long enough, and the survey counts not many more than the packet holds."""
    first = np.where(seen.triggering < 0, -1, seen.offsets[:-1])
    days = taken(seen.mjd, seen.triggering) - taken(seen.mjd, first)
    held = np.diff(seen.offsets)
    return np.asarray((days >= min_days) & ~(n_detections - held > np.maximum(max_earlier, 2 * held)))
