"""Science module: stars that dim, as Boyajian's star does, or as a swarm of large structures would make them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll import Column, science_module
from redpoll.astro.photometry import flux_from_mag
from redpoll.astro.ragged import by_band, owners, taken
from redpoll.schema.bands import BANDS, DETECTION, FORCED, LOW_QUALITY, UPPER_LIMIT
from redpoll.schema.light_curve import LightCurves

Array = NDArray[np.float64]
OUTPUTS = {
    "dipper_depth": Column(
        "float32",
        doc="Share of the star's light that is missing, 0 to 1; null if not fainter or the star is unknown.",
        indexed=False,
    ),
    "dipper_days": Column(
        "float32", "d", "For how long it has been fainter in every epoch of the band; else null.", indexed=False
    ),
    "dipper_points": Column("int16", doc="Epochs of the band in that time, the alert's own included.", indexed=False),
    "is_dipper": Column(
        "bool",
        doc="A bright stable star in a deep, smooth dip; false where it cannot be told.",
        assigns="dipper",
        indexed=False,
    ),
}


@science_module(version="1", outputs=OUTPUTS)
def dipper(
    light_curve: LightCurves,
    reference_mag: NDArray[np.float32],
    reference_distance_arcsec: NDArray[np.float32],
    star_score: NDArray[np.float32],
    star_distance_arcsec: NDArray[np.float32],
    has_bad_pixels: NDArray[np.bool_],
    *,
    min_depth: float = 0.05,
    max_depth: float = 0.9,
    max_star_mag: float = 18.0,
    min_points: int = 3,
    min_quiet_points: int = 3,
    min_days: float = 2.0,
    max_step: float = 0.5,
    min_star_score: float = 0.5,
    max_arcsec: float = 1.5,
) -> dict[str, NDArray[Any]]:
    """Depth of the dip, from the difference flux and the star's flux in the template, and how long it lasts.

    The dip is the run of epochs of the alert's band that ends with it and in which the star is fainter than the
    template. A candidate is a star brighter than `max_star_mag`; its dip has `min_points` epochs over `min_days`
    days, in which neighbouring depths differ by at most `max_step` of the deepest; before it, at least
    `min_quiet_points` epochs showed the star as in the template (upper limits, or forced photometry within three
    errors), and none in the packet showed it brighter: long-period variables and active galaxies change all the time.
    A dip that is older than the packet's history is therefore missed. An eclipse lasts hours, and such an epoch within
    it ends the run.

    What would tell more cannot be seen here: whether the dip is grey (a packet holds the star's brightness in one
    band), infrared excess (no survey of the infrared is asked), and eclipses whose period the sampling hides.

    References
    ----------
    Boyajian et al. 2016, MNRAS 457, 3988; Tzanidakis et al. 2025, ApJ 988, 88 (dips of main-sequence stars).
    """
    row, n = owners(light_curve.offsets), len(light_curve)
    own = light_curve.triggering
    star = np.where(reference_distance_arcsec > max_arcsec, np.nan, flux_from_mag(reference_mag))
    order, who, in_dip, n_quiet = _dips(light_curve, own)
    depth = -light_curve.flux.astype(np.float64) / star[row]
    points = np.bincount(who[in_dip], minlength=n)
    start, deepest, step = _shape(light_curve.mjd[order], depth[order], who, in_dip, n)
    is_brighter = np.isin(light_curve.kind, (DETECTION, LOW_QUALITY)) & (light_curve.flux > 0)
    was_brighter = np.bincount(row[is_brighter], minlength=n) > 0
    own_depth = taken(depth, own)
    days = taken(light_curve.mjd, own) - start
    # where the survey sends a catalogue, it must know a star here
    is_listed = (star_distance_arcsec < max_arcsec) & (star_score >= min_star_score)
    is_star = (star > flux_from_mag(max_star_mag)) & (is_listed | np.isnan(star_distance_arcsec))
    is_deep = (own_depth >= min_depth) & (deepest <= max_depth)
    is_long = (points >= min_points) & (days >= min_days) & (n_quiet >= min_quiet_points)
    return {
        "dipper_depth": np.where(own_depth > 0, np.minimum(own_depth, 1.0), np.nan),
        "dipper_days": days,
        "dipper_points": points,
        "is_dipper": is_star & is_deep & is_long & (step <= max_step) & ~was_brighter & ~has_bad_pixels,
    }


def _dips(
    curve: LightCurves, own: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_], NDArray[np.int64]]:
    """Epochs of each alert's band, whose they are, which are in the run of faint ones at its end; how many are not."""
    row = owners(curve.offsets)
    keep = np.isin(curve.kind, (DETECTION, LOW_QUALITY, FORCED, UPPER_LIMIT)) & (
        curve.band == taken(curve.band, own)[row]
    )
    order, _ = by_band(curve.offsets, curve.band, keep, len(BANDS))
    who = row[order]
    # a limit means that the star was as in the template; so does forced photometry within three errors
    is_faint = (curve.flux < 0) & ((curve.kind != FORCED) | (curve.flux < -3.0 * curve.flux_err))
    last_break = np.full(len(curve), -1)
    np.maximum.at(last_break, who[~is_faint[order]], np.flatnonzero(~is_faint[order]))
    n_quiet = np.bincount(who[~is_faint[order]], minlength=len(curve))
    return order, who, np.arange(len(order)) > last_break[who], n_quiet


def _shape(
    mjd: Array, depth: Array, who: NDArray[np.int64], in_dip: NDArray[np.bool_], n: int
) -> tuple[Array, Array, Array]:
    """Start and greatest depth of each dip, and its largest step between neighbours relative to that depth."""
    start, deepest, step = np.full(n, np.inf), np.full(n, -np.inf), np.zeros(n)
    np.minimum.at(start, who[in_dip], mjd[in_dip])
    np.fmax.at(deepest, who[in_dip], depth[in_dip])
    is_pair = in_dip[1:] & in_dip[:-1] & (who[1:] == who[:-1])
    np.fmax.at(step, who[1:][is_pair], np.abs(np.diff(depth))[is_pair])
    return np.where(np.isfinite(start), start, np.nan), np.where(np.isfinite(deepest), deepest, np.nan), step / deepest
