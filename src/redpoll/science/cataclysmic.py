"""Science module: outbursts of cataclysmic variables, by their amplitude, rise and colour."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll import Column, science_module
from redpoll.astro.photometry import flux_from_mag, mag_from_flux
from redpoll.astro.ragged import owners, taken
from redpoll.schema.bands import BANDS, DETECTION, FORCED, UPPER_LIMIT
from redpoll.schema.light_curve import LightCurves

Array = NDArray[np.float64]
_COLOUR = 0.5
"""What may be colour in a change between two bands [mag]: outbursts and quiescence are blue to within this."""
_LEAST_DAYS = 0.2
"""Shortest time between two epochs that tell a rise or a fall [d]: within hours stars flare."""
OUTPUTS = {
    "outburst_amplitude": Column(
        "float32", "mag", "Brightness above quiescence, or at least so much; null if neither is known.", aggregate="max"
    ),
    "outburst_amplitude_is_limit": Column(
        "bool", doc="Whether the amplitude may be larger: quiescence is unseen.", indexed=False
    ),
    "outburst_rise": Column(
        "float32",
        "mag/d",
        "Fastest sure brightening between neighbouring epochs in the packet; null if none.",
        indexed=False,
    ),
    "outburst_fall": Column(
        "float32",
        "mag/d",
        "Fastest sure fading between neighbouring detections in the packet; null if none.",
        indexed=False,
    ),
    "is_dwarf_nova": Column(
        "bool",
        doc="Amplitude, rise, colour and place fit; false if it cannot be told.",
        assigns="dwarf_nova",
        indexed=False,
    ),
}


@science_module(version="2", outputs=OUTPUTS)
def cataclysmic(
    light_curve: LightCurves,
    is_good: NDArray[np.bool_],
    roid: NDArray[np.integer[Any]],
    reference_mag: NDArray[np.float32],
    reference_mag_err: NDArray[np.float32],
    reference_distance_arcsec: NDArray[np.float32],
    star_score: NDArray[np.float32],
    star_distance_arcsec: NDArray[np.float32],
    colour_g_r: NDArray[np.float32],
    host_d_dlr: NDArray[np.float32],
    *,
    min_amplitude: float = 2.0,
    max_amplitude: float = 9.0,
    min_rise: float = 0.5,
    min_template_rise: float = 1.0,
    min_lone_rise: float = 1.5,
    min_fall: float = 0.25,
    max_gap_days: float = 5.0,
    max_colour: float = 0.4,
    max_rise_days: float = 5.0,
    max_lone_rise_days: float = 3.0,
    min_d_dlr: float = 3.0,
    min_star_score: float = 0.6,
    max_galaxy_score: float = 0.4,
    max_arcsec: float = 1.5,
) -> dict[str, NDArray[Any]]:
    """Amplitude above the source in the template, or above the deepest image without it, and the fastest rise.

    A dwarf nova brightens by 2 to 9 magnitudes at 0.5 mag/d and more, is then blue, g - r near 0, and at its brightest
    within days: `max_rise_days`, where supernovae take weeks. On a catalogued star amplitude and one of rise, fall and
    colour suffice; on a source of the template, where the survey sends no catalogue, a rise by `min_template_rise`, or
    a fall by `min_fall`, which no supernova has in its first months, must be seen; where no star is known it must be
    blue and rise by `min_lone_rise`, as only the first day of a supernova does, in `max_lone_rise_days`; in a galaxy
    (`star_score`, `host_d_dlr`) it is none, nor if it is red.

    The source in the template counts if it lies within `max_arcsec`, or if the survey gives no distance because it
    measured at the place itself. Upper limits, and forced photometry without a signal, bound amplitude and rise from
    below, and so do two errors of every flux. Which known variables are cataclysmic is what catalogues say (VSX, GCVS).

    References
    ----------
    Coppejans et al. 2016, MNRAS 456, 4441 (amplitudes and rises); Szkody et al. 2020, AJ 159, 198 (the ZTF filter).
    """
    is_there = np.isfinite(reference_mag) & ~(reference_distance_arcsec > max_arcsec) & ~(reference_mag_err > 0.36)
    quiet = np.where(is_there, flux_from_mag(reference_mag), np.nan)
    own = light_curve.triggering
    flux = taken(light_curve.flux, own)
    depth = np.where(np.isfinite(quiet), np.nan, _deepest(light_curve, own))
    apparent = np.where(flux > 0, flux, np.nan) + np.nan_to_num(quiet)
    amplitude = mag_from_flux(np.where(np.isfinite(depth), depth, quiet)) - mag_from_flux(apparent)
    rise, fall = _fastest(light_curve, own, np.nan_to_num(quiet), max_gap_days)
    is_near = star_distance_arcsec < max_arcsec
    is_star, is_galaxy = is_near & (star_score >= min_star_score), is_near & (star_score < max_galaxy_score)
    is_galaxy |= host_d_dlr < min_d_dlr
    is_fast, is_blue = (rise >= min_rise) | (fall >= min_fall), colour_g_r <= max_colour
    has_catalogue = np.isfinite(star_distance_arcsec)
    is_like = np.where(
        is_there & ~has_catalogue, (rise >= min_template_rise) | (fall >= min_fall), (rise >= min_lone_rise) & is_blue
    )
    is_like = np.where(is_star, is_fast | is_blue, is_like & ~is_galaxy) & ~(colour_g_r > max_colour)
    is_like &= ~(_rise_days(light_curve, own) > np.where(is_star, max_rise_days, max_lone_rise_days))
    is_sized = (amplitude >= min_amplitude) & (amplitude <= max_amplitude)
    return {
        "outburst_amplitude": amplitude,
        "outburst_amplitude_is_limit": np.isfinite(depth) & np.isfinite(amplitude),
        "outburst_rise": rise,
        "outburst_fall": fall,
        "is_dwarf_nova": is_good & (roid < 2) & is_sized & is_like,
    }


def _bounds(curve: LightCurves) -> tuple[NDArray[np.bool_], Array]:
    """Which epochs saw nothing, and below which flux the source then was [nJy]."""
    flux, err = curve.flux.astype(np.float64), curve.flux_err.astype(np.float64)
    is_limit, is_forced = curve.kind == UPPER_LIMIT, (curve.kind == FORCED) & (flux < 3.0 * err)
    bound = np.where(is_limit, 5.0 * err, np.maximum(flux, 0.0) + 3.0 * err)
    return (is_limit | is_forced) & (err > 0), bound


def _deepest(curve: LightCurves, own: NDArray[np.int64]) -> Array:
    """Bound by the deepest image of the alert's band that saw nothing [nJy]; NaN if there is none."""
    row, (is_empty, bound) = owners(curve.offsets), _bounds(curve)
    keep = is_empty & (curve.band == taken(curve.band, own)[row])
    depth = np.full(len(curve), np.inf)
    np.minimum.at(depth, row[keep], bound[keep])
    return np.where(np.isfinite(depth), depth, np.nan)


def _rise_days(curve: LightCurves, own: NDArray[np.int64], days: float = 30.0) -> Array:
    """From the first detection of the last `days` in the alert's band to the first near the brightest [d]."""
    row, n = owners(curve.offsets), len(curve)
    keep = (curve.kind == DETECTION) & (curve.flux > 0) & (curve.band == taken(curve.band, own)[row])
    keep &= curve.mjd >= taken(curve.mjd, own)[row] - days
    first, bright, highest = np.full(n, np.inf), np.full(n, np.inf), np.full(n, -np.inf)
    np.minimum.at(first, row[keep], curve.mjd[keep])
    np.maximum.at(highest, row[keep], curve.flux[keep])
    is_bright = keep & (curve.flux >= 0.63 * highest[row])  # half a magnitude: a plateau may be brightest anywhere
    np.minimum.at(bright, row[is_bright], curve.mjd[is_bright])
    return np.where(np.isfinite(first), bright - first, np.nan)


def _fastest(curve: LightCurves, own: NDArray[np.int64], quiet: Array, max_gap_days: float) -> tuple[Array, Array]:
    """Fastest rise to a detection and fall between two [mag/d], by what two errors of either epoch leave of them.

    The two are neighbours in their band, or among the epochs of all bands.
    """
    is_empty, bound = _bounds(curve)
    at = np.flatnonzero(is_empty | ((curve.kind == DETECTION) & (curve.flux > 0)))
    row, mjd, band, is_seen = owners(curve.offsets)[at], curve.mjd[at], curve.band[at], ~is_empty[at]
    flux, two_errors = curve.flux[at].astype(np.float64), 2.0 * curve.flux_err[at].astype(np.float64)
    brightest = mag_from_flux(np.where(is_seen, flux + two_errors, bound[at]) + quiet[row])
    faintest = mag_from_flux(np.where(is_seen, np.maximum(flux - two_errors, 0.0), 0.0) + quiet[row])
    rise, fall = np.full(len(curve), -np.inf), np.full(len(curve), -np.inf)
    for order in (np.arange(len(at)), np.argsort(row * len(BANDS) + band, kind="stable")):
        one, two = order[:-1], order[1:]
        days = mjd[two] - mjd[one]
        keep = (row[one] == row[two]) & (days >= _LEAST_DAYS) & (days <= max_gap_days) & is_seen[two]
        one, two, days = one[keep], two[keep], days[keep]
        colour = np.where(band[one] == band[two], 0.0, _COLOUR)
        np.fmax.at(rise, row[two], (brightest[one] - faintest[two] - colour) / days)
        falls = np.where(is_seen[one], (brightest[two] - faintest[one] - colour) / days, np.nan)
        np.fmax.at(fall, row[two], falls)
    return np.where(np.isfinite(rise), rise, np.nan), np.where(np.isfinite(fall), fall, np.nan)
