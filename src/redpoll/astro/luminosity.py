"""Absolute magnitudes and luminosities [erg/s], and the bolometric luminosity of a blackbody seen in one band."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from redpoll.astro.cosmology import distance_modulus, luminosity_distance, modulus_of_distance, redshift_from_distance
from redpoll.astro.extinction import WAVELENGTH, band_value

Array = NDArray[np.float64]
NJY = 1e-32  # erg/s/cm2/Hz
_CM_PER_MPC = 3.0856775814913674e24
_LIGHT_NM = 2.99792458e17  # nm/s
_HC_K = 14_387_768.775  # nm K
_STEFAN_BOLTZMANN = 5.670374419e-5  # erg/s/cm2/K4


def absolute_mag(mag: ArrayLike, redshift: ArrayLike, *, extinction: ArrayLike = 0.0) -> Array:
    """Absolute AB magnitude: mag - distance modulus - extinction - K, with K = -2.5 log10(1 + z).

    This K is the part of a K-correction due to the stretch of the band alone: the result is the
    magnitude at the wavelength of emission, observed / (1 + z), and that of the band itself if f_nu is flat. NaN
    where the redshift is unknown, not positive or above 20.

    References
    ----------
    Hogg et al. 2002, arXiv:astro-ph/0210394.

    Examples
    --------
    >>> float(absolute_mag(19.0, 0.1, extinction=0.1).round(3))
    -19.384
    """
    stretch = _stretch(redshift)
    return np.asarray(np.asarray(mag, np.float64) - distance_modulus(redshift) - np.asarray(extinction) + stretch)


def absolute_mag_at(mag: ArrayLike, distance: ArrayLike, *, extinction: ArrayLike = 0.0) -> Array:
    """Absolute AB magnitude at a luminosity distance [Mpc]; the redshift of K is the one of that distance.

    >>> float(absolute_mag_at(19.0, 475.82227, extinction=0.1).round(3))
    -19.384
    """
    stretch = _stretch(redshift_from_distance(distance))
    return np.asarray(np.asarray(mag, np.float64) - modulus_of_distance(distance) - np.asarray(extinction) + stretch)


def apparent_mag(absolute: ArrayLike, redshift: ArrayLike, *, extinction: ArrayLike = 0.0) -> Array:
    """Apparent AB magnitude of an absolute one: the inverse of `absolute_mag`.

    >>> float(apparent_mag(-19.384, 0.1, extinction=0.1).round(3))
    19.0
    """
    stretch = _stretch(redshift)
    return np.asarray(np.asarray(absolute, np.float64) + distance_modulus(redshift) + np.asarray(extinction) - stretch)


def nu_l_nu(flux: ArrayLike, redshift: ArrayLike, wavelength: ArrayLike) -> Array:
    """nu L_nu [erg/s] at the wavelength of emission, of a flux [nJy] observed at `wavelength` [nm].

    nu L_nu of the emitter is 4 pi D_L^2 nu f_nu of the observer: it needs no K-correction. Correct the flux for
    dust first. An error goes the same way.

    >>> round(float(nu_l_nu(91201.0, 0.1, 479.7)) / 1e43, 3)  # 19 mag in g
    1.544
    """
    area = 4.0 * np.pi * (luminosity_distance(redshift) * _CM_PER_MPC) ** 2
    return np.asarray(area * (_LIGHT_NM / np.asarray(wavelength, np.float64)) * np.asarray(flux, np.float64) * NJY)


def band_luminosity(flux: ArrayLike, redshift: ArrayLike, band: ArrayLike, survey: ArrayLike = "rubin") -> Array:
    """nu L_nu [erg/s] of a flux [nJy] in a band (codes 0..5 of u g r i z y) of a survey.

    >>> round(float(band_luminosity(91201.0, 0.1, 1)) / 1e43, 3)
    1.544
    """
    return nu_l_nu(flux, redshift, band_value(WAVELENGTH, band, survey))


def bolometric_luminosity(luminosity: ArrayLike, wavelength: ArrayLike, temperature: ArrayLike) -> Array:
    """Luminosity over all wavelengths of a blackbody with nu L_nu = `luminosity` at `wavelength` [nm], emitted.

    `wavelength` is the one at emission (observed / (1 + z)), `temperature` [K] the source's own. NaN unless both are
    positive.

    >>> float(bolometric_luminosity(1.0, 367.0, 10_000.0).round(3))
    1.359
    """
    x = _positive(_HC_K / (_positive(wavelength) * _positive(temperature)))
    return np.asarray(np.asarray(luminosity, np.float64) * np.pi**4 / 15.0 * np.expm1(x) / x**4)


def blackbody_radius(bolometric: ArrayLike, temperature: ArrayLike) -> Array:
    """Radius [cm] of a blackbody sphere of a luminosity [erg/s] and temperature [K].

    >>> round(float(blackbody_radius(3.828e33, 5772.0)) / 6.957e10, 3)  # the Sun's, in its radii
    1.0
    """
    return np.asarray(
        np.sqrt(_positive(bolometric) / (4.0 * np.pi * _STEFAN_BOLTZMANN)) / np.asarray(temperature, np.float64) ** 2
    )


def _stretch(redshift: ArrayLike) -> Array:
    """2.5 log10(1 + z)."""
    return np.asarray(2.5 / np.log(10.0) * np.log1p(np.maximum(np.asarray(redshift, np.float64), 0.0)))


def _positive(value: ArrayLike) -> Array:
    value = np.asarray(value, np.float64)
    return np.asarray(np.where(value > 0, value, np.nan))
