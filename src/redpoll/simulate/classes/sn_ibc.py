"""Stripped-envelope supernova (Ib, Ic): nickel decay diffusing through the ejecta.

Arnett 1982, with the constants of Valenti et al. 2008; the photosphere expands at a constant speed until it has cooled
to a floor. Ejecta of Lyman et al. 2016.
"""

from __future__ import annotations

import numpy as np

from redpoll.simulate.blackbody import blackbody_flux
from redpoll.simulate.classes.contract import Array, Environment, Epochs, Parameters, Window
from redpoll.simulate.classes.diffusion import diffused, interpolate_rows, nickel_heating, photosphere_temperature
from redpoll.simulate.classes.supernovae import draw_redshift, draw_time, rest_age

_GRID = np.concatenate([[0.0], np.geomspace(0.05, 200.0, 160)])


def luminosity(t: Array, nickel_mass: Array, diffusion_days: Array) -> Array:
    """Bolometric luminosity [erg/s] over `t` [d since explosion, shape (k,)], one row an object.

    Nickel mass in solar masses, effective diffusion time in days.
    """
    return diffused(t, nickel_heating(t, nickel_mass), diffusion_days)


class SNIbc:
    """Stripped-envelope supernova; see the module."""

    name, moves = "sn_ibc", False
    environment: Environment = "host"

    def draw(self, rng: np.random.Generator, n: int, window: Window) -> Parameters:
        """Nickel mass [Msun], diffusion time [d], photospheric speed [km/s], redshift, time of explosion."""
        nickel = np.exp(rng.normal(np.log(0.17), 0.45, n)).clip(0.03, 0.8)
        peak = -17.5 - 2.5 * np.log10(nickel / 0.17)
        return {
            "nickel_mass": nickel,
            "diffusion_days": rng.normal(13.0, 3.0, n).clip(6.0, 25.0),
            "speed": rng.normal(9500.0, 1500.0, n).clip(5000.0, 20000.0),
            "redshift": draw_redshift(rng, peak, window),
            "explosion_mjd": draw_time(rng, n, window, before=60.0, after=0.0),
        }

    def flux(self, parameters: Parameters, epochs: Epochs, rng: np.random.Generator) -> Array:
        """Flux [nJy]: zero before the explosion and 200 d after it."""
        age = rest_age(parameters["explosion_mjd"], parameters["redshift"], epochs)
        on = (age > 0.05) & (age < _GRID[-1])
        who, t = epochs.index[on], age[on]
        grid = luminosity(_GRID, parameters["nickel_mass"], parameters["diffusion_days"])
        power = interpolate_rows(grid, who, t, _GRID)
        temperature = photosphere_temperature(power, parameters["speed"][who], t, 5000.0).clip(max=25000.0)
        flux = np.zeros(len(age))
        flux[on] = blackbody_flux(epochs.band[on], temperature, power, parameters["redshift"][who])
        return flux

    def reference_mag(self, parameters: Parameters) -> None:
        """None: absent in the template."""
        return None
