"""Science module: probability that a rising source is a type Ia supernova."""

from __future__ import annotations

import numpy as np

from redpoll import Model, class_scores, probability, science_module
from redpoll.typing import Floats, Ints

OUTPUTS = {"p_early_sn_ia": probability("0..1; null without the trained model or a fitted rise.", assigns="sn_ia")}


@science_module(version="1", model="early_sn_ia", outputs=OUTPUTS)
def early_sn_ia(
    rainbow_rise_time: Floats,
    rainbow_rise_phase: Floats,
    rainbow_temperature: Floats,
    rainbow_rise_snr: Floats,
    rainbow_rise_chi2: Floats,
    rainbow_rise_points: Ints,
    mag: Floats,
    age: Floats,
    model: Model,
    *,
    max_phase: float = 30.0,
) -> Floats:
    """Score of the model "early_sn_ia", trained by active learning, from the fit of `rainbow_rise`.

    The inputs are its features, in this order. The score is null if the source reached its plateau more than
    `max_phase` days ago. No feature requires two particular bands.

    References
    ----------
    Leoni et al. 2022, A&A 663, A13 (arXiv:2111.11438).
    """
    features = (
        rainbow_rise_time, rainbow_rise_phase, rainbow_temperature, rainbow_rise_snr, rainbow_rise_chi2,
        rainbow_rise_points, mag, age,
    )  # fmt: skip
    scores = class_scores(model, *features)
    return np.where(rainbow_rise_phase <= max_phase, scores, np.float32(np.nan))
