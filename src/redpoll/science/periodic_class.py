"""Science module: probabilities of the kinds of periodic variable stars."""

from __future__ import annotations

from redpoll import Column, Model, class_scores, science_module
from redpoll.typing import Arrays, Bools, Floats

_KINDS = {
    "rr_lyrae": "RR Lyrae", "cepheid": "Cepheid", "delta_scuti": "delta Scuti", "eclipsing_binary": "eclipsing binary",
    "long_period_variable": "long-period variable",
}  # fmt: skip
OUTPUTS = {
    f"p_{name}": Column("float32", doc=f"{title}: 0..1; null without a significant period.", assigns=name)
    for name, title in _KINDS.items()
}


@science_module(version="3", model="periodic_class", outputs=OUTPUTS)
def periodic_class(
    period: Floats,
    period_log10_fap: Floats,
    period_power: Floats,
    period_margin: Floats,
    anomaly_skew: Floats,
    anomaly_kurtosis: Floats,
    anomaly_amplitude: Floats,
    anomaly_beyond_1_std: Floats,
    period_amplitude: Floats,
    colour_g_r: Floats,
    is_periodic: Bools,
    model: Model,
) -> Arrays:
    """Scores of the model "periodic_class"; the inputs are its features, in this order; any may be missing.

    The scores are null for sources without a significant period.

    References
    ----------
    Sanchez-Saez et al. 2021, AJ 161, 141, for learned classes of periodic variables in an alert stream.
    """
    scores = class_scores(
        model, period, period_log10_fap, period_power, period_margin, anomaly_skew, anomaly_kurtosis,
        anomaly_amplitude, anomaly_beyond_1_std, period_amplitude, colour_g_r, is_periodic, n_classes=len(_KINDS),
        where=is_periodic,
    )  # fmt: skip
    return dict(zip(OUTPUTS, scores.T, strict=True))
