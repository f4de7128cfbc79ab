"""Distances in a flat universe whose dark energy has a constant equation of state w."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from redpoll.astro.cosmology import modulus_of_distance

Array = NDArray[np.float64]
HUBBLE_CONSTANT = 70.0
"""km/s/Mpc; another one shifts every distance modulus by the same amount."""
_LIGHT = 299_792.458  # km/s
_POINT, _WEIGHT = np.polynomial.legendre.leggauss(24)


def wcdm_distance_modulus(z: ArrayLike, omega_m: ArrayLike, w: ArrayLike) -> Array:
    """Distance modulus [mag] of redshifts (0 < z <= 3; NaN below) in universes of matter density and w.

    Equal to ``astropy.cosmology.FlatwCDM`` within 1e-8 mag for 0.1 <= omega_m <= 0.6 and -4 <= w <= 1.5 (a test).

    Returns
    -------
    An array of the shape of the parameters, followed by that of the redshifts.

    References
    ----------
    Hogg 1999, arXiv:astro-ph/9905116; Linder 2003, PhRvL 90, 091301.

    Examples
    --------
    >>> wcdm_distance_modulus([0.1, 1.0], 0.3, [-1.0, -0.8]).round(3).tolist()
    [[38.315, 44.1], [38.295, 44.008]]
    """
    z, omega_m, w = np.atleast_1d(np.asarray(z, np.float64)), *np.broadcast_arrays(omega_m, w)
    end = np.log1p(np.where(z > 0, z, np.nan))
    x = 0.5 * end[:, None] * (1.0 + _POINT)  # of each redshift, the nodes between 0 and ln(1 + z)
    matter = np.asarray(omega_m, np.float64)[..., None, None]
    dark = (1.0 - matter) * np.exp(3.0 * (1.0 + np.asarray(w, np.float64)[..., None, None]) * x)
    comoving = 0.5 * end * ((np.exp(x) / np.sqrt(matter * np.exp(3.0 * x) + dark)) @ _WEIGHT)
    return modulus_of_distance(_LIGHT / HUBBLE_CONSTANT * (1.0 + z) * comoving)
