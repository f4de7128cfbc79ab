"""Eclipsing binary: two Gaussian dips, and the ellipsoidal wave of stars that almost touch (Mowlavi et al. 2017)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from redpoll.simulate.classes.contract import Array, Environment, Epochs, Parameters, Window
from redpoll.simulate.classes.stars import difference_flux, draw_mag, stellar_mags


class EclipsingBinary:
    """Eclipsing binary; see the module."""

    name, moves = "eclipsing_binary", False
    environment: Environment = "star"

    def draw(self, rng: np.random.Generator, n: int, window: Window) -> Parameters:
        """Period [d], depths [mag] and width [phase] of the eclipses, ellipsoidal amplitude [mag], star."""
        period = np.exp(rng.normal(np.log(0.6), 0.8, n)).clip(0.2, 20.0)
        close = np.clip(0.35 / period, 0.0, 1.0)
        primary = rng.uniform(0.15, 0.9, n)
        return {
            "period": period,
            "epoch_mjd": window.start - period * rng.random(n),
            "primary_depth": primary,
            "secondary_depth": primary * rng.uniform(0.2, 1.0, n),
            "eclipse_width": 0.02 + 0.05 * close + 0.01 * rng.random(n),
            "ellipsoidal": 0.25 * close * rng.random(n),
            "mean_mag": draw_mag(rng, n, window, beyond=-0.5),
            "g_minus_r": rng.normal(0.6, 0.25, n).clip(-0.2, 1.5),
        }

    def flux(self, parameters: Parameters, epochs: Epochs, rng: np.random.Generator) -> Array:
        """Flux [nJy] relative to the light out of eclipse, almost the same in every band."""
        p = {key: value[epochs.index] for key, value in parameters.items()}
        phase = np.mod((epochs.mjd - p["epoch_mjd"]) / p["period"] + 0.25, 1.0) - 0.25
        delta = p["ellipsoidal"] * np.cos(4 * np.pi * phase)
        for centre, depth in ((0.0, "primary_depth"), (0.5, "secondary_depth")):
            delta += p[depth] * np.exp(-0.5 * ((phase - centre) / p["eclipse_width"]) ** 2)
        return difference_flux(self.reference_mag(parameters), delta, epochs)

    def reference_mag(self, parameters: Parameters) -> NDArray[np.float64]:
        """Magnitudes out of eclipse."""
        return stellar_mags(parameters["mean_mag"], parameters["g_minus_r"])
