"""Young stellar object that accretes: irregular variation, bursts as of EX Lupi, outbursts as of FU Orionis.

Of stars with discs nearly all vary (Cody & Hillenbrand 2018, AJ 156, 71). The fractions of the three kinds are set for
tests; outbursts are rarer on the sky. EX Lupi bursts last weeks to a year and have 1 to 5 mag, those of FU Orionis 4 to
6 mag, a rise of months to a year and a fall of decades (Audard et al. 2014; Fischer et al. 2023, section 2). The hot
light of accretion makes a star bluer when brighter: amplitudes fall as wavelength to the power -0.7.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from redpoll.simulate.blackbody import EFFECTIVE_WAVELENGTH
from redpoll.simulate.classes.agn import random_walk
from redpoll.simulate.classes.contract import Array, Environment, Epochs, Parameters, Window
from redpoll.simulate.classes.stars import difference_flux, draw_mag, stellar_mags

_FRACTIONS = [0.7, 0.2, 0.1]
_BAND_AMPLITUDE = (EFFECTIVE_WAVELENGTH / EFFECTIVE_WAVELENGTH[2]) ** -0.7


def burst_shape(t: Array, rise_days: Array, fall_days: Array) -> Array:
    """Brightening [mag] over the largest, at times `t` [d] since it: a Gaussian rise and an exponential fall in mag.

    >>> burst_shape(np.array([-10.0, 0.0, 50.0]), np.array([10.0]), np.array([50.0])).round(2).tolist()
    [0.61, 1.0, 0.37]
    """
    rise = np.exp(-0.5 * (np.minimum(t, 0.0) / rise_days) ** 2)
    return np.asarray(rise * np.exp(-np.maximum(t, 0.0) / fall_days))


class YoungStar:
    """Young stellar object; see the module."""

    name, moves = "young_star", False
    environment: Environment = "star"

    def draw(self, rng: np.random.Generator, n: int, window: Window) -> Parameters:
        """Kind (0 irregular, 1 EX Lupi, 2 FU Orionis), walk: scatter [mag], damping time [d]; burst [mag, d]; star."""
        kind = rng.choice(3, n, p=_FRACTIONS)
        burst, rise, fall = (
            np.choose(kind, [[empty] * n, rng.uniform(*ex_lupi, n), rng.uniform(*fu_orionis, n)])
            for empty, ex_lupi, fu_orionis in (
                (0.0, (1.0, 5.0), (4.0, 6.0)),
                (1.0, (5.0, 30.0), (60.0, 200.0)),
                (1.0, (20.0, 200.0), (4000.0, 20000.0)),
            )
        )
        return {
            "outburst": kind.astype(np.float64),
            "walk_sigma": np.exp(rng.normal(np.log(0.2), 0.5, n)).clip(0.05, 0.8),
            "walk_days": np.exp(rng.normal(np.log(8.0), 0.8, n)).clip(1.0, 60.0),
            "amplitude": burst,
            "rise_days": rise,
            "fall_days": fall,
            "peak_mjd": rng.uniform(
                window.start - 1.5 * np.maximum(rise, fall.clip(max=200.0)), window.end + 1.5 * rise
            ),
            "mean_mag": draw_mag(rng, n, window, beyond=-1.0) + 0.6 * burst,
            "g_minus_r": rng.normal(1.3, 0.25, n).clip(0.5, 2.0),
        }

    def flux(self, parameters: Parameters, epochs: Epochs, rng: np.random.Generator) -> Array:
        """Flux [nJy] above or below the quiet star."""
        p = {key: value[epochs.index] for key, value in parameters.items()}
        walk = random_walk(epochs, parameters["walk_sigma"], parameters["walk_days"], rng)
        burst = p["amplitude"] * burst_shape(epochs.mjd - p["peak_mjd"], p["rise_days"], p["fall_days"])
        delta = (walk - burst) * _BAND_AMPLITUDE[epochs.band]
        return difference_flux(self.reference_mag(parameters), delta, epochs)

    def reference_mag(self, parameters: Parameters) -> NDArray[np.float64]:
        """Magnitudes before the burst."""
        return stellar_mags(parameters["mean_mag"], parameters["g_minus_r"])
