"""Type II supernova: quick rise, plateau, fall, radioactive tail; a cooling black body gives the colours.

Shapes after Anderson et al. 2014 and Gonzalez-Gaitan et al. 2015; temperatures after Faran et al. 2018.
"""

from __future__ import annotations

import numpy as np

from redpoll.astro.photometry import flux_from_mag
from redpoll.simulate.blackbody import colour
from redpoll.simulate.classes.contract import Array, Environment, Epochs, Parameters, Window
from redpoll.simulate.classes.supernovae import draw_redshift, draw_time, rest_age
from redpoll.simulate.distance import distance_modulus


class SNII:
    """Type II supernova; see the module."""

    name, moves = "sn_ii", False
    environment: Environment = "host"

    def draw(self, rng: np.random.Generator, n: int, window: Window) -> Parameters:
        """Rise [d], plateau length [d], slope [mag/100 d], redshift, time of explosion."""
        peak = rng.normal(-16.9, 0.9, n).clip(-19.0, -14.0)
        return {
            "absolute_mag": peak,
            "rise_days": rng.uniform(4.0, 12.0, n),
            "plateau_days": rng.normal(95.0, 15.0, n).clip(50.0, 140.0),
            "slope": rng.normal(0.9, 0.8, n).clip(-0.3, 4.0),
            "redshift": draw_redshift(rng, peak, window),
            "explosion_mjd": draw_time(rng, n, window, before=110.0, after=0.0),
        }

    def flux(self, parameters: Parameters, epochs: Epochs, rng: np.random.Generator) -> Array:
        """Flux [nJy]: zero before the explosion."""
        z = parameters["redshift"]
        age = rest_age(parameters["explosion_mjd"], z, epochs)
        on = (age > 0.05) & (age < 400.0)
        who, t = epochs.index[on], age[on]
        p = {key: value[who] for key, value in parameters.items()}
        temperature = 5500.0 + 12000.0 * np.exp(-t / 14.0)
        mag = p["absolute_mag"] + _below_peak(t, p["rise_days"], p["plateau_days"], p["slope"])
        mag += colour(epochs.band[on], temperature, p["redshift"]) + (distance_modulus(z) - 2.5 * np.log10(1 + z))[who]
        flux = np.zeros(len(age))
        flux[on] = flux_from_mag(mag)
        return flux

    def reference_mag(self, parameters: Parameters) -> None:
        """None: absent in the template."""
        return None


def _below_peak(t: Array, rise: Array, plateau: Array, slope: Array) -> Array:
    """Magnitudes below the peak at rest-frame age `t` [d]: 1 - exp rise, straight plateau, 2 mag fall, cobalt tail."""
    rising = -2.5 * np.log10(-np.expm1(-3.0 * t / rise))
    fall = 2.0 / (1.0 + np.exp(-(t - plateau) / 5.0))
    sloping = slope / 100.0 * np.clip(t - rise, 0.0, plateau)
    tail = 0.0098 * np.maximum(t - plateau, 0.0)
    return np.asarray(rising + sloping + fall + tail)
