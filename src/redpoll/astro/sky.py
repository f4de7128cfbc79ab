"""Positions on the sky: HEALPix indices, cones as ranges of one integer, separations."""

from __future__ import annotations

import numpy as np
from healpix_geo import nested
from numpy.typing import ArrayLike, NDArray

ORDER = 29
N_CELLS = 12 * 4**ORDER
_CELL_DEGREES = 58.63  # side of a square with the area of a base cell; halves with each order
_CELLS_PER_RADIUS = 4
_PAD_ARCSEC = 1e-5  # far above the rounding of a position, far below a cell of order 29

_TO_GALACTIC = np.array(
    [
        [-0.0548755604162154, -0.8734370902348850, -0.4838350155487132],
        [0.4941094278755837, -0.4448296299600112, 0.7469822444972189],
        [-0.8676661490190047, -0.1980763734312015, 0.4559837761750669],
    ]
)
"""From ICRS to Galactic coordinates: ESA 1997, the Hipparcos catalogue, volume 1, equation 1.5.11."""
_ECLIPTIC_POLE = 270.0, 66.56071
"""At J2000, in degrees: 90 less the obliquity of 23.43929."""


def hpx29(ra: ArrayLike, dec: ArrayLike) -> NDArray[np.int64]:
    """Nested HEALPix index of order 29 of each position; cells are 0.4 mas wide.

    Parameters
    ----------
    ra, dec
        ICRS degrees; any finite right ascension is taken modulo 360.

    Raises
    ------
    ValueError
        If a position is not finite or a declination lies outside -90..90. Look at `is_position` first.

    Examples
    --------
    >>> hpx29([10.0, 370.0], [3.0, 3.0]).tolist()
    [1275321747972042574, 1275321747972042574]
    """
    ra, dec = np.atleast_1d(np.asarray(ra, np.float64)), np.atleast_1d(np.asarray(dec, np.float64))
    if not is_position(ra, dec).all():
        raise ValueError("ra and dec must be finite, and dec between -90 and 90 degrees")
    # one thread: worker processes must not start thread pools of their own
    cells = nested.lonlat_to_healpix(np.mod(ra, 360.0), np.ascontiguousarray(dec), ORDER, num_threads=1)
    return np.asarray(cells, np.int64)


def is_position(ra: ArrayLike, dec: ArrayLike) -> NDArray[np.bool_]:
    """Whether each pair is a position on the sky: both finite, declination within -90..90 degrees.

    >>> is_position([10.0, 10.0, float("nan")], [90.0, 90.1, 0.0]).tolist()
    [True, False, False]
    """
    return np.isfinite(np.asarray(ra, np.float64)) & (np.abs(np.asarray(dec, np.float64)) <= 90.0)


def unit_vectors(ra: NDArray[np.float64], dec: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cartesian unit vectors toward positions [deg], one row each.

    >>> unit_vectors(np.array([0.0]), np.array([90.0])).round(9).tolist()
    [[0.0, 0.0, 1.0]]
    """
    lon, lat = np.radians(ra), np.radians(dec)
    return np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


def cone_ranges(ra: float, dec: float, radius_arcsec: float) -> NDArray[np.int64]:
    """Ranges [start, stop) of order-29 cells that cover a cone: sorted, merged, int64 of shape (n, 2).

    They cover the whole cone and about twice its area, in some ten ranges (measured: at most 22), so a caller
    sorts what they select by `separation_arcsec`.

    Parameters
    ----------
    ra, dec
        Centre, ICRS degrees.
    radius_arcsec
        Radius, 0 to 648,000 arcsec (the whole sky).

    Raises
    ------
    ValueError
        If the centre is not a position, or the radius is negative, not finite, or more than 180 degrees.

    Examples
    --------
    >>> inside = hpx29([10.0003], [20.0])
    >>> ranges = cone_ranges(10.0, 20.0, 5.0)
    >>> bool(((ranges[:, 0] <= inside) & (inside < ranges[:, 1])).any())
    True
    """
    if not is_position(ra, dec).all() or not 0.0 <= radius_arcsec <= 648_000.0:
        raise ValueError(f"no cone of {radius_arcsec} arcsec around ra {ra}, dec {dec}")
    from redpoll.astro.healpix import cells_of_cone  # brings numba, which few commands need

    radius = radius_arcsec + _PAD_ARCSEC
    depth = _depth_of_side(radius / _CELLS_PER_RADIUS)
    cells = cells_of_cone(float(ra) % 360.0, float(dec), radius, depth)
    shift = 2 * (ORDER - depth)
    return merged(cells << shift, (cells + 1) << shift)


def _depth_of_side(arcsec: float) -> int:
    """The finest order whose cells are at least so wide; 0 if none is."""
    return int(np.clip(np.floor(np.log2(_CELL_DEGREES * 3600 / arcsec)), 0, ORDER))


def merged(starts: NDArray[np.int64], stops: NDArray[np.int64]) -> NDArray[np.int64]:
    """Ranges [start, stop) sorted, those that touch or overlap made one: int64 of shape (n, 2).

    >>> merged(np.array([8, 0, 3]), np.array([9, 3, 5])).tolist()
    [[0, 5], [8, 9]]
    """
    order = np.argsort(starts, kind="stable")
    starts, reach = starts[order], np.maximum.accumulate(stops[order])
    is_gap = starts[1:] > reach[:-1]
    one = np.ones(min(len(starts), 1), bool)
    return np.column_stack([starts[np.append(one, is_gap)], reach[np.append(is_gap, one)]])


def separation_arcsec(ra1: ArrayLike, dec1: ArrayLike, ra2: ArrayLike, dec2: ArrayLike) -> NDArray[np.float64]:
    """Angle between positions [arcsec], by the haversine; the arguments, in degrees, broadcast.

    Exact to rounding, but for angles within a degree of 180 it may be off by some milliarcsec. NaN where a position
    is unknown.

    >>> float(separation_arcsec(359.9999, 0.0, 0.0001, 0.0).round(9))
    0.72
    """
    lon1, lat1, lon2, lat2 = (np.radians(np.asarray(x, np.float64)) for x in (ra1, dec1, ra2, dec2))
    a = np.sin((lat2 - lat1) / 2) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin((lon2 - lon1) / 2) ** 2
    return np.asarray(np.degrees(2 * np.arcsin(np.sqrt(np.clip(a, 0.0, 1.0)))) * 3600.0)


def galactic(ra: ArrayLike, dec: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Galactic longitude and latitude [deg] of ICRS positions [deg].

    Astropy, which goes by way of FK5, differs by up to 25 mas.

    >>> [float(x.round(4)) for x in galactic(266.40499, -28.93617)]
    [0.0, 0.0]
    """
    a, d = np.radians(np.asarray(ra, np.float64)), np.radians(np.asarray(dec, np.float64))
    x, y, z = np.tensordot(_TO_GALACTIC, np.stack([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)]), 1)
    return np.degrees(np.arctan2(y, x)) % 360.0, np.degrees(np.arctan2(z, np.hypot(x, y)))


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
