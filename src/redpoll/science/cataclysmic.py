"""Science module: outbursts of cataclysmic variables, by their amplitude, rise and colour."""

from __future__ import annotations

import numpy as np

from redpoll import Column, feature, flag, science_module
from redpoll.conditions import is_solar_system
from redpoll.light_curves import (
    BANDS,
    FORCED,
    UPPER_LIMIT,
    LightCurves,
    at_trigger,
    by_band,
    days_before_trigger,
    highest_of_each,
    in_alert_band,
    is_positive_detection,
    lowest_of_each,
    owners,
)
from redpoll.photometry import mag_from_flux, reference_flux
from redpoll.typing import Arrays, Bools, Floats, Texts

_COLOUR = 0.5
"""Part of a change between two bands that may be colour [mag]: outburst and quiescence are blue to within this."""
_MIN_DAYS = 0.2
"""Shortest time between two epochs for a rise or fall [d]: stars flare within hours."""
OUTPUTS = {
    "outburst_amplitude": Column(
        "float32", "mag", "Brightness above quiescence, or a lower limit; null if neither is known.", aggregate="max"
    ),
    "outburst_amplitude_is_limit": flag("Whether the amplitude is a lower limit: quiescence was not detected."),
    "outburst_rise": feature("mag/d", "Fastest significant brightening between neighbouring epochs; null if none."),
    "outburst_fall": feature("mag/d", "Fastest significant fading between neighbouring detections; null if none."),
    "is_dwarf_nova": flag("Amplitude, rise, colour and position fit; false if unknown.", assigns="dwarf_nova"),
}


@science_module(version="3", outputs=OUTPUTS)
def cataclysmic(
    light_curve: LightCurves,
    is_good: Bools,
    roid: Texts,
    reference_mag: Floats,
    reference_mag_err: Floats,
    reference_distance_arcsec: Floats,
    star_score: Floats,
    star_distance_arcsec: Floats,
    colour_g_r: Floats,
    host_d_dlr: Floats,
    *,
    min_amplitude: float = 2.0,
    max_amplitude: float = 9.0,
    min_rise: float = 1.0,
    min_template_rise: float = 1.0,
    min_lone_rise: float = 1.5,
    min_fall: float = 0.25,
    max_gap_days: float = 5.0,
    max_colour: float = 0.2,
    max_rise_days: float = 5.0,
    max_lone_rise_days: float = 3.0,
    min_d_dlr: float = 3.0,
    min_star_score: float = 0.6,
    max_galaxy_score: float = 0.4,
    max_arcsec: float = 1.5,
) -> Arrays:
    """Amplitude above the source in the template, or above the deepest upper limit, and the fastest rise and fall.

    A dwarf nova brightens by 2 to 9 magnitudes within `max_rise_days`, where a supernova needs weeks; `min_rise` is
    more than the 0.5 mag/d of the slowest, because stars flare as often. It is blue at its maximum: g - r is near 0. A
    source redder than `max_colour`, or in a galaxy (`star_score`, `host_d_dlr`), is no candidate. What else is required
    depends on what is known at the position:

    - a catalogued star: one of a rise by `min_rise`, a fall by `min_fall`, and a blue colour;
    - a source in the template, and no catalogue from the survey: a rise by `min_template_rise`, or a fall by
      `min_fall`, which is faster than any supernova's in its first months;
    - no known star: a blue colour and a rise by `min_lone_rise` within `max_lone_rise_days`, which of supernovae only
      the first day shows.

    The source in the template is used if it lies within `max_arcsec`, or if the survey gives no distance because it
    measured at the position itself. Upper limits, and forced photometry below three sigma, give lower limits of
    amplitude and rise. Rises and falls are lower limits at two sigma of either flux.

    References
    ----------
    Coppejans et al. 2016, MNRAS 456, 4441 (amplitudes and rises); Szkody et al. 2020, AJ 159, 198 (the ZTF filter).
    """
    quiet = reference_flux(reference_mag, reference_distance_arcsec, max_arcsec)
    quiet[reference_mag_err > 0.36] = np.nan
    is_there = np.isfinite(quiet)
    limits = _limits(light_curve)
    depth = np.where(is_there, np.nan, _deepest(light_curve, *limits))
    flux = at_trigger(light_curve, light_curve.flux)
    apparent = np.where(flux > 0, flux, np.nan) + np.nan_to_num(quiet)
    amplitude = mag_from_flux(np.where(np.isfinite(depth), depth, quiet)) - mag_from_flux(apparent)
    rise, fall = _fastest(light_curve, *limits, np.nan_to_num(quiet), max_gap_days)
    is_near = star_distance_arcsec < max_arcsec
    is_star, is_galaxy = is_near & (star_score >= min_star_score), is_near & (star_score < max_galaxy_score)
    is_fast, is_blue = (rise >= min_rise) | (fall >= min_fall), colour_g_r <= max_colour
    in_template = (rise >= min_template_rise) | (fall >= min_fall)
    is_like = np.where(is_there & np.isnan(star_distance_arcsec), in_template, (rise >= min_lone_rise) & is_blue)
    is_like = np.where(is_star, is_fast | is_blue, is_like & ~(is_galaxy | (host_d_dlr < min_d_dlr)))
    is_like &= ~(colour_g_r > max_colour)
    is_like &= ~(_rise_days(light_curve) > np.where(is_star, max_rise_days, max_lone_rise_days))
    is_sized = (amplitude >= min_amplitude) & (amplitude <= max_amplitude)
    return {
        "outburst_amplitude": amplitude,
        "outburst_amplitude_is_limit": np.isfinite(depth) & np.isfinite(amplitude),
        "outburst_rise": rise,
        "outburst_fall": fall,
        "is_dwarf_nova": is_good & ~is_solar_system(roid) & is_sized & is_like,
    }


def _limits(curve: LightCurves) -> tuple[Bools, Floats]:
    """Which epochs are non-detections, and the upper limit of the flux in them [nJy]."""
    flux, err = curve.flux.astype(np.float64), curve.flux_err.astype(np.float64)
    is_upper_limit, is_forced = curve.kind == UPPER_LIMIT, (curve.kind == FORCED) & (flux < 3.0 * err)
    limit = np.where(is_upper_limit, 5.0 * err, np.maximum(flux, 0.0) + 3.0 * err)
    return (is_upper_limit | is_forced) & (err > 0), limit


def _deepest(curve: LightCurves, is_empty: Bools, limit: Floats) -> Floats:
    """The deepest upper limit in the alert's band [nJy]; NaN if there is none."""
    return lowest_of_each(curve, limit, is_empty & in_alert_band(curve))


def _rise_days(curve: LightCurves, days: float = 30.0) -> Floats:
    """Time from the first detection of the last `days` in the alert's band to the first one near maximum [d]."""
    keep = is_positive_detection(curve) & in_alert_band(curve) & (days_before_trigger(curve) <= days)
    highest = highest_of_each(curve, curve.flux, keep)[owners(curve.offsets)]
    is_bright = keep & (curve.flux >= 0.63 * highest)  # half a magnitude: the maximum of a plateau may be anywhere
    return lowest_of_each(curve, curve.mjd, is_bright) - lowest_of_each(curve, curve.mjd, keep)


def _fastest(
    curve: LightCurves, is_empty: Bools, limit: Floats, quiet: Floats, max_gap_days: float
) -> tuple[Floats, Floats]:
    """Fastest rise to a detection and fall between two [mag/d], as lower limits at two sigma of either epoch.

    The two epochs are neighbours in their band, or neighbours among the epochs of all bands.
    """
    is_epoch = is_empty | is_positive_detection(curve)
    epochs, is_seen, limit = curve.kept(is_epoch), ~is_empty[is_epoch], limit[is_epoch]
    row, flux, two_errors = owners(epochs.offsets), epochs.flux.astype(np.float64), 2.0 * epochs.flux_err
    brightest = mag_from_flux(np.where(is_seen, flux + two_errors, limit) + quiet[row])
    faintest = mag_from_flux(np.maximum(flux - two_errors, 0.0) + quiet[row])
    rise, fall = np.full(len(row), np.nan), np.full(len(row), np.nan)
    always = np.ones(len(row), bool)
    for order in (np.arange(len(row)), by_band(epochs.offsets, epochs.band, always, len(BANDS))[0]):
        one, two = order[:-1], order[1:]
        days = epochs.mjd[two] - epochs.mjd[one]
        keep = (row[one] == row[two]) & (days >= _MIN_DAYS) & (days <= max_gap_days) & is_seen[two]
        one, two, days = one[keep], two[keep], days[keep]
        colour = np.where(epochs.band[one] == epochs.band[two], 0.0, _COLOUR)
        rise[two] = np.fmax(rise[two], (brightest[one] - faintest[two] - colour) / days)
        falls = np.where(is_seen[one], (brightest[two] - faintest[one] - colour) / days, np.nan)
        fall[two] = np.fmax(fall[two], falls)
    return highest_of_each(epochs, rise, always), highest_of_each(epochs, fall, always)
