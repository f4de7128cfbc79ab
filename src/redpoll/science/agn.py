"""Science module: candidates for active galactic nuclei, by their damped random walk."""

from __future__ import annotations

import numpy as np

from redpoll import feature, flag, science_module
from redpoll.conditions import is_solar_system
from redpoll.curve_fitting import measured
from redpoll.light_curves import BANDS, DETECTION, FORCED, LightCurves, averaged, fitted_columns
from redpoll.statistics import BandSeries, damped_random_walk_fit
from redpoll.typing import Arrays, Bools, Floats, Texts

OUTPUTS = {
    "drw_tau": feature("d", "Damping time of the walk in the best-sampled band; null if the data do not bound it."),
    "drw_tau_err": feature("d", "Error of drw_tau."),
    "drw_sigma": feature(
        "nJy", "Standard deviation of the walk over times much longer than drw_tau; null without drw_tau."
    ),
    "drw_delta_bic": feature("", "BIC of white noise minus BIC of the walk: positive favours the walk."),
    "is_agn_candidate": flag("A damped random walk at a catalogued source that does not move.", assigns="agn"),
}


@science_module(version="4", outputs=OUTPUTS, compile_group="curve_fitting")
def agn(
    light_curve: LightCurves,
    star_distance_arcsec: Floats,
    host_arcsec: Floats,
    gaia_parallax: Floats,
    gaia_parallax_err: Floats,
    gaia_pm_ra: Floats,
    gaia_pm_dec: Floats,
    roid: Texts,
    is_periodic: Bools,
    *,
    min_points: int = 20,
    max_points: int = 300,
    visit_days: float = 0.5,
    min_delta_bic: float = 10.0,
    min_tau: float = 5.0,
    min_lengths: float = 10.0,
    max_offset_arcsec: float = 1.0,
    max_parallax_snr: float = 5.0,
    max_pm: float = 10.0,
) -> Arrays:
    """Damped random walk of the newest difference fluxes in the band with most points, and a candidate flag by rule.

    Points of one band within `visit_days` are averaged: a field visited hundreds of times a night is followed for years
    and not for days. The light curve is [stepwise](../../explanation/answer-cache.md): it grows by a tenth at a time.
    The walk of a candidate is preferred to white noise by `min_delta_bic`. Its damping time is bounded by the data, at
    least `min_tau`, and observed for `min_lengths` times as long: shorter light curves give a damping time that depends
    on their length alone. A candidate lies within `max_offset_arcsec` of a catalogued source or galaxy and has, where
    Gaia measured it, neither a parallax nor a proper motion (`max_pm` mas/yr). What has a period or belongs to the
    Solar System is not fitted. Slow pulsators are confused with walks if Gaia is missing.

    References
    ----------
    Kelly, Bechtold & Siemiginowska 2009, ApJ 698, 895; MacLeod et al. 2011, ApJ 728, 26; Butler & Bloom 2011, AJ 141,
    93; Kozlowski 2017, A&A 597, A128, for the length.
    """
    curve = averaged(light_curve.stepwise.of_kind(DETECTION, FORCED), visit_days).newest(max_points)
    series = BandSeries.of(curve, np.isfinite(curve.flux))
    may_walk = ~is_periodic & ~is_solar_system(roid)
    rows = np.flatnonzero(may_walk & (series.counts.max(axis=1) >= min_points))
    best = series.chosen(rows * len(BANDS) + series.counts[rows].argmax(axis=1))
    walk = damped_random_walk_fit(best.mjd, best.flux, best.flux_err, best.offsets, use_cache=True)
    is_walk = (walk.delta_bic_white >= min_delta_bic) & (walk.tau >= min_tau) & (walk.tau_err < walk.tau)
    is_walk &= best.days() >= min_lengths * walk.tau
    is_there = (star_distance_arcsec <= max_offset_arcsec) | (host_arcsec <= max_offset_arcsec)
    moves = (gaia_parallax > max_parallax_snr * gaia_parallax_err) | (np.hypot(gaia_pm_ra, gaia_pm_dec) > max_pm)
    is_candidate = is_walk & (is_there & ~moves)[rows]
    tau, sigma = measured(walk.tau, walk.tau_err), measured(walk.sigma, walk.tau_err)
    found = (tau, walk.tau_err, sigma, walk.delta_bic_white, is_candidate)
    return fitted_columns(OUTPUTS, rows, len(light_curve), *found)
