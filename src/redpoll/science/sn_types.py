"""Science module: probabilities of the supernova types, for supernovae with a sampled peak."""

from __future__ import annotations

import numpy as np

from redpoll import Model, class_scores, probability, science_module
from redpoll.typing import Arrays, Floats, Ints

_TYPES = {"sn_ia": "Ia", "sn_ibc": "Ib or Ic", "sn_ii": "II", "slsn": "superluminous"}
OUTPUTS = {
    f"p_{name}": probability(f"Type {title}: 0..1; null without a fitted shape.", assigns=name)
    for name, title in _TYPES.items()
}


@science_module(version="2", model="sn_types", outputs=OUTPUTS)
def sn_types(
    shape_rise_time: Floats,
    shape_fall_time: Floats,
    shape_phase: Floats,
    shape_temperature_early: Floats,
    shape_temperature_late: Floats,
    shape_colour_time: Floats,
    shape_snr: Floats,
    shape_chi2: Floats,
    shape_days: Floats,
    mag: Floats,
    colour_g_r: Floats,
    mag_rate: Floats,
    peak_days: Floats,
    faded_mag: Floats,
    shape_points: Ints,
    model: Model,
) -> Arrays:
    """Scores of the model "sn_types", from the fit of `rainbow_shape`, the colour and the rates.

    The inputs are its features, in this order; any may be missing, since the model knows what to do then.
    The model's classes are "other" and then those of the outputs, so that the scores do not add up to one for a source
    that is no supernova.

    References
    ----------
    Boone 2019, AJ 158, 257, for types from photometry; the features are those of Russeil et al. 2024.
    """
    scores = class_scores(
        model, shape_rise_time, shape_fall_time, shape_phase, shape_temperature_early, shape_temperature_late,
        shape_colour_time, shape_snr, shape_chi2, shape_days, mag, colour_g_r, mag_rate, peak_days, faded_mag,
        shape_points, n_classes=len(_TYPES), where=np.asarray(shape_points) > 0,
    )  # fmt: skip
    return dict(zip(OUTPUTS, scores.T, strict=True))
