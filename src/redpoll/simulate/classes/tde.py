"""Tidal disruption event: a hot black body in a galaxy's nucleus, Gaussian rise, t^(-5/3) decay.

Forms of van Velzen et al. 2021 (ApJ 908, 4). The middles of temperature, rise and decay, and the dust of the host, were
set to the colours and the breadth of the peak of 24 TDEs with forced photometry of ZTF (half 0 of
`benchmarks/realism.py`), within the ranges of that paper.
"""

from __future__ import annotations

import numpy as np

from redpoll.simulate.blackbody import blackbody_flux
from redpoll.simulate.classes.contract import Array, Environment, Epochs, Parameters, Window
from redpoll.simulate.classes.supernovae import draw_redshift, draw_time, rest_age
from redpoll.simulate.dust import dimming

_HOST_EBV = 0.04
"""Mean reddening by the host [mag]; its extinction is taken in the observed bands, as redshifts are small."""


class TDE:
    """Tidal disruption event; see the module."""

    name, moves = "tde", False
    environment: Environment = "nucleus"

    def draw(self, rng: np.random.Generator, n: int, window: Window) -> Parameters:
        """Peak luminosity [log erg/s], temperature [K], rise and decay times [d], redshift, time of peak."""
        power = rng.normal(44.0, 0.4, n).clip(43.0, 45.2)
        temperature = 10.0 ** rng.normal(4.30, 0.14, n)
        peak = -19.0 - 2.5 * (power - 44.0) + 7.5 * (np.log10(temperature) - 4.33)
        return {
            "log_luminosity": power,
            "temperature": temperature,
            "rise_days": 10.0 ** rng.normal(1.2, 0.2, n),
            "decay_days": 10.0 ** rng.normal(1.85, 0.25, n),
            "host_ebv": rng.exponential(_HOST_EBV, n),
            "redshift": draw_redshift(rng, peak, window),
            "peak_mjd": draw_time(rng, n, window, before=150.0, after=15.0),
        }

    def flux(self, parameters: Parameters, epochs: Epochs, rng: np.random.Generator) -> Array:
        """Flux [nJy]: zero from five rise times before the peak backwards."""
        age = rest_age(parameters["peak_mjd"], parameters["redshift"], epochs)
        p = {key: value[epochs.index] for key, value in parameters.items()}
        on = age > -5.0 * p["rise_days"]
        rise = np.exp(-0.5 * (np.minimum(age, 0.0) / p["rise_days"]) ** 2)
        decay = (1.0 + np.maximum(age, 0.0) / p["decay_days"]) ** (-5 / 3)
        power = 10.0 ** p["log_luminosity"] * rise * decay
        flux = np.zeros(len(age))
        flux[on] = blackbody_flux(epochs.band[on], p["temperature"][on], power[on], p["redshift"][on])
        return np.asarray(flux * 10.0 ** (-0.4 * dimming(parameters["host_ebv"])[epochs.index, epochs.band]))

    def reference_mag(self, parameters: Parameters) -> None:
        """None: absent in the template."""
        return None
