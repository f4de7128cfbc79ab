"""Distances in a flat universe with H0 = 70 km/s/Mpc and a matter density of 0.3."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

_HUBBLE_DISTANCE_MPC = 299792.458 / 70.0
_MATTER = 0.3
_Z = np.concatenate([[0.0], np.geomspace(1e-5, 6.0, 2000)])
_INVERSE_E = 1.0 / np.sqrt(_MATTER * (1.0 + _Z) ** 3 + 1.0 - _MATTER)
_COMOVING = np.concatenate([[0.0], np.cumsum(np.diff(_Z) * (_INVERSE_E[1:] + _INVERSE_E[:-1]) / 2)])


def luminosity_distance(redshift: ArrayLike) -> NDArray[np.float64]:
    """Luminosity distance [Mpc] of a redshift between 0 and 6.

    >>> luminosity_distance(0.1).round(0)
    np.float64(460.0)
    """
    z = np.asarray(redshift, np.float64)
    return np.asarray(_HUBBLE_DISTANCE_MPC * (1.0 + z) * np.interp(z, _Z, _COMOVING))


def distance_modulus(redshift: ArrayLike) -> NDArray[np.float64]:
    """Apparent minus absolute magnitude of a redshift between 1e-5 and 6.

    >>> distance_modulus(0.1).round(2)
    np.float64(38.32)
    """
    return np.asarray(5.0 * np.log10(luminosity_distance(redshift)) + 25.0)


def redshift_at(modulus: ArrayLike) -> NDArray[np.float64]:
    """Redshift of a distance modulus, the inverse of `distance_modulus`; clipped to 1e-5..6.

    >>> redshift_at(38.32).round(3)
    np.float64(0.1)
    """
    return np.asarray(np.interp(np.asarray(modulus, np.float64), distance_modulus(_Z[1:]), _Z[1:]))
