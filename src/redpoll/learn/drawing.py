"""Plots by matplotlib, which comes with the extra ``redpoll[learn]``; drawn to bytes, without a display."""

from __future__ import annotations

from importlib import import_module
from io import BytesIO
from typing import Any

from redpoll.errors import ModelError
from redpoll.learn.extras import needing


def require_plots() -> None:
    """ModelError if matplotlib is not installed."""
    with needing("a plot", "matplotlib", error=ModelError):
        import_module("matplotlib")


def new_figure(
    width: float, height: float, n_columns: int = 1, n_rows: int = 1, *, sharex: bool = False
) -> tuple[Any, list[Any]]:
    """A figure of matplotlib [inches] and its axes, row by row.

    Raises
    ------
    ModelError
        If matplotlib is not installed.
    """
    require_plots()
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, [*figure.subplots(n_rows, n_columns, squeeze=False, sharex=sharex).ravel()]


def figure_bytes(figure: Any, kind: str) -> bytes:
    """A figure as a file, "svg" or "png"; the same bytes for the same figure and version of matplotlib."""
    from matplotlib import rc_context

    out = BytesIO()
    with rc_context({"svg.hashsalt": "redpoll"}):
        figure.savefig(out, format=kind, dpi=150, metadata={"Date" if kind == "svg" else "Software": None})
    return out.getvalue()
