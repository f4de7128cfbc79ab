"""Science module: afterglows of gamma-ray bursts that nobody saw, by their fading in several bands."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll import Column, science_module
from redpoll.astro.photometry import mag_err_from_flux, mag_from_flux
from redpoll.astro.ragged import by_band, last_of_each, owners, scattered, taken
from redpoll.astro.straight_lines import LineSums, line_sums
from redpoll.schema.bands import BANDS, DETECTION, UPPER_LIMIT
from redpoll.schema.light_curve import LightCurves

Array = NDArray[np.float64]
_STARTS = 24
OUTPUTS = {
    "afterglow_decay": Column(
        "float32", doc="Index of the power law t^-decay of all bands; null if not fitted.", indexed=False
    ),
    "afterglow_decay_err": Column(
        "float32", doc="One-sigma error of the index, the time of the burst held fixed.", indexed=False
    ),
    "afterglow_chi2": Column("float32", doc="Chi-square per degree of freedom of the power law.", indexed=False),
    "afterglow_fade": Column(
        "float32", "mag/d", "Slope of a straight line in magnitudes that all bands share.", indexed=False
    ),
    "afterglow_chromatic": Column(
        "float32", doc="How many sigma a slope of its own for each band improves on the common one.", indexed=False
    ),
    "is_orphan_afterglow": Column(
        "bool",
        doc="Fades as an afterglow where nothing lies; false if it cannot be told.",
        assigns="orphan_afterglow",
        indexed=False,
    ),
}


@science_module(version="1", outputs=OUTPUTS, compile_group="statistics")
def orphan_afterglow(
    light_curve: LightCurves,
    is_good: NDArray[np.bool_],
    roid: NDArray[np.integer[Any]],
    age: NDArray[np.float32],
    reference_mag: NDArray[np.float32],
    reference_distance_arcsec: NDArray[np.float32],
    star_score: NDArray[np.float32],
    star_distance_arcsec: NDArray[np.float32],
    *,
    min_points: int = 5,
    min_bands: int = 2,
    max_age: float = 30.0,
    min_decay: float = 0.6,
    max_decay: float = 4.0,
    min_fade: float = 0.15,
    max_chi2: float = 4.0,
    max_chromatic: float = 3.0,
    max_start_days: float = 5.0,
    min_host_arcsec: float = 1.5,
) -> dict[str, NDArray[Any]]:
    """Power law and straight line through the detections since the brightest, the bands sharing one slope.

    At least `min_points` detections in `min_bands` bands, of sources at most `max_age` days old. The time of the burst
    is the one of 24 that fits best, from the last upper limit before the first detection, or `max_start_days` before
    it, to just before it. A candidate falls all the time, equally fast in all bands, with an index from `min_decay` to
    `max_decay`, and neither a star nor a galaxy nor anything in the template lies within `min_host_arcsec`.

    References
    ----------
    Sari, Piran & Halpern 1999, ApJ 519, L17 (indices and breaks); Ho et al. 2020, ApJ 905, 98 (cuts on ZTF alerts);
    Masson & Bregeon 2024, A&A 691, A347 (features for Fink, of an exponential with a line instead).
    """
    found = _fits(light_curve, age <= max_age, min_points, min_bands, max_start_days)
    decay, fade = found["afterglow_decay"], found["afterglow_fade"]
    is_empty = ~(star_distance_arcsec < min_host_arcsec)
    is_empty &= ~(np.isfinite(reference_mag) & ~(reference_distance_arcsec >= min_host_arcsec))
    is_like = (decay >= min_decay) & (decay <= max_decay) & (fade >= min_fade)
    is_like &= (found["afterglow_chi2"] <= max_chi2) & ~(found["afterglow_chromatic"] > max_chromatic)
    return found | {"is_orphan_afterglow": is_good & (roid < 2) & is_empty & is_like}


def _fits(
    curve: LightCurves, is_young: NDArray[np.bool_], min_points: int, min_bands: int, max_start_days: float
) -> dict[str, Array]:
    """The numbers of the curves that have points enough; NaN for the others."""
    order, parts, starts = _fading_points(curve, is_young, max_start_days)
    counts = np.diff(parts).reshape(-1, len(BANDS))
    n_series = (counts > 0).sum(axis=1)
    is_rich = (counts.sum(axis=1) >= max(min_points, 3)) & (n_series >= max(min_bands, 1))
    rows = np.flatnonzero(is_rich & (counts.sum(axis=1) > n_series + 1))
    order = order[np.isin(owners(parts) // len(BANDS), rows)]
    parts = np.concatenate([[0], np.cumsum(counts[rows])])
    flux, err, time = curve.flux[order].astype(np.float64), curve.flux_err[order], curve.mjd[order]
    mag, mag_err = mag_from_flux(flux), mag_err_from_flux(flux, err)
    straight = line_sums(time, mag, mag_err, parts).together(len(BANDS))
    bands = _best_power_law(time, mag, mag_err, parts, starts[:, rows])
    power = bands.together(len(BANDS))
    numbers = {
        "afterglow_decay": power.slope / 2.5,
        "afterglow_decay_err": power.slope_err / 2.5,
        "afterglow_chi2": power.chi2 / power.degrees_of_freedom,
        "afterglow_fade": straight.slope,
        "afterglow_chromatic": _chromatic(bands, power),
    }
    return {name: scattered(values, rows, len(curve)) for name, values in numbers.items()}


def _fading_points(
    curve: LightCurves, is_young: NDArray[np.bool_], max_start_days: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], Array]:
    """Positive detections of the young from the brightest on, by band; when it began at the earliest, and latest."""
    row, n = owners(curve.offsets), len(curve)
    keep = (curve.kind == DETECTION) & (curve.flux > 0) & (curve.flux_err > 0) & is_young[row]
    first = np.full(n, np.inf)
    np.minimum.at(first, row[keep], curve.mjd[keep])
    is_before = (curve.kind == UPPER_LIMIT) & (curve.mjd < first[row])
    limit = taken(curve.mjd, last_of_each(curve.offsets, is_before))
    start = np.fmax(limit, first - max_start_days)
    highest = np.full(n, -np.inf)
    np.fmax.at(highest, row[keep], curve.flux[keep])
    peak = np.full(n, np.inf)
    is_peak = keep & (curve.flux == highest[row])
    np.minimum.at(peak, row[is_peak], curve.mjd[is_peak])
    order, parts = by_band(curve.offsets, curve.band, keep & (curve.mjd >= peak[row]), len(BANDS))
    return order, parts, np.stack([start, first])


def _best_power_law(time: Array, mag: Array, mag_err: Array, parts: NDArray[np.int64], start: Array) -> LineSums:
    """Lines in magnitude against log10 of the time since the start that fits all bands best, one a band."""
    who = owners(parts) // len(BANDS)
    earliest, first = start
    best: LineSums | None = None
    for share in 1.0 - np.geomspace(1.0, 1e-3, _STARTS):
        since = time - (earliest + share * (first - earliest))[who]
        lines = line_sums(np.log10(np.maximum(since, 1e-6)), mag, mag_err, parts)
        if best is not None:
            is_worse = ~(lines.together(len(BANDS)).chi2 < best.together(len(BANDS)).chi2)
            lines = best.where(np.repeat(is_worse, len(BANDS)), lines)
        best = lines
    assert best is not None
    return best


def _chromatic(lines: LineSums, common: LineSums) -> Array:
    """Improvement in chi-square by slopes of their own, less their number, over its spread."""
    is_fitted = (lines.n >= 2) & (lines.xx > 0)
    own = np.where(is_fitted, lines.chi2, 0.0).reshape(-1, len(BANDS)).sum(axis=1)
    extra = is_fitted.reshape(-1, len(BANDS)).sum(axis=1) - 1
    return np.asarray((common.chi2 - own - extra) / np.sqrt(2.0 * np.where(extra > 0, extra, np.nan)))
