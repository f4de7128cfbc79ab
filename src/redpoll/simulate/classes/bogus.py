"""Artefacts of detector and subtraction: alerts without a source.

Five kinds (``artefact``): 0 bad column, 1 dipole at a star that moved between images, 2 cosmic ray, 3 ghost of a
bright star, 4 residual of a bright star. Dipoles and star residuals come back in other exposures of the same position.
"""

from __future__ import annotations

import numpy as np

from redpoll.simulate.classes.contract import Array, Environment, Epochs, Parameters, Window
from redpoll.simulate.classes.m_dwarf_flare import chosen_epoch

BAD_COLUMN, DIPOLE, COSMIC_RAY, GHOST, STAR_RESIDUAL = range(5)
_FRACTIONS = [0.15, 0.35, 0.1, 0.1, 0.3]
_RECURS = np.array([0.1, 0.25, 0.0, 0.05, 0.2])


class Bogus:
    """Artefact; see the module."""

    name, moves = "bogus", False
    environment: Environment = "near_star"

    def draw(self, rng: np.random.Generator, n: int, window: Window) -> Parameters:
        """Kind, signal over noise, sign, how often it comes back, and which of the window's epochs it is in."""
        kind = rng.choice(5, n, p=_FRACTIONS)
        return {
            "artefact": kind.astype(np.float64),
            "signal_to_noise": 4.5 + rng.exponential(4.0, n),
            "sign": np.where(rng.random(n) < 0.55, 1.0, -1.0),
            "recurrence": _RECURS[kind] * rng.random(n),
            "moment": rng.random(n),
        }

    def flux(self, parameters: Parameters, epochs: Epochs, rng: np.random.Generator) -> Array:
        """Flux [nJy] a point-source fit gives to the artefact; zero where it is absent."""
        shows = rng.random(len(epochs.mjd)) < parameters["recurrence"][epochs.index]
        shows[chosen_epoch(parameters["moment"], epochs)] = True
        strength = (parameters["signal_to_noise"] * parameters["sign"])[epochs.index]
        scatter = rng.normal(1.0, 0.3, len(shows)).clip(0.2, 3.0)
        return np.asarray(np.where(shows, strength * scatter * epochs.noise, 0.0))

    def reference_mag(self, parameters: Parameters) -> None:
        """None: there is no source."""
        return None
