"""Science module: which kind of periodic variable a star probably is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from redpoll import Column, science_module
from redpoll.plugin.ports import Model
from redpoll.plugin.scores import class_scores

_KINDS = {
    "rr_lyrae": "RR Lyrae", "cepheid": "Cepheid", "delta_scuti": "delta Scuti", "eclipsing_binary": "eclipsing binary",
    "long_period_variable": "long-period variable",
}  # fmt: skip
OUTPUTS = {
    f"p_{name}": Column("float32", doc=f"{title}: 0..1; null without the model or a significant period.", assigns=name)
    for name, title in _KINDS.items()
}


@science_module(version="2", model="periodic_class", outputs=OUTPUTS)
def periodic_class(
    period: NDArray[np.float32],
    period_log10_fap: NDArray[np.float32],
    period_power: NDArray[np.float32],
    period_log10_odds: NDArray[np.float32],
    anomaly_skew: NDArray[np.float32],
    anomaly_kurtosis: NDArray[np.float32],
    anomaly_amplitude: NDArray[np.float32],
    anomaly_beyond_1_std: NDArray[np.float32],
    is_periodic: NDArray[np.bool_],
    model: Model,
) -> dict[str, NDArray[np.float32]]:
    """Scores of the model "periodic_class"; the inputs are its features, in this order.

    Sources without a significant period have no answer.

    References
    ----------
    Sanchez-Saez et al. 2021, AJ 161, 141, for learned classes of periodic variables in an alert stream.
    """
    scores = class_scores(
        model, period, period_log10_fap, period_power, period_log10_odds, anomaly_skew, anomaly_kurtosis,
        anomaly_amplitude, anomaly_beyond_1_std, is_periodic, n_classes=len(_KINDS),
    )  # fmt: skip
    return dict(zip(OUTPUTS, np.where(is_periodic, scores.T, np.float32(np.nan)), strict=True))
