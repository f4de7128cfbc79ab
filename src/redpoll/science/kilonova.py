"""Science module: kilonova candidates, young sources that fade fast."""

from __future__ import annotations

import numpy as np

from redpoll import feature, flag, science_module
from redpoll.conditions import is_on_star, is_solar_system
from redpoll.curve_fitting import line_sums
from redpoll.light_curves import BANDS, LightCurves, days_before_trigger, is_positive_detection
from redpoll.sky import galactic_latitude
from redpoll.statistics import BandSeries
from redpoll.typing import Arrays, Bools, Floats, Ints, Texts

OUTPUTS = {
    "kilonova_fade": feature("mag/d", "Slope in the band of most significant fading; null without a band to fit."),
    "kilonova_fade_err": feature("mag/d", "One-sigma error of kilonova_fade, from the errors of the points."),
    "is_kilonova_candidate": flag("Young and fading as fast as a kilonova; false if unknown.", assigns="kilonova"),
}


@science_module(version="1", outputs=OUTPUTS)
def kilonova(
    light_curve: LightCurves,
    ra: Floats,
    dec: Floats,
    is_good: Bools,
    roid: Texts,
    age: Floats,
    n_detections: Ints,
    colour_g_r: Floats,
    sso_distance_arcsec: Floats,
    star_score: Floats,
    star_distance_arcsec: Floats,
    *,
    min_fade: float = 0.3,
    min_sigma: float = 3.0,
    min_span: float = 0.5,
    days: float = 6.0,
    max_age: float = 5.0,
    max_detections: int = 20,
    min_latitude: float = 10.0,
    min_colour: float = -0.4,
    min_sso_arcsec: float = 10.0,
    max_star_score: float = 0.76,
    min_star_arcsec: float = 1.5,
) -> Arrays:
    """Straight line through the magnitudes of the last `days` in each band, as in the searches of ZTF.

    A candidate fades by more than `min_fade` mag/d, at `min_sigma` sigma, in a band whose detections span `min_span`
    days. It is at most `max_age` days old with fewer than `max_detections` detections, off the Galactic plane, not on a
    star, not near a known asteroid, and not bluer than `min_colour` in g - r, as flares and eruptions are. The
    magnitudes are those of the difference image, because a host galaxy does not fade.

    References
    ----------
    Andreoni et al. 2021, ApJ 918, 63 (ZTFReST); Fink's filter of rate-based kilonova candidates.
    """
    fade, err = _most_significant_fade(light_curve, days, min_span)
    is_other = is_on_star(star_score, star_distance_arcsec, min_score=max_star_score, max_arcsec=min_star_arcsec)
    is_other |= is_solar_system(roid) | (sso_distance_arcsec <= min_sso_arcsec) | (colour_g_r < min_colour)
    is_new = (age <= max_age) & (n_detections < max_detections)
    is_high = np.abs(galactic_latitude(ra, dec)) >= min_latitude
    is_fast = (fade > min_fade) & (fade > min_sigma * err)
    return {
        "kilonova_fade": fade,
        "kilonova_fade_err": err,
        "is_kilonova_candidate": is_good & is_new & is_high & ~is_other & is_fast,
    }


def _most_significant_fade(curve: LightCurves, days: float, min_span: float) -> tuple[Floats, Floats]:
    """Slope and error in the band with the largest ratio of slope to error."""
    ago = days_before_trigger(curve)
    series = BandSeries.of(curve, is_positive_detection(curve) & (curve.flux_err > 0) & (ago <= days))
    lines = line_sums(-ago[series.point], series.mag, series.mag_err, series.offsets)
    is_fitted = lines.span >= max(min_span, 1e-6)
    significance = np.where(is_fitted, lines.slope / lines.slope_err, -np.inf).reshape(-1, len(BANDS))
    best = significance.argmax(axis=1) + np.arange(len(curve)) * len(BANDS)
    return tuple(np.where(is_fitted, values, np.nan)[best] for values in (lines.slope, lines.slope_err))
