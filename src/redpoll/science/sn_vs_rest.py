"""Science module: probability that a source is a supernova of any type."""

from __future__ import annotations

from redpoll import Model, class_scores, probability, science_module
from redpoll.conditions import is_solar_system
from redpoll.typing import Floats, Ints, Texts

FEATURES = (
    "anomaly_n_points", "anomaly_days", "anomaly_amplitude", "anomaly_skew", "anomaly_linear_trend",
    "anomaly_maximum_slope", "anomaly_linear_fit_reduced_chi2", "rainbow_rise_time", "rainbow_temperature",
    "rainbow_rise_chi2", "mag", "age", "colour_g_r", "mag_rate", "peak_days", "faded_mag", "n_detections",
)  # fmt: skip
"""Features of the model, in this order."""
OUTPUTS = {"p_sn": probability("0..1; null for one detection alone and for the Solar System.", assigns="sn")}


@science_module(version="2", model="sn_vs_rest", features=FEATURES, outputs=OUTPUTS)
def sn_vs_rest(
    anomaly_n_points: Floats,
    anomaly_days: Floats,
    anomaly_amplitude: Floats,
    anomaly_skew: Floats,
    anomaly_linear_trend: Floats,
    anomaly_maximum_slope: Floats,
    anomaly_linear_fit_reduced_chi2: Floats,
    rainbow_rise_time: Floats,
    rainbow_temperature: Floats,
    rainbow_rise_chi2: Floats,
    mag: Floats,
    age: Floats,
    colour_g_r: Floats,
    mag_rate: Floats,
    peak_days: Floats,
    faded_mag: Floats,
    n_detections: Ints,
    roid: Texts,
    model: Model,
    *,
    min_detections: int = 2,
) -> Floats:
    """Score of the model "sn_vs_rest": supernovae against stars, active galaxies and artefacts.

    The inputs but the last are its features, in this order: the shape of the best-sampled band (`anomaly_features`),
    the fitted rise (`rainbow_rise`), colour, rates and age. Any may be missing, since the model knows what to do then.
    Scored are sources with `min_detections` or more that are nothing of the Solar System.

    References
    ----------
    Moller & de Boissiere 2020, MNRAS 491, 4277, for the question; the features are those of the modules named.
    """
    return class_scores(
        model, anomaly_n_points, anomaly_days, anomaly_amplitude, anomaly_skew, anomaly_linear_trend,
        anomaly_maximum_slope, anomaly_linear_fit_reduced_chi2, rainbow_rise_time, rainbow_temperature,
        rainbow_rise_chi2, mag, age, colour_g_r, mag_rate, peak_days, faded_mag, n_detections,
        where=(n_detections >= min_detections) & ~is_solar_system(roid),
    )  # fmt: skip
