"""Glint of a tumbling satellite: sunlight for a fraction of a second, in one exposure only (Corbett et al. 2020).

Flashes last 0.1 to 0.3 s in geosynchronous orbit, which drifts by 15 arcsec/s across the stars (Nir et al. 2021, MNRAS
505, 2477), down to milliseconds in low ones, which move a hundred times as fast (Karpov & Peloton 2022,
arXiv:2202.05719). So a glint is a dash of up to some arcseconds; half a second of air blurs less than an exposure does.
"""

from __future__ import annotations

import numpy as np

from redpoll.simulate.classes.brief import chosen_epoch
from redpoll.simulate.classes.contract import Array, Environment, Epochs, Parameters, Window


class SatelliteGlint:
    """Glint of a satellite; see the module."""

    name, moves = "satellite_glint", False
    environment: Environment = "empty"

    def draw(self, rng: np.random.Generator, n: int, window: Window) -> Parameters:
        """Signal over the noise, which of the window's epochs it is in, length [arcsec] and angle [rad] of the dash."""
        return {
            "signal_to_noise": 4.5 + rng.pareto(1.5, n).clip(max=40.0) * 5.0,
            "moment": rng.random(n),
            "dash_arcsec": np.exp(rng.uniform(np.log(0.3), np.log(4.5), n)),
            "dash_angle": rng.uniform(0.0, np.pi, n),
        }

    def flux(self, parameters: Parameters, epochs: Epochs, rng: np.random.Generator) -> Array:
        """Flux [nJy]: zero but at one epoch."""
        at = chosen_epoch(parameters["moment"], epochs)
        parameters["peak_mjd"] = epochs.mjd[at]
        flux = np.zeros(len(epochs.mjd))
        flux[at] = parameters["signal_to_noise"] * epochs.noise[at]
        return flux

    def reference_mag(self, parameters: Parameters) -> None:
        """None: absent in the template."""
        return None
