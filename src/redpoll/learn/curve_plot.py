"""Learning curves as a plot, in SVG or PNG."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from redpoll.errors import UsageError
from redpoll.learn.active_loop import CurvePoint
from redpoll.learn.drawing import figure_bytes, new_figure, require_plots
from redpoll.learn.learning_curves import METRICS, summary

FORMATS = ("svg", "png")
_COLUMNS, _SIZE, _BAND = 2, (8.0, 6.0), 0.15
_FIXED: Any = {"svg.fonttype": "none", "font.size": 9}


def plot_format(path: Path) -> str:
    """The format that the ending of a file names; UsageError if it is another."""
    name = path.suffix.lower().removeprefix(".")
    if name not in FORMATS:
        raise UsageError(f"{path}: a plot is a file that ends in .svg or .png")
    return name


def drawn_curves(
    curves: Sequence[Sequence[CurvePoint]], format: str, *, title: str = "", against: str = "queries"
) -> bytes:
    """A plot of every metric: means of the realisations, and the interval that holds the central 95 % of them.

    Parameters
    ----------
    curves
        The realisations; the strategies are drawn in the order of their first ones.
    format
        "svg" or "png". The same curves give the same bytes with the same version of matplotlib.
    against
        What runs from left to right: "queries", "cost" or "night".

    Raises
    ------
    ModelError
        If matplotlib is not installed.
    """
    require_plots()
    from matplotlib import rc_context

    rows, names = summary(curves), list(dict.fromkeys(curve[0].strategy for curve in curves if curve))
    with rc_context(_FIXED):
        figure, panels = new_figure(*_SIZE, _COLUMNS, len(METRICS) // _COLUMNS, sharex=True)
        for panel, metric in zip(panels, METRICS, strict=True):
            _draw(panel, rows, names, metric, against)
        for panel in panels[-_COLUMNS:]:
            panel.set_xlabel("night [MJD]" if against == "night" else against)
        panels[0].legend(fontsize="small")
        figure.suptitle(title)
        return figure_bytes(figure, format)


def _draw(panel: Any, rows: Sequence[dict[str, Any]], names: Sequence[str], metric: str, against: str) -> None:
    for name in names:
        mine = [row for row in rows if row["strategy"] == name]
        x = [row[against] for row in mine]
        (line,) = panel.plot(x, [row[metric] for row in mine], label=name, linewidth=1.2)
        low, high = ([row[f"{metric}_{end}"] for row in mine] for end in ("low", "high"))
        panel.fill_between(x, low, high, color=line.get_color(), alpha=_BAND, linewidth=0)
    panel.set_ylabel(metric.replace("_", " "))
    panel.grid(alpha=0.3)
