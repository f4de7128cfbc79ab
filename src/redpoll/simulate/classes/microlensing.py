"""Microlensing of a star by a point lens, blended with light that is not magnified (Paczynski 1986)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from redpoll.astro.photometry import flux_from_mag
from redpoll.simulate.classes.contract import Array, Environment, Epochs, Parameters, Window
from redpoll.simulate.classes.stars import draw_mag, stellar_mags


def magnification(u: Array) -> Array:
    """Magnification at a lens-source separation `u` in Einstein radii.

    >>> float(magnification(np.array([1.0])).round(3)[0])
    1.342
    """
    return np.asarray((u**2 + 2.0) / (u * np.sqrt(u**2 + 4.0)))


class Microlensing:
    """Microlensing event; see the module."""

    name, moves = "microlensing", False
    environment: Environment = "star"

    def draw(self, rng: np.random.Generator, n: int, window: Window) -> Parameters:
        """Impact parameter, Einstein time [d], time of peak, fraction of lensed light, mean r magnitude, colour."""
        einstein = np.exp(rng.normal(np.log(30.0), 0.6, n)).clip(4.0, 250.0)
        return {
            "impact": rng.uniform(0.01, 0.9, n),
            "einstein_days": einstein,
            "peak_mjd": window.start + rng.uniform(-1.2, 0.7, n) * einstein,
            "blend": rng.uniform(0.3, 1.0, n),
            "mean_mag": draw_mag(rng, n, window, beyond=1.0),
            "g_minus_r": rng.normal(0.9, 0.3, n).clip(0.2, 1.8),
        }

    def flux(self, parameters: Parameters, epochs: Epochs, rng: np.random.Generator) -> Array:
        """Flux [nJy] above the unlensed star; the same shape in every band."""
        p = {key: value[epochs.index] for key, value in parameters.items()}
        u = np.hypot(p["impact"], (epochs.mjd - p["peak_mjd"]) / p["einstein_days"])
        template = flux_from_mag(self.reference_mag(parameters)[epochs.index, epochs.band])
        return np.asarray(p["blend"] * template * (magnification(u) - 1.0))

    def reference_mag(self, parameters: Parameters) -> NDArray[np.float64]:
        """Magnitudes of star and blend before the event."""
        return stellar_mags(parameters["mean_mag"], parameters["g_minus_r"])
