"""Science module: slope of the magnitudes over the last days, in the alert's band."""

from __future__ import annotations

import numpy as np

from redpoll import Column, science_module
from redpoll.curve_fitting import line_sums
from redpoll.light_curves import LightCurves, days_before_trigger, in_alert_band, is_positive_detection
from redpoll.photometry import mag_err_from_flux, mag_from_flux
from redpoll.typing import Arrays

OUTPUTS = {
    "mag_slope": Column(
        "float32", "mag/d", "Slope over the last days in the alert's band; negative while brightening."
    ),
    "mag_slope_err": Column("float32", "mag/d", "One-sigma error of mag_slope, from the errors of the points."),
    "mag_slope_points": Column("int16", doc="Detections in the fit of mag_slope, the alert's included."),
}


@science_module(version="1", outputs=OUTPUTS)
def mag_slope(light_curve: LightCurves, *, days: float = 10.0, min_points: int = 3, min_span: float = 0.1) -> Arrays:
    """Straight line through the detections of the last `days` in the alert's band, weighted by their errors.

    Null with fewer than `min_points` detections of positive flux, or if they span less than `min_span` days.
    """
    ago = days_before_trigger(light_curve)
    keep = is_positive_detection(light_curve) & in_alert_band(light_curve)
    keep &= (light_curve.flux_err > 0) & (ago <= days)
    curve = light_curve.kept(keep)
    line = line_sums(
        -ago[keep], mag_from_flux(curve.flux), mag_err_from_flux(curve.flux, curve.flux_err), curve.offsets
    )
    is_known = (line.n >= min_points) & (line.span >= max(min_span, 1e-9))
    slope, err = (np.where(is_known, values, np.nan) for values in (line.slope, line.slope_err))
    return {"mag_slope": slope, "mag_slope_err": err, "mag_slope_points": line.n}
