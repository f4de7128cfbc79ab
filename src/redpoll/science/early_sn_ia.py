"""Science module: how probably a rising source is a type Ia supernova."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from redpoll import Column, science_module
from redpoll.plugin.ports import Model
from redpoll.plugin.scores import class_scores

OUTPUTS = {
    "p_early_sn_ia": Column(
        "float32",
        doc="0..1; null without the trained model, a fitted rise, or a colour.",
        aggregate="max",
        assigns="sn_ia",
    )
}


@science_module(version="1", model="early_sn_ia", outputs=OUTPUTS)
def early_sn_ia(
    rainbow_rise_time: NDArray[np.float32],
    rainbow_rise_phase: NDArray[np.float32],
    rainbow_temperature: NDArray[np.float32],
    rainbow_rise_snr: NDArray[np.float32],
    rainbow_rise_chi2: NDArray[np.float32],
    rainbow_rise_points: NDArray[np.int32],
    mag: NDArray[np.float32],
    age: NDArray[np.float32],
    model: Model,
    *,
    max_phase: float = 30.0,
) -> NDArray[np.float32]:
    """Score of the model "early_sn_ia", trained by active learning, from the fit of `rainbow_rise`.

    The inputs are its features, in this order. A source that came to its plateau more than `max_phase` days ago is no
    longer early and has no answer. None of the features asks for two particular bands.

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
