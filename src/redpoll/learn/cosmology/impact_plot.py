"""Plot of the bias of w and of the earth-mover distance by fraction of contaminants, one line a class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redpoll.learn.cosmology.impact import ContaminantImpact
from redpoll.learn.drawing import new_figure

_MEASURES = {"bias": "bias of w", "distance": "earth-mover distance"}


def plot_impact(found: Sequence[ContaminantImpact]) -> Any:
    """A figure of matplotlib: means with 95 % intervals, beside the width of the posterior of pure samples."""
    figure, axes = new_figure(9.0, 4.0, len(_MEASURES))
    pure = found[0].figures["width"].value
    kinds = list(dict.fromkeys(each.kind for each in found if each.rate))
    for axis, (measure, label) in zip(axes, _MEASURES.items(), strict=True):
        axis.axhspan(-pure if measure == "bias" else 0.0, pure, color="0.9", label="error of w, pure sample")
        for kind in kinds:
            rows = [each for each in found if each.kind == kind]
            line = [each.figures[measure] for each in rows]
            spread = [[f.value - f.low for f in line], [f.high - f.value for f in line]]
            axis.errorbar([100 * r.rate for r in rows], [f.value for f in line], spread, marker="o", ms=3, label=kind)
        axis.set(xlabel="contaminants [%]", ylabel=label)
    axes[0].legend(fontsize=8, frameon=False)
    return figure
