"""Functions for classes of stars: brightness, colours, and difference fluxes from magnitudes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from redpoll.astro.photometry import flux_from_mag
from redpoll.simulate.classes.contract import Array, Epochs, Window

_SLOPE = np.array([2.0, 1.0, 0.0, -0.40, -0.62, -0.75])
_OFFSET = np.array([0.55, 0.0, 0.0, 0.02, 0.04, 0.05])


def draw_mag(rng: np.random.Generator, n: int, window: Window, *, beyond: float = 0.0) -> Array:
    """Mean r magnitudes: star counts growing by 10^(0.2 m) from the bright limit to `beyond` below the depth."""
    bright, faint = 10.0 ** (0.2 * window.bright), 10.0 ** (0.2 * (window.depth + beyond))
    return np.asarray(5.0 * np.log10(rng.uniform(bright, faint, n)))


def stellar_mags(r_mag: Array, g_minus_r: Array) -> NDArray[np.float64]:
    """Magnitudes (n, 6) in u to y along a straight stellar locus."""
    return np.asarray(r_mag[:, None] + g_minus_r[:, None] * _SLOPE + _OFFSET)


def difference_flux(reference: NDArray[np.float64], delta_mag: Array, epochs: Epochs) -> Array:
    """Flux above the template [nJy] of stars whose magnitude is `delta_mag` fainter than in the template."""
    template = flux_from_mag(reference[epochs.index, epochs.band])
    return np.asarray(template * (10.0 ** (-0.4 * delta_mag) - 1.0))
