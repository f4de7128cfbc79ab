"""Active galactic nucleus: a damped random walk in magnitude (Kelly et al. 2009; MacLeod et al. 2010).

All bands follow one walk, with amplitudes falling as wavelength to the power -0.48 (MacLeod et al. 2010, eq. 7).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from redpoll.simulate.blackbody import EFFECTIVE_WAVELENGTH
from redpoll.simulate.classes.contract import Array, Environment, Epochs, Parameters, Window
from redpoll.simulate.classes.stars import difference_flux, draw_mag

_COLOUR = np.array([0.35, 0.2, 0.0, -0.15, -0.2, -0.25])
_BAND_AMPLITUDE = (EFFECTIVE_WAVELENGTH / EFFECTIVE_WAVELENGTH[2]) ** -0.48


def random_walk(epochs: Epochs, sigma: Array, tau: Array, rng: np.random.Generator) -> Array:
    """A damped random walk of each object [mag], drawn from its stationary state at the first epoch.

    Parameters
    ----------
    sigma, tau
        Standard deviation [mag] and damping time [d] of each object.
    """
    counts = np.diff(epochs.offsets)
    kick = rng.standard_normal(len(epochs.mjd))
    walk = np.zeros(len(epochs.mjd))
    state = np.zeros(len(counts))
    for k in range(int(counts.max(initial=0))):
        who = np.flatnonzero(counts > k)
        at = epochs.offsets[who] + k
        gap = epochs.mjd[at] - epochs.mjd[at - 1] if k else np.full(len(who), np.inf)
        keep = np.exp(-gap / tau[who])
        state[who] = keep * state[who] + sigma[who] * np.sqrt(1.0 - keep**2) * kick[at]
        walk[at] = state[who]
    return walk


class AGN:
    """Active galactic nucleus; see the module."""

    name, moves = "agn", False
    environment: Environment = "nucleus"

    def draw(self, rng: np.random.Generator, n: int, window: Window) -> Parameters:
        """Scatter [mag in r] and damping time [d] of the walk, offset of the template, mean r magnitude, redshift."""
        sigma = np.exp(rng.normal(np.log(0.16), 0.4, n)).clip(0.04, 0.6)
        return {
            "walk_sigma": sigma,
            "walk_days": np.exp(rng.normal(np.log(200.0), 0.8, n)).clip(20.0, 2000.0),
            "template_offset": rng.normal(0.0, 1.0, n) * sigma,
            "mean_mag": draw_mag(rng, n, window, beyond=-0.8).clip(min=15.0),
            "redshift": rng.gamma(2.0, 0.4, n).clip(0.01, 4.0),
        }

    def flux(self, parameters: Parameters, epochs: Epochs, rng: np.random.Generator) -> Array:
        """Flux [nJy] relative to the template, taken at another time of the walk."""
        walk = random_walk(epochs, parameters["walk_sigma"], parameters["walk_days"], rng)
        delta = (walk - parameters["template_offset"][epochs.index]) * _BAND_AMPLITUDE[epochs.band]
        return difference_flux(self.reference_mag(parameters), delta, epochs)

    def reference_mag(self, parameters: Parameters) -> NDArray[np.float64]:
        """Magnitudes at the time of the template."""
        bright = parameters["mean_mag"][:, None] + _COLOUR
        return np.asarray(bright + parameters["template_offset"][:, None] * _BAND_AMPLITUDE)
