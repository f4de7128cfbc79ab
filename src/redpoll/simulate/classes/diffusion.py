"""Light of an expanding, heated ejecta: diffusion (Arnett 1982) and the temperature of its photosphere."""

from __future__ import annotations

import numpy as np

from redpoll.simulate.blackbody import STEFAN_BOLTZMANN
from redpoll.simulate.classes.contract import Array

DAY = 86400.0
SUN = 1.989e33  # g
_NICKEL, _COBALT = 8.8, 111.3  # e-folding times [d]
_LIGHT, _BETA = 2.998e10, 13.8  # cm/s; Arnett's integration constant


def nickel_heating(t: Array, nickel_mass: Array) -> Array:
    """Heat [erg/s] of the decays of nickel 56 and cobalt 56 at ages `t` [d], one row a mass [Msun] (Nadyozhin 1994)."""
    cobalt = np.exp(-t / _COBALT) - np.exp(-t / _NICKEL)
    return np.asarray(SUN * nickel_mass[:, None] * (3.9e10 * np.exp(-t / _NICKEL) + 6.78e9 * cobalt))


def diffused(t: Array, heat: Array, diffusion_days: Array) -> Array:
    """Luminosity [erg/s] over ages `t` [d, shape (k,)] of ejecta with this heat (n, k) and diffusion time (n,) [d]."""
    x = t[None, :] / diffusion_days[:, None]
    # L exp(x^2) = integral of 2 x heat exp(x^2) dx; stepped so that exp never overflows
    lum = np.zeros_like(x)
    for k in range(1, len(t)):
        decay = np.exp(x[:, k - 1] ** 2 - x[:, k] ** 2)
        lum[:, k] = lum[:, k - 1] * decay + 0.5 * (heat[:, k] + heat[:, k - 1]) * (1.0 - decay)
    return lum


def diffusion_time(mass: Array, speed: Array, opacity: Array | float) -> Array:
    """Diffusion time [d] of ejecta of this mass [Msun], speed [km/s] and opacity [cm2/g]."""
    return np.asarray(np.sqrt(2.0 * opacity * mass * SUN / (_BETA * _LIGHT * speed * 1e5)) / DAY)


def ejecta_speed(mass: Array, energy: Array) -> Array:
    """Speed at the edge of uniform ejecta [km/s], of mass [Msun] and kinetic energy [1e51 erg]."""
    return np.asarray(np.sqrt(10.0 * energy * 1e51 / (3.0 * mass * SUN)) / 1e5)


def photosphere_temperature(power: Array, speed: Array, t: Array, floor: Array | float) -> Array:
    """Temperature [K] of a photosphere at this speed [km/s] and age [d] that emits `power` [erg/s]; `floor` or more."""
    radius = speed * 1e5 * t * DAY
    return np.maximum((power / (4 * np.pi * STEFAN_BOLTZMANN * radius**2)) ** 0.25, floor)


def interpolate_rows(grid: Array, row: np.ndarray, t: Array, times: Array) -> Array:
    """Value of row `row` of a grid over `times` [d] at time `t`, linear in between; one answer a pair."""
    k = np.clip(np.searchsorted(times, t) - 1, 0, len(times) - 2)
    weight = (t - times[k]) / (times[k + 1] - times[k])
    return np.asarray(grid[row, k] * (1 - weight) + grid[row, k + 1] * weight)
