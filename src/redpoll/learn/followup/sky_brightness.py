"""Brightness of the night sky with the moon in it (Krisciunas & Schaefer 1991)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def sky_brightness(
    dark: float, extinction: float, altitude: Array, moon_altitude: Array, moon_distance: Array, moon_phase: Array
) -> Array:
    """Brightness of the sky [mag per square arcsec] at an altitude; the moon's light is that of V.

    Parameters
    ----------
    dark, extinction
        Brightness of the moonless sky at the zenith [mag per square arcsec], and mag per airmass.
    altitude, moon_altitude, moon_distance
        Of the target and the moon, and between the two [deg]; a moon below the horizon gives no light.
    moon_phase
        Phase angle [deg]: 0 at full moon, 180 at new moon.

    References
    ----------
    Krisciunas & Schaefer 1991, PASP 103, 1033, equations 2, 3, 15, 20 and 21; within 8 to 23 % of the light.

    Examples
    --------
    >>> one = lambda *values: sky_brightness(20.9, 0.1, *map(np.atleast_1d, values)).round(1).tolist()
    >>> one(90.0, -10.0, 90.0, 0.0), one(60.0, 50.0, 60.0, 0.0)
    ([20.9], [18.8])
    """
    airmass, moon_airmass = _scattering_airmass(altitude), _scattering_airmass(np.maximum(moon_altitude, 0.0))
    night = _nanolamberts(dark) * airmass * 10.0 ** (-0.4 * extinction * (airmass - 1.0))
    phase = np.abs(moon_phase)
    moon = 10.0 ** (-0.4 * (3.84 + 0.026 * phase + 4e-9 * phase**4))
    scattered = 10.0**5.36 * (1.06 + np.cos(np.radians(moon_distance)) ** 2) + 10.0 ** (6.15 - moon_distance / 40.0)
    light = moon * scattered * 10.0 ** (-0.4 * extinction * moon_airmass)
    light *= 1.0 - 10.0 ** (-0.4 * extinction * airmass)
    total = night + np.where(moon_altitude > 0, light, 0.0)
    return np.asarray((20.7233 - np.log(total / 34.08)) / 0.92104)


def airmass_of(altitude: Array) -> Array:
    """Airmass at an altitude [deg]; infinite below the horizon (Kasten & Young 1989, Applied Optics 28, 4735).

    >>> airmass_of(np.array([90.0, 30.0, -1.0])).round(2).tolist()
    [1.0, 1.99, inf]
    """
    above = np.maximum(altitude, 0.0)
    airmass = 1.0 / (np.sin(np.radians(above)) + 0.50572 * (above + 6.07995) ** -1.6364)
    return np.where(altitude > 0, airmass, np.inf)


def _scattering_airmass(altitude: Array) -> Array:
    return np.asarray((1.0 - 0.96 * np.cos(np.radians(altitude)) ** 2) ** -0.5)


def _nanolamberts(mag: float) -> float:
    return float(34.08 * np.exp(20.7233 - 0.92104 * mag))
