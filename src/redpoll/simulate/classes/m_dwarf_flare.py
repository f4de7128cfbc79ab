"""Flare of an M dwarf: the white-light template of Davenport et al. 2014 as a 9,000 K black body on a red star."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from redpoll.astro.photometry import flux_from_mag
from redpoll.schema.bands import BANDS
from redpoll.simulate.blackbody import colour
from redpoll.simulate.classes.brief import chosen_epoch
from redpoll.simulate.classes.contract import Array, Environment, Epochs, Parameters, Window
from redpoll.simulate.classes.stars import draw_mag, stellar_mags

_R = BANDS.index("r")
_RISE = np.array([1.0, 1.941, -0.175, -2.246, -1.125])
_DECAY = ((0.6890, -1.600), (0.3030, -0.2783))


def flare_shape(t: Array) -> Array:
    """Flare flux over its peak, at times since the peak in units of the width at half maximum.

    >>> flare_shape(np.array([-2.0, 0.0])).round(2).tolist()
    [0.0, 1.0]
    """
    rise = np.where((t >= -1.0) & (t < 0), np.polynomial.polynomial.polyval(np.clip(t, -1.0, 0.0), _RISE), 0.0)
    after = np.maximum(t, 0.0)
    decay = sum(height * np.exp(rate * after) for height, rate in _DECAY) / 0.992
    return np.asarray(np.where(t < 0, np.maximum(rise, 0.0), decay))


class MDwarfFlare:
    """Flare of an M dwarf; see the module."""

    name, moves = "m_dwarf_flare", False
    environment: Environment = "star"

    def draw(self, rng: np.random.Generator, n: int, window: Window) -> Parameters:
        """Peak flux in r over the quiet star's, width [d], index in the sequence of the window's epochs, star."""
        return {
            "contrast": np.exp(rng.normal(np.log(0.7), 1.0, n)).clip(0.05, 30.0),
            "width_days": np.exp(rng.normal(np.log(0.012), 0.6, n)).clip(0.002, 0.1),
            "moment": rng.random(n),
            "lag": rng.exponential(0.8, n) - 0.3,
            "mean_mag": draw_mag(rng, n, window, beyond=1.5),
            "g_minus_r": rng.normal(1.42, 0.06, n),
        }

    def flux(self, parameters: Parameters, epochs: Epochs, rng: np.random.Generator) -> Array:
        """Flux [nJy] of one flare; its peak is `lag` widths before one of the window's epochs."""
        seen = chosen_epoch(parameters["moment"], epochs)
        peak = epochs.mjd[seen] - parameters["lag"] * parameters["width_days"]
        parameters["peak_mjd"] = peak
        shape = flare_shape((epochs.mjd - peak[epochs.index]) / parameters["width_days"][epochs.index])
        quiet = flux_from_mag(self.reference_mag(parameters)[:, _R])
        hot = 10.0 ** (-0.4 * (colour(epochs.band, 9000.0) - colour(np.array(_R), 9000.0)))
        return np.asarray(shape * hot * (parameters["contrast"] * quiet)[epochs.index])

    def reference_mag(self, parameters: Parameters) -> NDArray[np.float64]:
        """Magnitudes of the quiet star."""
        return stellar_mags(parameters["mean_mag"], parameters["g_minus_r"])
