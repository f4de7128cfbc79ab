"""Dwarf-nova outbursts of a cataclysmic variable: rise, plateau, exponential decay, again and again.

Amplitudes, lengths and recurrence after Coppejans et al. 2016 and Kato's superoutburst statistics.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from redpoll.simulate.classes.contract import Array, Environment, Epochs, Parameters, Window
from redpoll.simulate.classes.stars import difference_flux, draw_mag

_COLOUR = np.array([-0.3, 0.05, 0.0, 0.0, 0.0, 0.0])
_BAND_AMPLITUDE = np.array([1.05, 1.03, 1.0, 0.95, 0.92, 0.9])


class CataclysmicVariable:
    """Cataclysmic variable in outburst; see the module."""

    name, moves = "cataclysmic_variable", False
    environment: Environment = "star"

    def draw(self, rng: np.random.Generator, n: int, window: Window) -> Parameters:
        """Amplitude [mag], rise, plateau and decay [d], recurrence [d], start of an outburst, quiescent r magnitude."""
        recurrence = np.exp(rng.normal(np.log(120.0), 0.9, n)).clip(20.0, 3000.0)
        plateau = rng.uniform(1.0, 12.0, n)
        return {
            "amplitude": rng.normal(3.8, 1.1, n).clip(1.5, 8.0),
            "rise_days": rng.uniform(0.4, 1.5, n),
            "plateau_days": plateau,
            "decay_days": rng.uniform(1.0, 3.0, n),
            "recurrence_days": recurrence,
            "outburst_mjd": window.start - rng.uniform(-0.5, 1.0, n) * (plateau + 4.0),
            "mean_mag": draw_mag(rng, n, window, beyond=2.5),
        }

    def flux(self, parameters: Parameters, epochs: Epochs, rng: np.random.Generator) -> Array:
        """Flux [nJy] above quiescence."""
        p = {key: value[epochs.index] for key, value in parameters.items()}
        age = epochs.mjd - p["outburst_mjd"]
        # at the edges of a cycle the last outburst has faded to 1e-3 of its amplitude and the next not begun
        age = np.mod(age + 0.2 * p["recurrence_days"], p["recurrence_days"]) - 0.2 * p["recurrence_days"]
        rise = 1.0 - np.clip(-age / p["rise_days"], 0.0, 1.0)
        fade = np.exp(-np.maximum(age - p["plateau_days"], 0.0) / p["decay_days"])
        delta = -p["amplitude"] * np.where(age < 0, rise, fade) * _BAND_AMPLITUDE[epochs.band]
        return difference_flux(self.reference_mag(parameters), delta, epochs)

    def reference_mag(self, parameters: Parameters) -> NDArray[np.float64]:
        """Magnitudes in quiescence."""
        return np.asarray(parameters["mean_mag"][:, None] + _COLOUR)
