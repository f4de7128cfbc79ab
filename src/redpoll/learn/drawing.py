"""Plots by matplotlib, which comes with the extra ``redpoll[learn]``; drawn to bytes, without a display."""

from __future__ import annotations

from io import BytesIO
from typing import Any, Literal

from redpoll.errors import RedpollError


def new_figure(width: float, height: float, n_columns: int = 1) -> tuple[Any, list[Any]]:
    """A figure of matplotlib [inches] and its axes, side by side.

    Raises
    ------
    RedpollError
        If matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise RedpollError("plots need matplotlib: pip install 'redpoll[learn]'") from error
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, [*figure.subplots(1, n_columns, squeeze=False)[0]]


def figure_bytes(figure: Any, kind: Literal["png", "svg"]) -> bytes:
    """A figure as a file of an image; the same bytes for the same figure."""
    from matplotlib import rc_context

    out = BytesIO()
    with rc_context({"svg.hashsalt": "redpoll"}):
        figure.savefig(out, format=kind, dpi=150, metadata={"Date" if kind == "svg" else "Software": None})
    return out.getvalue()
