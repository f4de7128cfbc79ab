"""Distance from the planes of the Galaxy and of the ecliptic."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from redpoll.astro.sky import galactic

_ECLIPTIC_POLE = 270.0, 66.56071
"""At J2000, in degrees: 90 less the obliquity of 23.43929."""


def galactic_latitude(ra: ArrayLike, dec: ArrayLike) -> NDArray[np.float64]:
    """Galactic latitude [deg] of ICRS positions [deg].

    >>> galactic_latitude([266.40499, 192.85948], [-28.93617, 27.12825]).round(4).tolist()
    [0.0, 90.0]
    """
    return galactic(ra, dec)[1]


def ecliptic_latitude(ra: ArrayLike, dec: ArrayLike) -> NDArray[np.float64]:
    """Ecliptic latitude [deg], of J2000, of ICRS positions [deg].

    >>> ecliptic_latitude([90.0, 90.0, 270.0], [24.43929, 22.43929, 66.56071]).round(4).tolist()
    [1.0, -1.0, 90.0]
    """
    lon, lat = np.radians(np.asarray(ra, np.float64)), np.radians(np.asarray(dec, np.float64))
    pole_lon, pole_lat = np.radians(_ECLIPTIC_POLE)
    sine = np.sin(lat) * np.sin(pole_lat) + np.cos(lat) * np.cos(pole_lat) * np.cos(lon - pole_lon)
    return np.asarray(np.degrees(np.arcsin(np.clip(sine, -1.0, 1.0))))
