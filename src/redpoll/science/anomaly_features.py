"""Science module: the shape of the best-sampled band in numbers, for whoever looks for the unusual."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from redpoll import Column, science_module
from redpoll.astro.light_curve_statistics import FEATURES, light_curve_statistics
from redpoll.astro.photometry import mag_err_from_flux, mag_from_flux
from redpoll.astro.ragged import by_band, some_parts, taken
from redpoll.schema.bands import BANDS, DETECTION
from redpoll.schema.light_curve import LightCurves

_LEFT_OUT = ("mean", "weighted_mean", "median", "mean_variance", "percent_amplitude", "linear_fit_slope_sigma")
"""How bright a source is says nothing of its shape; the rest are close to others that are kept."""
_KEPT = tuple(feature for feature in FEATURES if feature not in _LEFT_OUT)
_OWN = {
    "anomaly_n_points": "Detections that the shape was taken from; null below min_points.",
    "anomaly_days": "Time from the first of them to the last [d].",
    "anomaly_band_share": "Share of all detections that are in that band.",
}
OUTPUTS = {
    **{name: Column("float32", doc=doc, indexed=False) for name, doc in _OWN.items()},
    **{
        f"anomaly_{feature}": Column("float32", doc=f"Statistic '{feature}' of that band's magnitudes.", indexed=False)
        for feature in _KEPT
    },
}


@science_module(version="1", outputs=OUTPUTS, compile_group="statistics")
def anomaly_features(light_curve: LightCurves, *, min_points: int = 4) -> dict[str, NDArray[np.float64]]:
    """Statistics of the magnitudes in the band with most detections, none of which depends on the band's name.

    One vector for both surveys, so that a personal anomaly detector (an isolation forest that learns from an expert's
    answers) has no column that is empty for half of the stream, as features per band are. Of bands with equally
    many detections the bluest counts. Where a statistic is undefined (no spread to divide by) it is null, and a
    detector has no answer.

    References
    ----------
    Malanchev et al. 2021, MNRAS 502, 5147, for the statistics; Das et al. 2017, arXiv:1708.09441, for their use.
    """
    flux = light_curve.flux.astype(np.float64)
    keep = (light_curve.kind == DETECTION) & (flux > 0)
    order, parts = by_band(light_curve.offsets, light_curve.band, keep, len(BANDS))
    counts = np.diff(parts).reshape(-1, len(BANDS))
    chosen, offsets = some_parts(order, parts, counts.argmax(axis=1) + len(BANDS) * np.arange(len(counts)))
    n = np.diff(offsets)
    mag, err = mag_from_flux(flux[chosen]), mag_err_from_flux(flux[chosen], light_curve.flux_err[chosen])
    mjd = light_curve.mjd[chosen]
    found = light_curve_statistics(mjd, mag, err, offsets)
    own = [n, _span(mjd, offsets), n / np.maximum(counts.sum(axis=1), 1)]
    columns = [*own, *(found[:, FEATURES.index(feature)] for feature in _KEPT)]
    return {name: np.where(n >= min_points, x, np.nan) for name, x in zip(OUTPUTS, columns, strict=True)}


def _span(mjd: NDArray[np.float64], offsets: NDArray[np.int64]) -> NDArray[np.float64]:
    is_some = np.diff(offsets) > 0
    return taken(mjd, np.where(is_some, offsets[1:] - 1, -1)) - taken(mjd, np.where(is_some, offsets[:-1], -1))
