"""Science module: which type a supernova with a sampled peak probably is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from redpoll import Column, science_module
from redpoll.plugin.ports import Model
from redpoll.plugin.scores import class_scores

_TYPES = {"sn_ia": "Ia", "sn_ibc": "Ib or Ic", "sn_ii": "II", "slsn": "superluminous"}
OUTPUTS = {
    f"p_{name}": Column(
        "float32", doc=f"Type {title}: 0..1; null without the model or a fitted shape.", aggregate="max", assigns=name
    )
    for name, title in _TYPES.items()
}


@science_module(version="1", model="sn_types", outputs=OUTPUTS)
def sn_types(
    shape_rise_time: NDArray[np.float32],
    shape_fall_time: NDArray[np.float32],
    shape_phase: NDArray[np.float32],
    shape_temperature_early: NDArray[np.float32],
    shape_temperature_late: NDArray[np.float32],
    shape_colour_time: NDArray[np.float32],
    shape_snr: NDArray[np.float32],
    shape_chi2: NDArray[np.float32],
    shape_days: NDArray[np.float32],
    mag: NDArray[np.float32],
    model: Model,
) -> dict[str, NDArray[np.float32]]:
    """Scores of the model "sn_types", from the fit of `rainbow_shape`; the inputs are its features, in this order.

    The model's classes are "other" and then those of the outputs, so that the scores of a source that is no supernova
    need not add up to one.

    References
    ----------
    Boone 2019, AJ 158, 257, for types from photometry; the features are those of Russeil et al. 2024.
    """
    scores = class_scores(
        model, shape_rise_time, shape_fall_time, shape_phase, shape_temperature_early, shape_temperature_late,
        shape_colour_time, shape_snr, shape_chi2, shape_days, mag, n_classes=len(_TYPES),
    )  # fmt: skip
    return dict(zip(OUTPUTS, scores.T, strict=True))
