"""Science module: whether the source varies as the discs of active galaxies do."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from redpoll import Column, science_module
from redpoll.astro.damped_random_walk import damped_random_walk_fit
from redpoll.astro.ragged import by_band, scattered, some_parts
from redpoll.schema.bands import BANDS, DETECTION, FORCED
from redpoll.schema.light_curve import LightCurves

Floats = NDArray[np.float32]
OUTPUTS = {
    "drw_tau": Column(
        "float32", "d", "Damping time of the walk in the best-sampled band; null below min_points.", indexed=False
    ),
    "drw_tau_err": Column("float32", "d", "Error of drw_tau; null where the data do not bound it.", indexed=False),
    "drw_sigma": Column("float32", "nJy", "Standard deviation of the walk over long times.", indexed=False),
    "drw_delta_bic": Column("float32", doc="BIC of white noise less that of the walk: above 0, a walk.", indexed=False),
    "is_agn_candidate": Column(
        "bool", doc="A damped walk at a catalogued source that does not move.", assigns="agn", indexed=False
    ),
}


@science_module(version="1", outputs=OUTPUTS, compile_group="curve_fitting")
def agn(
    light_curve: LightCurves,
    star_distance_arcsec: Floats,
    host_arcsec: Floats,
    gaia_parallax: Floats,
    gaia_parallax_err: Floats,
    gaia_pm_ra: Floats,
    gaia_pm_dec: Floats,
    roid: NDArray[np.int8],
    is_periodic: NDArray[np.bool_],
    *,
    min_points: int = 20,
    max_points: int = 300,
    min_delta_bic: float = 10.0,
    min_tau: float = 5.0,
    min_lengths: float = 10.0,
    max_offset_arcsec: float = 1.0,
    max_parallax_snr: float = 5.0,
    max_pm: float = 10.0,
) -> dict[str, NDArray[np.generic]]:
    """Damped random walk of the newest difference fluxes in the band with most points, and a candidate flag by rule.

    A candidate has a walk that beats white noise by `min_delta_bic`, with a damping time that the data bound, of at
    least `min_tau` and seen for `min_lengths` times as long, as shorter curves bring out whatever they are long; lies
    within `max_offset_arcsec` of a catalogued source or galaxy; has neither a period nor, where Gaia saw it, a parallax
    or a proper motion (`max_pm` mas/yr). Thirty days of ZTF cannot show it: the answer is for packets with a long
    history. Slow pulsators pass for walks if Gaia is missing.

    References
    ----------
    Kelly, Bechtold & Siemiginowska 2009, ApJ 698, 895; MacLeod et al. 2011, ApJ 728, 26; Butler & Bloom 2011, AJ 141,
    93; Kozlowski 2017, A&A 597, A128, for the length.
    """
    n, curve = len(light_curve), light_curve.of_kind(DETECTION, FORCED).newest(max_points)
    order, parts = by_band(curve.offsets, curve.band, np.isfinite(curve.flux), len(BANDS))
    counts = np.diff(parts).reshape(-1, len(BANDS))
    rows = np.flatnonzero(counts.max(axis=1, initial=0) >= min_points)
    index, offsets = some_parts(order, parts, rows * len(BANDS) + counts[rows].argmax(axis=1))
    walk = damped_random_walk_fit(curve.mjd[index], curve.flux[index], curve.flux_err[index], offsets)
    found = (walk.tau, walk.tau_err, walk.sigma, walk.delta_bic_white)
    tau, tau_err, sigma, delta_bic = (scattered(values, rows, n) for values in found)
    days = scattered(curve.mjd[index[offsets[1:] - 1]] - curve.mjd[index[offsets[:-1]]], rows, n)
    is_walk = (delta_bic >= min_delta_bic) & (tau >= min_tau) & (tau_err < tau) & (days >= min_lengths * tau)
    is_there = (star_distance_arcsec <= max_offset_arcsec) | (host_arcsec <= max_offset_arcsec)
    moves = (gaia_parallax > max_parallax_snr * gaia_parallax_err) | (np.hypot(gaia_pm_ra, gaia_pm_dec) > max_pm)
    is_candidate = is_walk & is_there & ~moves & ~is_periodic & (roid < 2)
    return dict(zip(OUTPUTS, (tau, tau_err, sigma, delta_bic, is_candidate), strict=True))
