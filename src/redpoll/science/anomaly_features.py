"""Science module: features for anomaly detection, from the light curve in the best-sampled band."""

from __future__ import annotations

import numpy as np

from redpoll import feature, science_module
from redpoll.light_curves import LightCurves, is_positive_detection
from redpoll.statistics import FEATURES, BandSeries, light_curve_statistics
from redpoll.typing import Arrays

_LEFT_OUT = ("mean", "weighted_mean", "median", "mean_variance", "percent_amplitude", "linear_fit_slope_sigma")
"""Statistics of the mean brightness, which has nothing to do with shape, or nearly equal to others that are kept."""
_KEPT = tuple(name for name in FEATURES if name not in _LEFT_OUT)
OUTPUTS = {
    "anomaly_n_points": feature("", "Detections behind the features; null below min_points."),
    "anomaly_days": feature("", "Time from the first to the last of these detections [d]."),
    "anomaly_band_fraction": feature("", "Fraction of all detections that are in that band."),
    **{f"anomaly_{name}": feature("", f"Statistic '{name}' of that band's magnitudes.") for name in _KEPT},
}


@science_module(version="2", outputs=OUTPUTS, compile_group="statistics")
def anomaly_features(packet_light_curve: LightCurves, *, min_points: int = 4) -> Arrays:
    """Statistics of the magnitudes in the band with most detections, none of which depends on the band's name.

    One vector serves both surveys, so that a personal anomaly detector (an isolation forest that learns from an
    expert's labels) has no column that is empty for half of the stream, as features per band are. Of bands with
    equally many detections the bluest is used. Where a statistic is undefined (no spread to divide by) it is null.
    They are of the packet's measurements alone: what a detector learned from must not depend on how long a store has
    run.

    References
    ----------
    Malanchev et al. 2021, MNRAS 502, 5147, for the statistics; Das et al. 2017, arXiv:1708.09441, for their use.
    """
    series = BandSeries.of(packet_light_curve, is_positive_detection(packet_light_curve))
    best = series.chosen(series.best_sampled())
    n = np.diff(best.offsets)
    found = light_curve_statistics(best.mjd, best.mag, best.mag_err, best.offsets)
    of_band = [n, best.days(), n / np.maximum(series.counts.sum(axis=1), 1)]
    columns = [*of_band, *(found[:, FEATURES.index(name)] for name in _KEPT)]
    return {name: np.where(n >= min_points, x, np.nan) for name, x in zip(OUTPUTS, columns, strict=True)}
