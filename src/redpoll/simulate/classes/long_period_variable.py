"""Long-period variable: a red giant pulsing over months, more in the blue, with a slower second wave.

Periods and amplitudes from semiregulars to Miras (Soszynski et al. 2009; Iwanek et al. 2021).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from redpoll.simulate.classes.contract import Array, Environment, Epochs, Parameters, Window
from redpoll.simulate.classes.stars import difference_flux, draw_mag, stellar_mags

_BAND_AMPLITUDE = np.array([1.2, 1.15, 1.0, 0.7, 0.6, 0.5])


class LongPeriodVariable:
    """Long-period variable; see the module."""

    name, moves = "long_period_variable", False
    environment: Environment = "star"

    def draw(self, rng: np.random.Generator, n: int, window: Window) -> Parameters:
        """Period [d], amplitude in r [mag, half peak to peak], phases, slow period [d], mean r magnitude, colour."""
        period = np.exp(rng.normal(np.log(220.0), 0.5, n)).clip(60.0, 700.0)
        mira = rng.random(n) < 0.35
        return {
            "period": period,
            "amplitude": np.where(mira, rng.uniform(0.8, 2.5, n), rng.uniform(0.08, 0.5, n)),
            "epoch_mjd": window.start - period * rng.random(n),
            "second_period": period * rng.uniform(4.0, 10.0, n),
            "second_amplitude": rng.uniform(0.0, 0.3, n),
            "mean_mag": draw_mag(rng, n, window, beyond=-1.0),
            "g_minus_r": rng.normal(1.6, 0.2, n),
        }

    def flux(self, parameters: Parameters, epochs: Epochs, rng: np.random.Generator) -> Array:
        """Flux [nJy] relative to the mean magnitude."""
        p = {key: value[epochs.index] for key, value in parameters.items()}
        phase = 2 * np.pi * (epochs.mjd - p["epoch_mjd"]) / p["period"]
        slow = 2 * np.pi * (epochs.mjd - p["epoch_mjd"]) / p["second_period"]
        wave = np.cos(phase) + 0.15 * np.cos(2 * phase + 1.0)
        delta = _BAND_AMPLITUDE[epochs.band] * p["amplitude"] * (wave + p["second_amplitude"] * np.sin(slow))
        return difference_flux(self.reference_mag(parameters), delta, epochs)

    def reference_mag(self, parameters: Parameters) -> NDArray[np.float64]:
        """Mean magnitudes."""
        return stellar_mags(parameters["mean_mag"], parameters["g_minus_r"])
