"""A light curve as SVG paths: two to four nodes a band, however many points there are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from redpoll.schema.bands import BANDS, FORCED, LOW_QUALITY, UPPER_LIMIT
from redpoll.serve.curve import Curve

WIDTH, HEIGHT = 860.0, 380.0
LEFT, RIGHT, TOP, BOTTOM = 52.0, 12.0, 12.0, 40.0
_MAX_BAR = 1.0  # mag; longer error bars do not widen the axis
SHAPES = {
    "u": "m0-4.4l4.2 3-1.6 5h-5.2l-1.6-5z",
    "g": "m-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0z",
    "r": "m-3.2-3.2h6.4v6.4h-6.4z",
    "i": "m-4.6 0l4.6-4.6 4.6 4.6-4.6 4.6z",
    "z": "m-4.2 3l4.2-7.2 4.2 7.2z",
    "y": "m-3.4-3.4l6.8 6.8m0-6.8l-6.8 6.8",
}
"""The mark of each band as a relative path: shape distinguishes bands where colour cannot."""
LIMIT_SHAPE = "m-3.6-2h7.2l-3.6 5.4z"
OTHER_SHAPE = "m-3.5 0h7m-3.5-3.5v7"


@dataclass(frozen=True)
class Mark:
    """The points of one band and style: their marks and their error bars as path data."""

    band: str
    style: str
    marks: str
    bars: str


@dataclass(frozen=True)
class Plot:
    """Everything the template needs to draw the curve; ticks are (position, label)."""

    marks: list[Mark]
    x_ticks: list[tuple[float, str]]
    y_ticks: list[tuple[float, str]]


def light_curve_plot(curve: Curve) -> Plot | None:
    """Magnitudes against MJD, brighter up; None if no point has a magnitude. Low-quality points are left out."""
    shown = drawn(curve)
    if not shown.any():
        return None
    x_low, x_high = _padded(curve.mjd[shown], 0.03, 0.5)
    error = np.clip(np.nan_to_num(curve.mag_err), 0, _MAX_BAR)
    y_low, y_high = _padded(np.concatenate([(curve.mag - error)[shown], (curve.mag + error)[shown]]), 0.05, 0.25)

    def x_of(mjd: NDArray[np.float64]) -> NDArray[np.float64]:
        return LEFT + (mjd - x_low) / (x_high - x_low) * (WIDTH - LEFT - RIGHT)

    def y_of(mag: NDArray[np.float64]) -> NDArray[np.float64]:
        return TOP + (mag - y_low) / (y_high - y_low) * (HEIGHT - TOP - BOTTOM)

    x, y = x_of(curve.mjd), y_of(curve.mag)
    ends = y_of(curve.mag - error), y_of(curve.mag + error)
    marks = [
        _mark(curve, band, style, x, y, ends)
        for style in ("limit", "forced", "faded", "detection")
        for band in (*range(len(BANDS)), -1)
        if (shown & _of(curve, band, style)).any()
    ]
    x_values, y_values = ticks(x_low, x_high, 7), ticks(y_low, y_high, 6)
    return Plot(
        marks,
        [(float(p), label(v, x_values)) for p, v in zip(x_of(x_values), x_values, strict=True)],
        [(float(p), label(v, y_values)) for p, v in zip(y_of(y_values), y_values, strict=True)],
    )


def drawn(curve: Curve) -> NDArray[np.bool_]:
    """Which points are drawn: those with a magnitude and of good quality."""
    return np.asarray(np.isfinite(curve.mag) & (curve.kind != LOW_QUALITY))


def _of(curve: Curve, band: int, style: str) -> NDArray[np.bool_]:
    """Points of a band that are drawn in a style."""
    styles = {
        "limit": curve.is_upper_limit,
        "forced": (curve.kind == FORCED) & ~curve.is_upper_limit,
        "faded": curve.is_negative & (curve.kind != FORCED),
        "detection": ~curve.is_upper_limit & ~curve.is_negative & (curve.kind != FORCED) & (curve.kind != UPPER_LIMIT),
    }
    return np.asarray((curve.band == band) & styles[style] & drawn(curve))


def _mark(
    curve: Curve,
    band: int,
    style: str,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    ends: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> Mark:
    name = BANDS[band] if band >= 0 else "unknown"
    shape = LIMIT_SHAPE if style == "limit" else SHAPES.get(name, OTHER_SHAPE)
    chosen = np.flatnonzero(_of(curve, band, style))
    marks = "".join(f"M{x[i]:.1f} {y[i]:.1f}{shape}" for i in chosen)
    with_bar = [i for i in chosen if curve.mag_err[i] > 0]
    bars = "".join(f"M{x[i]:.1f} {ends[0][i]:.1f}V{ends[1][i]:.1f}" for i in with_bar)
    return Mark(name, style, marks, bars)


def _padded(values: NDArray[np.float64], fraction: float, min_pad: float) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    pad = max((high - low) * fraction, min_pad)
    return low - pad, high + pad


def ticks(low: float, high: float, about: int) -> NDArray[np.float64]:
    """Round values between `low` and `high`, some `about` of them.

    >>> ticks(17.2, 19.9, 5).tolist()
    [17.5, 18.0, 18.5, 19.0, 19.5]
    """
    rough = (high - low) / about
    power = 10.0 ** np.floor(np.log10(rough))
    step = float(power * min((1, 2, 5, 10), key=lambda m: abs(np.log(m * power / rough))))
    return np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step


def label(value: float, values: NDArray[np.float64]) -> str:
    """A tick's label, with as many decimals as its neighbours need."""
    step = float(values[1] - values[0]) if len(values) > 1 else 1.0
    return f"{value:.{max(0, int(np.ceil(-np.log10(step) - 1e-9)))}f}"
