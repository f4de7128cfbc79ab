"""Science module: dimming events of stars (dippers), such as those of Boyajian's star."""

from __future__ import annotations

import numpy as np

from redpoll import Column, feature, flag, science_module
from redpoll.light_curves import (
    DETECTION,
    FORCED,
    LOW_QUALITY,
    LightCurves,
    at_trigger,
    count_of_each,
    highest_of_each,
    in_alert_band,
    lowest_of_each,
    owners,
)
from redpoll.photometry import flux_from_mag, reference_flux
from redpoll.typing import Arrays, Bools, Floats, Ints

OUTPUTS = {
    "dipper_depth": feature("", "Fraction of the star's light that is missing; null if not fainter or star unknown."),
    "dipper_days": feature("d", "Time for which it was fainter in every epoch of the band; else null."),
    "dipper_points": Column("int16", doc="Epochs of the band in that time, the alert's included.", indexed=False),
    "is_dipper": flag("A bright stable star in a deep, smooth dimming event; false if unknown.", assigns="dipper"),
}


@science_module(version="2", outputs=OUTPUTS)
def dipper(
    light_curve: LightCurves,
    n_detections: Ints,
    reference_mag: Floats,
    reference_distance_arcsec: Floats,
    star_score: Floats,
    star_distance_arcsec: Floats,
    has_bad_pixels: Bools,
    *,
    min_depth: float = 0.05,
    max_depth: float = 0.9,
    max_star_mag: float = 18.0,
    min_points: int = 3,
    min_quiet_points: int = 3,
    min_days: float = 2.0,
    max_step: float = 0.5,
    max_earlier: int = 10,
    min_star_score: float = 0.5,
    max_arcsec: float = 1.5,
) -> Arrays:
    """Depth of the dimming event, from the difference flux and the star's flux in the template, and its duration.

    The dimming event is the run of epochs of the alert's band that ends with the alert and in which the star is
    fainter than the template. A candidate is a star brighter than `max_star_mag`. Its event has `min_points` epochs
    over `min_days` days, in which neighbouring depths differ by at most `max_step` of the deepest. Before it, at least
    `min_quiet_points` epochs showed the star as in the template (upper limits, or forced photometry within three
    sigma), and no point of the light curve is brighter than the template. The survey counts at most `max_earlier`
    detections that are not in the light curve: long-period variables and active galaxies vary all the time and have
    hundreds. An event that began before the light curve does is therefore missed. An eclipse lasts hours; a later
    epoch at normal brightness ends the run.

    Not tested, for lack of data: whether the dimming is grey (the star's magnitude is known in one band only), an
    infrared excess, and eclipses with a period that the sampling hides.

    References
    ----------
    Boyajian et al. 2016, MNRAS 457, 3988; Tzanidakis et al. 2025, ApJ 988, 88 (dips of main-sequence stars).
    """
    curve, row = light_curve, owners(light_curve.offsets)
    star = reference_flux(reference_mag, reference_distance_arcsec, max_arcsec)
    depth = -curve.flux.astype(np.float64) / star[row]
    in_dip, n_quiet = _dips(curve)
    points, deepest = count_of_each(curve, in_dip), highest_of_each(curve, depth, in_dip)
    days = at_trigger(curve, curve.mjd) - lowest_of_each(curve, curve.mjd, in_dip)
    is_brighter = np.isin(curve.kind, (DETECTION, LOW_QUALITY)) & (curve.flux > 0)
    alert_depth = at_trigger(curve, depth)
    # where the survey sends a catalogue, it must list a star here
    is_listed = (star_distance_arcsec < max_arcsec) & (star_score > min_star_score)
    is_star = (star > flux_from_mag(max_star_mag)) & (is_listed | np.isnan(star_distance_arcsec))
    is_deep = (alert_depth >= min_depth) & (deepest <= max_depth)
    is_long = (points >= min_points) & (days >= min_days) & (n_quiet >= min_quiet_points)
    is_smooth = _largest_step(curve, depth, in_dip) / deepest <= max_step
    was_brighter = count_of_each(curve, is_brighter) > 0
    is_variable = n_detections - count_of_each(curve, curve.kind == DETECTION) > max_earlier
    return {
        "dipper_depth": np.where(alert_depth > 0, np.minimum(alert_depth, 1.0), np.nan),
        "dipper_days": days,
        "dipper_points": points,
        "is_dipper": is_star & is_deep & is_long & is_smooth & ~(was_brighter | is_variable | has_bad_pixels),
    }


def _dips(curve: LightCurves) -> tuple[Bools, Ints]:
    """Points in the run of faint epochs of the alert's band at its end, and the number of other epochs of the band."""
    in_band, index = in_alert_band(curve) & (curve.kind >= 0), np.arange(len(curve.mjd))
    # an upper limit means that the star was as in the template; so does forced photometry within three sigma
    is_faint = (curve.flux < 0) & ((curve.kind != FORCED) | (curve.flux < -3.0 * curve.flux_err))
    last_break = highest_of_each(curve, index, in_band & ~is_faint)[owners(curve.offsets)]
    return in_band & ~(index <= last_break), count_of_each(curve, in_band & ~is_faint)


def _largest_step(curve: LightCurves, depth: Floats, in_dip: Bools) -> Floats:
    """Largest difference of depth between neighbouring epochs of each event; 0 for a single one."""
    dip = curve.kept(in_dip)
    steps = np.abs(np.diff(depth[in_dip], prepend=np.nan))
    is_pair = np.diff(owners(dip.offsets), prepend=-1) == 0
    return np.nan_to_num(highest_of_each(dip, steps, is_pair))
