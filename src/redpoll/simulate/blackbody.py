"""Flux of black bodies in the bands of the surveys.

The six passbands are top hats. ZTF's g, r, i and Rubin's differ by up to 35 nm; the simulator uses one set for both.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from redpoll.astro.luminosity import NJY
from redpoll.simulate.distance import luminosity_distance

Array = NDArray[np.float64]
EFFECTIVE_WAVELENGTH = np.array([367.0, 482.0, 622.0, 755.0, 869.0, 971.0])
"""Centre of u, g, r, i, z, y [nm]."""
WIDTH = np.array([48.0, 128.0, 138.0, 122.0, 102.0, 82.0])
"""Full width of u, g, r, i, z, y [nm]."""
_H, _C, _K = 6.62607015e-27, 2.99792458e10, 1.380649e-16  # erg s, cm/s, erg/K
STEFAN_BOLTZMANN = 5.670374e-5  # erg/s/cm2/K4
_MPC_CM = 3.0856776e24
_NODES = np.array([-0.7745967, 0.0, 0.7745967]) / 2
_WEIGHTS = np.array([5.0, 8.0, 5.0]) / 18


def planck(wavelength_nm: ArrayLike, temperature: ArrayLike) -> Array:
    """Spectral radiance B_nu of a black body [erg/s/cm2/Hz/sr]; temperature in K."""
    nu = _C / (np.asarray(wavelength_nm, np.float64) * 1e-7)
    x = np.clip(_H * nu / (_K * np.maximum(np.asarray(temperature, np.float64), 1.0)), 1e-9, 600.0)
    return np.asarray(2 * _H * nu**3 / _C**2 / np.expm1(x))


def band_radiance(band: NDArray[np.integer], temperature: ArrayLike, redshift: ArrayLike = 0.0) -> Array:
    """Radiance averaged over the rest-frame width of observed bands, three-point Gauss-Legendre."""
    stretch = 1.0 / (1.0 + np.asarray(redshift, np.float64))
    total = np.zeros(np.broadcast_shapes(np.shape(band), np.shape(temperature), np.shape(stretch)))
    for node, weight in zip(_NODES, _WEIGHTS, strict=True):
        total += weight * planck((EFFECTIVE_WAVELENGTH[band] + node * WIDTH[band]) * stretch, temperature)
    return total


def blackbody_flux(band: NDArray[np.integer], temperature: ArrayLike, luminosity: ArrayLike, redshift: Array) -> Array:
    """Observed flux [nJy] of a black body.

    Parameters
    ----------
    band
        Index into u, g, r, i, z, y.
    temperature, luminosity
        Rest-frame temperature [K] and bolometric luminosity [erg/s].
    redshift
        Above zero; gives the luminosity distance and the K-correction.
    """
    radius_squared = np.asarray(luminosity) / (
        4 * np.pi * STEFAN_BOLTZMANN * np.maximum(np.asarray(temperature), 1.0) ** 4
    )
    solid = np.pi * radius_squared * (1.0 + redshift) / (luminosity_distance(redshift) * _MPC_CM) ** 2
    return np.asarray(solid * band_radiance(band, temperature, redshift) / NJY)


def colour(band: NDArray[np.integer], temperature: ArrayLike, redshift: ArrayLike = 0.0) -> Array:
    """Magnitude in a band minus that at 622 nm in the rest frame (r) of a black body of this temperature."""
    return np.asarray(-2.5 * np.log10(band_radiance(band, temperature, redshift) / planck(622.0, temperature)))
