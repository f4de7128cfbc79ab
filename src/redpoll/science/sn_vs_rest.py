"""Science module: how probably a source is a supernova of any type."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from redpoll import Column, science_module
from redpoll.plugin.ports import Model
from redpoll.plugin.scores import class_scores

OUTPUTS = {
    "p_sn": Column(
        "float32", doc="0..1; null without the trained model or a light curve to score.", aggregate="max", assigns="sn"
    )
}


@science_module(version="1", model="sn_vs_rest", outputs=OUTPUTS)
def sn_vs_rest(
    anomaly_n_points: NDArray[np.float32],
    anomaly_days: NDArray[np.float32],
    anomaly_amplitude: NDArray[np.float32],
    anomaly_skew: NDArray[np.float32],
    anomaly_linear_trend: NDArray[np.float32],
    anomaly_maximum_slope: NDArray[np.float32],
    anomaly_linear_fit_reduced_chi2: NDArray[np.float32],
    rainbow_rise_time: NDArray[np.float32],
    rainbow_temperature: NDArray[np.float32],
    rainbow_rise_chi2: NDArray[np.float32],
    mag: NDArray[np.float32],
    age: NDArray[np.float32],
    model: Model,
) -> NDArray[np.float32]:
    """Score of the model "sn_vs_rest": supernovae against stars, active galaxies, asteroids and artefacts.

    The inputs are its features, in this order: the shape of the best-sampled band (`anomaly_features`) and the fitted
    rise (`rainbow_rise`). They exist for both surveys and name no band.

    References
    ----------
    Moller & de Boissiere 2020, MNRAS 491, 4277, for the question; the features are those of the modules named.
    """
    return class_scores(
        model, anomaly_n_points, anomaly_days, anomaly_amplitude, anomaly_skew, anomaly_linear_trend,
        anomaly_maximum_slope, anomaly_linear_fit_reduced_chi2, rainbow_rise_time, rainbow_temperature,
        rainbow_rise_chi2, mag, age,
    )  # fmt: skip
