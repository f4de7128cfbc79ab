"""Science module: probability that a source is a supernova of any type."""

from __future__ import annotations

from redpoll import Model, class_scores, probability, science_module
from redpoll.typing import Floats

OUTPUTS = {"p_sn": probability("0..1; null without the trained model or a light curve to score.", assigns="sn")}


@science_module(version="1", model="sn_vs_rest", outputs=OUTPUTS)
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
    model: Model,
) -> Floats:
    """Score of the model "sn_vs_rest": supernovae against stars, active galaxies, asteroids and artefacts.

    The inputs are its features, in this order: the shape of the best-sampled band (`anomaly_features`) and the fitted
    rise (`rainbow_rise`). They exist for both surveys and depend on no particular band.

    References
    ----------
    Moller & de Boissiere 2020, MNRAS 491, 4277, for the question; the features are those of the modules named.
    """
    return class_scores(
        model, anomaly_n_points, anomaly_days, anomaly_amplitude, anomaly_skew, anomaly_linear_trend,
        anomaly_maximum_slope, anomaly_linear_fit_reduced_chi2, rainbow_rise_time, rainbow_temperature,
        rainbow_rise_chi2, mag, age,
    )  # fmt: skip
