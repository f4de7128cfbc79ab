"""Superluminous supernova without hydrogen: ejecta heated by the spin-down of a magnetar (Kasen & Bildsten 2010).

Spin-down, leakage and spectrum: Nicholl et al. 2017 (ApJ 850, 55); the spectrum is a black body that loses light below
300 nm, scaled so that the luminosity stays. Medians and scatter of the parameters are those of ZTF's events (Chen et
al. 2023, ApJ 943, 42); only drawn are events as luminous as theirs (ApJ 943, 41: -22.8 to -19.8 mag at maximum in g).
The opacity of Inserra et al. 2013 (ApJ 770, 128) gives rises as long as theirs (41.9 d, scatter 17.8 d). The
photosphere is at 16,000 K around maximum. The rate grows as star formation (Madau & Dickinson 2014), in dwarf galaxies
(Lunnan et al. 2015, ApJ 804, 90; Angus et al. 2016, MNRAS 458, 84).
"""

from __future__ import annotations

import numpy as np

from redpoll.simulate.blackbody import EFFECTIVE_WAVELENGTH, blackbody_flux, planck
from redpoll.simulate.classes.contract import Array, Environment, Epochs, Parameters, Window
from redpoll.simulate.classes.diffusion import (
    DAY,
    SUN,
    diffused,
    diffusion_time,
    interpolate_rows,
    photosphere_temperature,
)
from redpoll.simulate.classes.supernovae import draw_cosmic_redshift, draw_time, rest_age

_GRID = np.concatenate([[0.0], np.geomspace(0.05, 500.0, 200)])
_OPACITY, _GAMMA_OPACITY = 0.1, 0.1  # cm2/g
_UV_EDGE = 300.0  # nm
_MEDIANS = np.log([2.64, 0.98, 5.03, 2.13])  # ms, 1e14 G, Msun, 1e51 erg
_SCATTER = np.array([0.48, 0.85, 0.62, 0.62])  # of the natural logarithms


def luminosity(period: Array, field: Array, mass: Array, energy: Array) -> Array:
    """Bolometric luminosity [erg/s] over the grid of ages, one row an object.

    Initial spin period [ms], magnetic field [1e14 G], ejected mass [Msun], kinetic energy [1e51 erg].
    """
    speed = _speed(mass, energy)
    rotation, spin_down = 2.6e52 * period**-2, 1.3e5 * (period / field) ** 2 / DAY
    heat = (rotation / (spin_down * DAY))[:, None] / (1.0 + _GRID / spin_down[:, None]) ** 2
    thickness = 3.0 * _GAMMA_OPACITY * mass * SUN / (4 * np.pi * (speed * 1e5) ** 2)
    trapped = -np.expm1(-thickness[:, None] / np.maximum(_GRID * DAY, 1.0) ** 2)
    return diffused(_GRID, heat * trapped, diffusion_time(mass, speed, _OPACITY))


class SLSN:
    """Superluminous supernova; see the module."""

    name, moves = "slsn", False
    environment: Environment = "dwarf"

    def draw(self, rng: np.random.Generator, n: int, window: Window) -> Parameters:
        """Spin period [ms], field [1e14 G], mass [Msun], energy [1e51 erg], coolest temperature [K], redshift, time."""
        many = np.exp(_MEDIANS + _SCATTER * rng.standard_normal((20 * n, 4)))
        many[:, 0] = many[:, 0].clip(0.7, 20.0)  # a faster neutron star would break up
        peak = _peak_mag(luminosity(*many.T).max(axis=1))
        kept = rng.choice(np.flatnonzero((peak > -22.8) & (peak < -19.8)), n)
        period, field, mass, energy = many[kept].T
        return {
            "spin_period": period,
            "magnetic_field": field,
            "ejecta_mass": mass,
            "kinetic_energy": energy,
            "coolest": rng.normal(6500.0, 700.0, n).clip(5000.0, 9000.0),
            "redshift": draw_cosmic_redshift(rng, peak[kept], window, evolution=2.7),
            "explosion_mjd": draw_time(rng, n, window, before=250.0, after=0.0),
        }

    def flux(self, parameters: Parameters, epochs: Epochs, rng: np.random.Generator) -> Array:
        """Flux [nJy]: zero before the explosion and 500 d after it."""
        p, z = parameters, parameters["redshift"]
        age = rest_age(p["explosion_mjd"], z, epochs)
        on = (age > 0.05) & (age < _GRID[-1])
        who, t, band = epochs.index[on], age[on], epochs.band[on]
        grid = luminosity(p["spin_period"], p["magnetic_field"], p["ejecta_mass"], p["kinetic_energy"])
        power = interpolate_rows(grid, who, t, _GRID)
        speed = _speed(p["ejecta_mass"], p["kinetic_energy"])
        temperature = photosphere_temperature(power, speed[who], t, p["coolest"][who]).clip(max=30000.0)
        absorbed = np.minimum(EFFECTIVE_WAVELENGTH[band] / (1.0 + z[who]) / _UV_EDGE, 1.0)
        flux = np.zeros(len(age))
        flux[on] = absorbed * blackbody_flux(band, temperature, power / fraction_kept(temperature), z[who])
        return flux

    def reference_mag(self, parameters: Parameters) -> None:
        """None: absent in the template."""
        return None


def fraction_kept(temperature: Array) -> Array:
    """Fraction of a black body's light that is left after the loss below the edge; the total stays the luminosity."""
    wavelength, hot = np.geomspace(20.0, 2e4, 400), np.geomspace(3000.0, 40000.0, 60)
    light = planck(wavelength, hot[:, None]) / wavelength**2
    total = np.trapezoid(light, wavelength, axis=1)
    left = np.trapezoid(light * np.minimum(wavelength / _UV_EDGE, 1.0), wavelength, axis=1)
    return np.interp(temperature, hot, left / total)


def _speed(mass: Array, energy: Array) -> Array:
    """Speed of the photosphere [km/s]: the energy is half the mass times its square, as in the paper's fits."""
    return np.asarray(np.sqrt(2.0 * energy * 1e51 / (mass * SUN)) / 1e5)


def _peak_mag(power: Array) -> Array:
    """Absolute magnitude in g of the light of a photosphere of 15,000 K with this luminosity [erg/s], to 0.3 mag."""
    return np.asarray(-20.6 - 2.5 * np.log10(power / 1e44))
