"""Fits of physical and empirical shapes to many light curves at once, weighted by the errors.

All take flat arrays and offsets (curve ``i`` is ``[offsets[i]:offsets[i + 1]]``), times in MJD, fluxes in nJy, and give
arrays with one value per curve: parameters, their errors, chi2. See ``docs/explanation/curve-fitting.md``.
"""

from __future__ import annotations

from redpoll.astro.curve_fitting.bazin import BazinFit, bazin_fit
from redpoll.astro.curve_fitting.goodness import measured
from redpoll.astro.curve_fitting.linexp import LinexpFit, linexp_fit
from redpoll.astro.curve_fitting.paczynski import PaczynskiFit, paczynski_fit
from redpoll.astro.curve_fitting.rainbow import RainbowFit, rainbow_fit
from redpoll.astro.curve_fitting.sigmoid import SigmoidFit, sigmoid_fit

__all__ = [
    "BazinFit",
    "LinexpFit",
    "PaczynskiFit",
    "RainbowFit",
    "SigmoidFit",
    "bazin_fit",
    "linexp_fit",
    "measured",
    "paczynski_fit",
    "rainbow_fit",
    "sigmoid_fit",
]
