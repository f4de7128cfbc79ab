"""Science module: probability that a rising source is a type Ia supernova."""

from __future__ import annotations

import numpy as np

from redpoll import Model, class_scores, probability, science_module
from redpoll.typing import Floats, Ints

OUTPUTS = {"p_early_sn_ia": probability("0..1; null without a fitted rise, or long after it.", assigns="sn_ia")}


@science_module(version="2", model="early_sn_ia", outputs=OUTPUTS)
def early_sn_ia(
    rainbow_rise_time: Floats,
    rainbow_rise_phase: Floats,
    rainbow_temperature: Floats,
    rainbow_rise_snr: Floats,
    rainbow_rise_chi2: Floats,
    rainbow_rise_points: Ints,
    mag: Floats,
    age: Floats,
    colour_g_r: Floats,
    mag_rate: Floats,
    peak_days: Floats,
    faded_mag: Floats,
    anomaly_days: Floats,
    anomaly_maximum_slope: Floats,
    model: Model,
    *,
    max_phase: float = 30.0,
) -> Floats:
    """Score of the model "early_sn_ia", from the fit of `rainbow_rise` and the light curve's colour and rates.

    The inputs are its features, in this order; any may be missing, since the model knows what to do then. The score is
    null without a fit, or if the source reached its plateau more than `max_phase` days ago.

    References
    ----------
    Leoni et al. 2022, A&A 663, A13 (arXiv:2111.11438).
    """
    features = (
        rainbow_rise_time, rainbow_rise_phase, rainbow_temperature, rainbow_rise_snr, rainbow_rise_chi2,
        rainbow_rise_points, mag, age, colour_g_r, mag_rate, peak_days, faded_mag, anomaly_days, anomaly_maximum_slope,
    )  # fmt: skip
    is_early = (np.asarray(rainbow_rise_points) > 0) & ~(rainbow_rise_phase > max_phase)
    return class_scores(model, *features, where=is_early)
