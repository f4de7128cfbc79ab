"""Nested HEALPix cells, compiled: centres of cells, and cells that overlap a cone.

Compiled here because a library call starts threads, which for a few cells takes as long as a whole query.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll.kernels import kernel, part

_ROW = np.array([2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4])  # of each base cell, from the north pole
_COLUMN = np.array([1, 3, 5, 7, 0, 2, 4, 6, 1, 3, 5, 7])


def centres(cells: NDArray[np.int64], order: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Right ascension and declination [deg] of the centres of nested cells of an order, 0 to 29.

    References
    ----------
    Gorski et al. 2005, ApJ 622, 759, equations 4 to 9.

    Examples
    --------
    >>> [round(float(x[0]), 6) for x in centres(np.array([4]), 0)]
    [0.0, 0.0]
    """
    lon, z, s = _centres(np.asarray(cells, np.int64), order)
    return np.degrees(lon), np.degrees(np.arctan2(z, s))


def cells_of_cone(ra: float, dec: float, radius: float, order: int) -> NDArray[np.int64]:
    """Cells of an order that may overlap a cone of `radius` [arcsec] around a position [deg]; none is missing.

    The coverage functions of the libraries in use omit cells that a cone only grazes (measured: in 0.1 % of the
    cones of 1 to 30 degrees, in nearly all beyond 130). This function descends from the base cells and drops a cell
    only if its centre is farther away than the radius plus the distance to its farthest corner.

    >>> cells_of_cone(10.0, 20.0, 5.0, 10).tolist()
    [5084981, 5085024, 5085026]
    """
    reach = np.radians(radius / 3600.0) + _FARTHEST_CORNER[: order + 1]
    chord2 = np.where(reach < math.pi, 4 * np.sin(np.minimum(reach, math.pi) / 2) ** 2, np.inf)
    return np.asarray(_cells_of_cone(math.radians(ra), math.radians(dec), chord2, order))


def _farthest_corner(order: int) -> float:
    """Upper bound of the angle [rad] from the centre of a cell to its corners, from the most stretched cell."""
    n = 2.0**order
    z0, z1 = 2 / 3, 1 - (1 - 1 / n) ** 2 / 3
    lat0, lat1, half_lon = math.asin(z0), math.asin(z1), math.pi / 8 / n
    a = math.sin((lat1 - lat0) / 2) ** 2 + math.cos(lat0) * math.cos(lat1) * math.sin(half_lon) ** 2
    return 1.01 * 2 * math.asin(math.sqrt(a))


_FARTHEST_CORNER = np.array([_farthest_corner(order) for order in range(30)])


@kernel
def _centres(cells: Any, order: int) -> Any:
    """Longitude [rad], sine and cosine of the latitude of each cell's centre."""
    lon, z, s = np.empty(len(cells)), np.empty(len(cells)), np.empty(len(cells))
    for i in range(len(cells)):
        lon[i], z[i], s[i] = _centre(cells[i], order)
    return lon, z, s


@kernel
def _cells_of_cone(lon: float, lat: float, chord2: Any, order: int) -> Any:
    """Cells whose centre lies within a chord (squared, by order) of the position, from order 0 downwards."""
    x, y, z = math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)
    cells = np.arange(12)
    for level in range(order + 1):
        kept = 0
        for i in range(len(cells)):
            cell = int(cells[i])
            phi, cz, s = _centre(cell, level)
            if (x - s * math.cos(phi)) ** 2 + (y - s * math.sin(phi)) ** 2 + (z - cz) ** 2 <= chord2[level]:
                cells[kept] = cell
                kept += 1
        cells = cells[:kept]
        if level < order:
            finer = np.empty(4 * kept, np.int64)
            for i in range(4 * kept):
                finer[i] = 4 * cells[i // 4] + i % 4
            cells = finer
    return cells


@part
def _centre(cell: int, order: int) -> tuple[float, float, float]:
    """Longitude [rad], sine and cosine of the latitude; the cosine is exact near the poles."""
    nside = 1 << order
    base, inside = cell >> (2 * order), cell & ((1 << (2 * order)) - 1)
    x, y = every_other_bit(inside), every_other_bit(inside >> 1)
    ring = (_ROW[base] << order) - x - y - 1  # 1 at the north pole, 4 nside - 1 at the south pole
    if nside <= ring <= 3 * nside:
        quarter, shifted = nside, (ring - nside) & 1
        z = (2 * nside - ring) * (2 / 3) / nside
        s = math.sqrt((1 - z) * (1 + z))
    else:
        quarter, shifted = min(ring, 4 * nside - ring), 0
        depth = (quarter / nside) ** 2 / 3
        s = math.sqrt(depth * (2 - depth))
        z = 1 - depth if ring < nside else depth - 1
    column = (_COLUMN[base] * quarter + x - y + 1 + shifted) // 2
    return (math.pi / 2 * ((column - (shifted + 1) / 2) / quarter)) % (2 * math.pi), z, s


@part
def every_other_bit(value: int) -> int:
    """Bits 0, 2, 4 ... moved together: the x of a nested cell index, or the y of the index shifted by one bit.

    Kernels in other files use it too. Numba's cache would miss a change here, but there is none to make.
    """
    value &= 0x5555555555555555
    value = (value | (value >> 1)) & 0x3333333333333333
    value = (value | (value >> 2)) & 0x0F0F0F0F0F0F0F0F
    value = (value | (value >> 4)) & 0x00FF00FF00FF00FF
    value = (value | (value >> 8)) & 0x0000FFFF0000FFFF
    return (value | (value >> 16)) & 0x00000000FFFFFFFF
