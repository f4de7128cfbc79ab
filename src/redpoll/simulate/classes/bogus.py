"""Artefacts of detector and subtraction: alerts without a source.

Five kinds (``artefact``): 0 bad column, 1 dipole at a star that moved between images, 2 cosmic ray, 3 ghost of a
bright star, 4 residual of a bright star. Dipoles and star residuals come back in other exposures of the same position.

How bright they are against the depth, how badly a point source fits them, how often they come back, and that most are
in shallow exposures (clouds) was set to the 16 real packets of low score in half 0 of `benchmarks/realism.py`; the mix
of kinds, and that a part of the detector is often shallower than its exposure (``depth_lost``, in magnitudes), to its
36 packets scored below 0.8.
"""

from __future__ import annotations

import numpy as np

from redpoll.simulate.classes.brief import chosen_epoch
from redpoll.simulate.classes.contract import Array, Environment, Epochs, Parameters, Window

BAD_COLUMN, DIPOLE, COSMIC_RAY, GHOST, STAR_RESIDUAL = range(5)
_FRACTIONS = [0.08, 0.35, 0.1, 0.05, 0.42]
_RECURS = np.array([0.005, 0.018, 0.0, 0.002, 0.018])
_MAX_RECURRENCE = 0.25
_SHALLOW = 2.0  # power of the noise by which the shallower exposure is the likelier
_SPOILED = 0.45
_DEPTH_LOST = (2.2, 4.2)  # [mag], where a part is spoiled


class Bogus:
    """Artefact; see the module."""

    name, moves = "bogus", False
    environment: Environment = "near_star"

    def draw(self, rng: np.random.Generator, n: int, window: Window) -> Parameters:
        """Kind, signal over noise of the image, sign, how often it comes back, the moment it shows, misfit, lost depth.

        The misfit is the error of the fit to a point source, as a fraction of the flux.
        """
        kind = rng.choice(5, n, p=_FRACTIONS)
        return {
            "artefact": kind.astype(np.float64),
            "signal_to_noise": 5.0 * 10.0 ** (0.4 * rng.exponential(1.2, n).clip(max=3.5)),
            "sign": np.where(rng.random(n) < 0.55, 1.0, -1.0),
            "recurrence": np.minimum(_RECURS[kind] * np.exp(1.3 * rng.standard_normal(n)), _MAX_RECURRENCE),
            "moment": rng.random(n),
            "misfit": (0.11 * np.exp(0.35 * rng.standard_normal(n))).clip(0.04, 0.18),
            "depth_lost": np.where(rng.random(n) < _SPOILED, rng.uniform(*_DEPTH_LOST, n), 0.0),
        }

    def flux(self, parameters: Parameters, epochs: Epochs, rng: np.random.Generator) -> Array:
        """Flux [nJy] a point-source fit gives to the artefact; zero where it is absent."""
        shows = rng.random(len(epochs.mjd)) < parameters["recurrence"][epochs.index]
        shows[chosen_epoch(parameters["moment"], epochs, epochs.noise**_SHALLOW)] = True
        strength = parameters["signal_to_noise"] * parameters["sign"] * 10.0 ** (0.4 * parameters["depth_lost"])
        scatter = rng.normal(1.0, 0.3, len(shows)).clip(0.2, 3.0)
        return np.asarray(np.where(shows, strength[epochs.index] * scatter * epochs.noise, 0.0))

    def reference_mag(self, parameters: Parameters) -> None:
        """None: there is no source."""
        return None
