"""Science module: whether a young source fades as fast as a kilonova."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll import Column, science_module
from redpoll.astro.latitudes import galactic_latitude
from redpoll.astro.photometry import mag_err_from_flux, mag_from_flux
from redpoll.astro.ragged import by_band, owners, taken
from redpoll.astro.stars import is_on_star
from redpoll.astro.straight_lines import line_sums
from redpoll.schema.bands import BANDS, DETECTION
from redpoll.schema.light_curve import LightCurves

Array = NDArray[np.float64]
OUTPUTS = {
    "kilonova_fade": Column(
        "float32",
        "mag/d",
        "Slope of the most surely fading (or least rising) band; null without a band to fit.",
        indexed=False,
    ),
    "kilonova_fade_err": Column(
        "float32", "mag/d", "One-sigma error of kilonova_fade, from the errors of the points.", indexed=False
    ),
    "is_kilonova_candidate": Column(
        "bool",
        doc="Young and fading fast, as kilonovae do; false where it cannot be told.",
        assigns="kilonova",
        indexed=False,
    ),
}


@science_module(version="1", outputs=OUTPUTS)
def kilonova(
    light_curve: LightCurves,
    ra: Array,
    dec: Array,
    is_good: NDArray[np.bool_],
    roid: NDArray[np.integer[Any]],
    age: NDArray[np.float32],
    n_detections: NDArray[Any],
    colour_g_r: NDArray[np.float32],
    sso_distance_arcsec: NDArray[np.float32],
    star_score: NDArray[np.float32],
    star_distance_arcsec: NDArray[np.float32],
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
) -> dict[str, NDArray[Any]]:
    """Straight line through the magnitudes of the last `days` in each band, as the searches of ZTF do.

    A candidate fades by more than `min_fade` mag/d, `min_sigma` of its errors from standing still, in a band whose
    detections span `min_span` days; it is at most `max_age` days old with fewer than `max_detections` detections,
    off the Galactic plane, not on a star, not near a known asteroid, and not bluer than `min_colour` in g - r (what
    is bluer flares or erupts). The magnitudes are those of the difference, because a host galaxy does not fade.

    References
    ----------
    Andreoni et al. 2021, ApJ 918, 63 (ZTFReST); Fink's filter of rate-based kilonova candidates.
    """
    fade, err = _surest_fade(light_curve, days, min_span)
    is_other = is_on_star(star_score, star_distance_arcsec, min_score=max_star_score, max_arcsec=min_star_arcsec)
    is_other |= (roid >= 2) | (sso_distance_arcsec <= min_sso_arcsec) | (colour_g_r < min_colour)
    is_new = (age <= max_age) & (n_detections < max_detections)
    is_high = np.abs(galactic_latitude(ra, dec)) >= min_latitude
    is_fast = (fade > min_fade) & (fade > min_sigma * err)
    return {
        "kilonova_fade": fade,
        "kilonova_fade_err": err,
        "is_kilonova_candidate": is_good & is_new & is_high & ~is_other & is_fast,
    }


def _surest_fade(curve: LightCurves, days: float, min_span: float) -> tuple[Array, Array]:
    """Slope and error of the band with the largest slope over its error."""
    own = curve.triggering
    time = curve.mjd - taken(curve.mjd, own)[owners(curve.offsets)]
    keep = (curve.kind == DETECTION) & (curve.flux > 0) & (curve.flux_err > 0) & (time >= -days)
    order, parts = by_band(curve.offsets, curve.band, keep, len(BANDS))
    flux, err = curve.flux[order].astype(np.float64), curve.flux_err[order]
    lines = line_sums(time[order], mag_from_flux(flux), mag_err_from_flux(flux, err), parts)
    is_fitted = (lines.n >= 2) & (lines.span >= max(min_span, 1e-6))
    sure = np.where(is_fitted, lines.slope / lines.slope_err, -np.inf).reshape(-1, len(BANDS))
    best = sure.argmax(axis=1) + np.arange(len(curve)) * len(BANDS)
    is_known = is_fitted[best]
    return np.where(is_known, lines.slope[best], np.nan), np.where(is_known, lines.slope_err[best], np.nan)
