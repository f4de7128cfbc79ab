"""Pair-instability supernova: a helium core of about 100 solar masses, disrupted, shining by much nickel 56.

Core, energy and nickel of the models B200, B225 and B250 of Kasen, Woosley & Heger 2011 (ApJ 734, 102, table 1); the
light curve is Arnett's with opacity 0.1 cm2/g, brightest in r 115 to 140 d after the explosion (cf. Gilmer et al. 2017,
ApJ 846, 100), then that of cobalt 56, whose gamma rays so much mass traps. Cool and red, as iron lines block the blue
(Dessart et al. 2013, MNRAS 428, 3227). No such supernova is confirmed; the best candidate, SN 2018ibb, rose in over
90 d (Schulze et al. 2024, A&A 683, A223).
"""

from __future__ import annotations

import numpy as np

from redpoll.simulate.blackbody import EFFECTIVE_WAVELENGTH, blackbody_flux
from redpoll.simulate.classes.contract import Array, Environment, Epochs, Parameters, Window
from redpoll.simulate.classes.diffusion import (
    diffused,
    diffusion_time,
    ejecta_speed,
    interpolate_rows,
    nickel_heating,
    photosphere_temperature,
)
from redpoll.simulate.classes.supernovae import draw_cosmic_redshift, draw_time, rest_age

_GRID = np.concatenate([[0.0], np.geomspace(0.5, 700.0, 200)])
_OPACITY = 0.1  # cm2/g
_BLANKET_EDGE = 450.0  # nm
_MASS = np.array([200.0, 225.0, 250.0])  # of the star [Msun]
_CORE = np.array([96.9, 110.1, 123.5])  # [Msun]
_ENERGY = np.array([27.8, 42.5, 63.2])  # [1e51 erg]
_NICKEL = np.array([1.90, 8.73, 23.1])  # [Msun]


def explosion(stellar_mass: Array) -> tuple[Array, Array, Array]:
    """Ejected mass [Msun], speed [km/s] and nickel mass [Msun] of stars of 200 to 250 solar masses."""
    core, energy = (np.interp(stellar_mass, _MASS, column) for column in (_CORE, _ENERGY))
    return core, ejecta_speed(core, energy), np.exp(np.interp(stellar_mass, _MASS, np.log(_NICKEL)))


def luminosity(stellar_mass: Array) -> Array:
    """Bolometric luminosity [erg/s] over the grid of ages, one row an object."""
    core, speed, nickel = explosion(stellar_mass)
    return diffused(_GRID, nickel_heating(_GRID, nickel), diffusion_time(core, speed, _OPACITY))


class PISN:
    """Pair-instability supernova; see the module."""

    name, moves = "pisn", False
    environment: Environment = "dwarf"

    def draw(self, rng: np.random.Generator, n: int, window: Window) -> Parameters:
        """Mass of the star [Msun], redshift, time of the explosion."""
        mass = rng.uniform(200.0, 250.0, n)
        peak = -20.6 - 2.5 * np.log10(luminosity(mass).max(axis=1) / 1e44)  # a black body of 6,000 K, in r
        return {
            "stellar_mass": mass,
            "redshift": draw_cosmic_redshift(rng, peak, window, evolution=2.7),
            "explosion_mjd": draw_time(rng, n, window, before=600.0, after=0.0),
        }

    def flux(self, parameters: Parameters, epochs: Epochs, rng: np.random.Generator) -> Array:
        """Flux [nJy]: zero before the explosion and 700 d after it."""
        z = parameters["redshift"]
        age = rest_age(parameters["explosion_mjd"], z, epochs)
        on = (age > _GRID[1]) & (age < _GRID[-1])
        who, t, band = epochs.index[on], age[on], epochs.band[on]
        _, speed, _ = explosion(parameters["stellar_mass"])
        power = interpolate_rows(luminosity(parameters["stellar_mass"]), who, t, _GRID)
        temperature = photosphere_temperature(power, speed[who], t, 4500.0).clip(max=12000.0)
        blanketed = np.minimum(EFFECTIVE_WAVELENGTH[band] / (1.0 + z[who]) / _BLANKET_EDGE, 1.0) ** 2
        flux = np.zeros(len(age))
        flux[on] = blanketed * blackbody_flux(band, temperature, power, z[who])
        return flux

    def reference_mag(self, parameters: Parameters) -> None:
        """None: absent in the template."""
        return None
