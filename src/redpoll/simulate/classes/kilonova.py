"""Kilonova: one zone of freely expanding r-process matter, heated by its decay, cooling as a black body.

Metzger 2017 (Living Reviews in Relativity 20, 3), section 4: the heating rate of Korobkin et al. 2012, a
thermalisation efficiency, one grey opacity.
"""

from __future__ import annotations

import numpy as np

from redpoll.simulate.blackbody import blackbody_flux
from redpoll.simulate.classes.contract import Array, Environment, Epochs, Parameters, Window
from redpoll.simulate.classes.diffusion import DAY, SUN, interpolate_rows, photosphere_temperature
from redpoll.simulate.classes.supernovae import draw_redshift, draw_time, rest_age

_C = 2.998e10
_GRID = np.geomspace(0.005, 25.0, 300)
_FLOOR = 2500.0  # K, where lanthanides recombine


def luminosity(mass: Array, speed: Array, opacity: Array) -> Array:
    """Bolometric luminosity [erg/s], one row an object over the grid of ages.

    Mass in solar masses, speed in units of c, opacity in cm2/g.
    """
    t = _GRID * DAY
    heating = 4e18 * (0.5 - np.arctan((t - 1.3) / 0.11) / np.pi) ** 1.3 * 0.5
    grams, v = mass * SUN, speed * _C
    energy = 0.5 * grams * heating[0] * t[0]
    lum = np.zeros((len(mass), len(t)))
    for k in range(len(t)):
        step = t[k] - t[k - 1] if k else t[0]
        diffusion = opacity * grams / (4 * np.pi * _C * v * t[k]) + v * t[k] / _C
        # implicit step: stable however short the diffusion time is
        energy = (energy + grams * heating[k] * step) / (1.0 + step / t[k] + step / diffusion)
        lum[:, k] = energy / diffusion
    return lum


class Kilonova:
    """Kilonova; see the module."""

    name, moves = "kilonova", False
    environment: Environment = "host"

    def draw(self, rng: np.random.Generator, n: int, window: Window) -> Parameters:
        """Ejected mass [Msun], speed [c], opacity [cm2/g], redshift, time of merger."""
        mass, opacity = np.exp(rng.normal(np.log(0.025), 0.5, n)), np.exp(rng.uniform(np.log(0.5), np.log(6.0), n))
        peak = -15.8 - 1.2 * np.log10(mass / 0.025) + 1.2 * np.log10(opacity)
        return {
            "ejecta_mass": mass.clip(0.003, 0.1),
            "speed": rng.uniform(0.1, 0.3, n),
            "opacity": opacity,
            "redshift": draw_redshift(rng, peak, window),
            "merger_mjd": draw_time(rng, n, window, before=5.0, after=-0.2),
        }

    def flux(self, parameters: Parameters, epochs: Epochs, rng: np.random.Generator) -> Array:
        """Flux [nJy]: zero before the merger and 25 d after it."""
        age = rest_age(parameters["merger_mjd"], parameters["redshift"], epochs)
        on = (age > _GRID[0]) & (age < _GRID[-1])
        who, t = epochs.index[on], age[on]
        grid = luminosity(parameters["ejecta_mass"], parameters["speed"], parameters["opacity"])
        power = interpolate_rows(grid, who, t, _GRID)
        temperature = photosphere_temperature(power, parameters["speed"][who] * _C / 1e5, t, _FLOOR)
        flux = np.zeros(len(age))
        flux[on] = blackbody_flux(epochs.band[on], temperature, power, parameters["redshift"][who])
        return flux

    def reference_mag(self, parameters: Parameters) -> None:
        """None: absent in the template."""
        return None
