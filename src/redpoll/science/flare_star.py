"""Science module: flares of stars, which come and go within a night."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll import Column, science_module
from redpoll.astro.photometry import MAG_PER_RELATIVE_FLUX, flux_from_mag
from redpoll.astro.ragged import last_of_each, owners, taken
from redpoll.schema.bands import DETECTION, FORCED, UPPER_LIMIT
from redpoll.schema.light_curve import LightCurves

Array = NDArray[np.float64]
OUTPUTS = {
    "flare_hours": Column(
        "float32",
        "h",
        "Time to the epoch of the same night between which the flux changed the most; null if none.",
        indexed=False,
    ),
    "flare_ratio": Column(
        "float32",
        doc="How many times the fainter of the two fluxes the brighter is, at least; null without a pair.",
        indexed=False,
    ),
    "flare_amplitude": Column(
        "float32",
        "mag",
        "Brightness above the star, at its brightest that night; null if the star's is unknown.",
        indexed=False,
    ),
    "is_flare": Column(
        "bool",
        doc="Flared within a night on a star; false where it cannot be told.",
        assigns="flare_star",
        indexed=False,
    ),
}


@science_module(version="1", outputs=OUTPUTS)
def flare_star(
    light_curve: LightCurves,
    is_good: NDArray[np.bool_],
    reference_mag: NDArray[np.float32],
    reference_distance_arcsec: NDArray[np.float32],
    star_score: NDArray[np.float32],
    star_distance_arcsec: NDArray[np.float32],
    *,
    max_hours: float = 12.0,
    min_ratio: float = 3.0,
    min_amplitude: float = 0.1,
    min_star_score: float = 0.5,
    max_arcsec: float = 1.5,
) -> dict[str, NDArray[Any]]:
    """Change of the flux within `max_hours` before the alert, for stars that did not vary on other nights.

    The other epoch may be of any band: a flare is as hot as 9,000 K and has nearly the same flux in g, r and i, so
    that `min_ratio` cannot come from the colour. A flux below three of its errors, and an upper limit, count as that
    bound, so that the ratio is then a lower limit. The star must be catalogued as one, or, where the survey sends no
    catalogue, lie in the template. Whether it is red cannot be told from a packet: it holds the star in one band only.

    References
    ----------
    Davenport et al. 2014, ApJ 797, 122 (shapes and lengths of flares); Voloshina et al. 2024, MNRAS 533, 4309 (flares
    in ZTF).
    """
    pair = _pairs(light_curve, max_hours / 24.0)
    quiet = np.where(reference_distance_arcsec > max_arcsec, np.nan, flux_from_mag(reference_mag))
    amplitude = MAG_PER_RELATIVE_FLUX * np.log1p(pair["brightest"] / quiet)
    is_star = (star_score >= min_star_score) & (star_distance_arcsec < max_arcsec)
    is_star |= np.isnan(star_score) & np.isfinite(quiet)
    is_flare = is_good & is_star & (pair["n_before"] == 0) & (pair["ratio"] >= min_ratio)
    return {
        "flare_hours": 24.0 * pair["days"],
        "flare_ratio": pair["ratio"],
        "flare_amplitude": amplitude,
        "is_flare": is_flare & (amplitude >= min_amplitude),
    }


def _pairs(curve: LightCurves, max_days: float) -> dict[str, Array]:
    """The alert's triggering detection against the epochs just before it, and the number of detections before those."""
    n, row = len(curve), owners(curve.offsets)
    own = curve.triggering
    ago = taken(curve.mjd, own)[row] - curve.mjd
    flux, err = curve.flux.astype(np.float64), curve.flux_err.astype(np.float64)
    bound = np.where(curve.kind == UPPER_LIMIT, 5.0 * err, np.maximum(flux, 3.0 * err))
    is_epoch = np.isin(curve.kind, (DETECTION, FORCED, UPPER_LIMIT)) & (bound > 0)
    is_tonight = is_epoch & (ago <= max_days)
    mine = np.where(taken(curve.flux, own) > 0, taken(curve.flux, own), np.nan)
    ratio = np.maximum(bound / mine[row], np.where(curve.kind == UPPER_LIMIT, 0.0, mine[row] / bound))
    # brighter before counts only if it was seen; a limit above the alert's flux says nothing
    was_brighter = bound > mine[row]
    ratio = np.where(was_brighter & ~((curve.kind != UPPER_LIMIT) & (flux > 5.0 * err)), 0.0, ratio)
    ratio = np.where(~was_brighter & (curve.kind == UPPER_LIMIT), mine[row] / bound, ratio)
    ratio = np.where(is_tonight & (ago > 0), ratio, -np.inf)
    best = np.full(n, -np.inf)
    np.fmax.at(best, row, ratio)
    place = last_of_each(curve.offsets, (ratio == best[row]) & np.isfinite(ratio))
    is_seen = (curve.kind == DETECTION) & (ago > max_days)
    is_bright = is_tonight & (curve.kind == DETECTION)
    brightest = np.full(n, -np.inf)
    np.fmax.at(brightest, row[is_bright], flux[is_bright])
    return {
        "days": taken(ago, place),
        "ratio": taken(ratio, place),
        "brightest": np.where(brightest > 0, brightest, np.nan),
        "n_before": np.bincount(row[is_seen], minlength=n).astype(np.float64),
    }
