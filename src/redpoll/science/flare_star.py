"""Science module: flares of stars, which rise and fade within a night."""

from __future__ import annotations

import numpy as np

from redpoll import feature, flag, science_module
from redpoll.light_curves import (
    DETECTION,
    FORCED,
    UPPER_LIMIT,
    LightCurves,
    at_trigger,
    count_of_each,
    days_before_trigger,
    highest_of_each,
    last_of_each,
    owners,
    taken,
)
from redpoll.photometry import MAG_PER_RELATIVE_FLUX, reference_flux
from redpoll.typing import Arrays, Bools, Floats

OUTPUTS = {
    "flare_hours": feature("h", "Time to the epoch of that night from which the flux differs most; null if none."),
    "flare_ratio": feature("", "Ratio of the brighter to the fainter flux, or a lower limit; null without a pair."),
    "flare_amplitude": feature("mag", "Maximum of the night above the star; null if the star's flux is unknown."),
    "is_flare": flag("Flared within a night on a star; false if unknown.", assigns="flare_star"),
}


@science_module(version="3", outputs=OUTPUTS)
def flare_star(
    light_curve: LightCurves,
    is_good: Bools,
    reference_mag: Floats,
    reference_distance_arcsec: Floats,
    star_score: Floats,
    star_distance_arcsec: Floats,
    *,
    max_hours: float = 12.0,
    min_ratio: float = 2.5,
    min_amplitude: float = 0.1,
    min_star_score: float = 0.5,
    max_arcsec: float = 1.5,
) -> Arrays:
    """Change of the flux within `max_hours` before the alert, for stars without detections on other nights.

    A flare is as hot as 9,000 K and has nearly the same flux in g, r and i. The other epoch may therefore be in
    another band, if the brighter epoch is in the bluer one: if it is in the redder one, the colour of a red variable
    explains the ratio. A flux below three sigma is replaced by three sigma, an upper limit by its limit; the ratio is
    then a lower limit. The star must be catalogued as one (a score above `min_star_score`) or, where the survey sends
    no catalogue, be detected in the template.

    References
    ----------
    Davenport et al. 2014, ApJ 797, 122 (shapes and lengths of flares); Voloshina et al. 2024, MNRAS 533, 4309 (flares
    in ZTF).
    """
    curve, ago, max_days = light_curve, days_before_trigger(light_curve), max_hours / 24.0
    ratio = np.where((ago <= max_days) & (ago > 0), _ratios(curve), np.nan)
    flare_ratio = highest_of_each(curve, ratio, np.isfinite(ratio))
    other = last_of_each(curve.offsets, ratio == flare_ratio[owners(curve.offsets)])
    was_seen = count_of_each(curve, (curve.kind == DETECTION) & (ago > max_days)) > 0
    maximum = highest_of_each(curve, curve.flux, (curve.kind == DETECTION) & (curve.flux > 0) & (ago <= max_days))
    quiet = reference_flux(reference_mag, reference_distance_arcsec, max_arcsec)
    amplitude = MAG_PER_RELATIVE_FLUX * np.log1p(maximum / quiet)
    is_near = star_distance_arcsec < max_arcsec
    is_star = np.where(is_near, star_score > min_star_score, np.isnan(star_distance_arcsec) & np.isfinite(quiet))
    is_flare = is_good & is_star & ~was_seen & (flare_ratio >= min_ratio)
    return {
        "flare_hours": 24.0 * taken(ago, other),
        "flare_ratio": flare_ratio,
        "flare_amplitude": amplitude,
        "is_flare": is_flare & (amplitude >= min_amplitude),
    }


def _ratios(curve: LightCurves) -> Floats:
    """Ratio of the brighter to the fainter flux of each epoch and its alert's triggering detection; NaN if unknown."""
    flux, err = curve.flux.astype(np.float64), curve.flux_err.astype(np.float64)
    is_upper_limit = curve.kind == UPPER_LIMIT
    bound = np.where(is_upper_limit, 5.0 * err, np.maximum(flux, 3.0 * err))
    row = owners(curve.offsets)
    alert = at_trigger(curve, curve.flux)[row]
    alert[~(alert > 0)] = np.nan
    # an earlier epoch is brighter only if it was detected; an upper limit above the alert's flux has no meaning
    ratio = np.where(bound > alert, np.where(~is_upper_limit & (flux > 5.0 * err), bound / alert, 0.0), alert / bound)
    band, alert_band = curve.band, at_trigger(curve, curve.band)[row]
    is_bluer_brighter = np.where(bound > alert, band <= alert_band, alert_band <= band) & (band >= 0)
    is_used = np.isin(curve.kind, (DETECTION, FORCED, UPPER_LIMIT)) & is_bluer_brighter
    return np.where(is_used, ratio, np.nan)
