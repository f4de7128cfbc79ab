"""Science module: slope of the magnitudes over the last days, in the alert's band."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll import Column, science_module
from redpoll.astro.photometry import mag_err_from_flux, mag_from_flux
from redpoll.astro.ragged import owners
from redpoll.schema.bands import DETECTION
from redpoll.schema.light_curve import LightCurves

OUTPUTS = {
    "mag_slope": Column("float32", "mag/d", "Slope of the last days in the alert's band; negative while brightening."),
    "mag_slope_err": Column("float32", "mag/d", "One-sigma error of mag_slope, from the errors of the points."),
    "mag_slope_points": Column("int16", doc="Detections that mag_slope rests on, the alert's own included."),
}


@science_module(version="1", outputs=OUTPUTS)
def mag_slope(
    light_curve: LightCurves, *, days: float = 10.0, min_points: int = 3, min_span: float = 0.1
) -> dict[str, NDArray[np.generic]]:
    """Straight line through the detections of the last `days` in the alert's band, weighted by their errors.

    Null with fewer than `min_points` detections of positive flux, or if they span less than `min_span` days.
    """
    curve = light_curve
    row = owners(curve.offsets)
    own = curve.triggering[row]
    keep = (curve.kind == DETECTION) & (curve.band == curve.band[own]) & (curve.band >= 0) & (curve.flux > 0)
    keep &= (curve.mjd >= curve.mjd[own] - days) & (curve.flux_err > 0)
    row, flux, time = row[keep], curve.flux[keep].astype(np.float64), (curve.mjd - curve.mjd[own])[keep]
    mag, weight = mag_from_flux(flux), mag_err_from_flux(flux, curve.flux_err[keep]) ** -2.0
    n_points = np.bincount(row, minlength=len(curve))
    first, last = np.full(len(curve), np.inf), np.full(len(curve), -np.inf)
    np.minimum.at(first, row, time)
    np.maximum.at(last, row, time)
    is_known = (n_points >= max(min_points, 2)) & (last - first >= max(min_span, 1e-9))

    def total(values: NDArray[np.float64]) -> NDArray[Any]:
        return np.where(is_known, np.bincount(row, values, minlength=len(curve)), np.nan)

    from_mean = time - (total(weight * time) / total(weight))[row]
    spread = total(weight * from_mean**2)
    slope = total(weight * from_mean * mag) / spread
    return {"mag_slope": slope, "mag_slope_err": spread**-0.5, "mag_slope_points": n_points}
