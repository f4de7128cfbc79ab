"""Weighted fits of physical and empirical shapes to many light curves at once; the kernels are compiled.

All fits take flat arrays and offsets, as `redpoll.light_curves.LightCurves` holds them, and return one value per light
curve: parameters, their errors, chi2. See ``docs/explanation/curve-fitting.md``.

>>> import numpy as np
>>> x, y = np.array([0.0, 1.0, 2.0]), np.array([20.0, 19.5, 19.0])
>>> line_sums(x, y, np.full(3, 0.1), np.array([0, 3])).slope.round(3).tolist()
[-0.5]
"""

from __future__ import annotations

from redpoll.astro.curve_fitting import (
    BazinFit,
    LinexpFit,
    PaczynskiFit,
    RainbowFit,
    SigmoidFit,
    bazin_fit,
    linexp_fit,
    measured,
    paczynski_fit,
    rainbow_fit,
    sigmoid_fit,
)
from redpoll.astro.straight_lines import LineSums, line_sums

__all__ = [
    "BazinFit",
    "LineSums",
    "LinexpFit",
    "PaczynskiFit",
    "RainbowFit",
    "SigmoidFit",
    "bazin_fit",
    "line_sums",
    "linexp_fit",
    "measured",
    "paczynski_fit",
    "rainbow_fit",
    "sigmoid_fit",
]
