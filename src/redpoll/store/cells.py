"""Centres of HEALPix cells, in numpy alone.

A call into a library that starts a thread for a few cells waits for a core as long as a whole query takes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_ROW = np.array([2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4])  # of each base cell, from the north pole
_COLUMN = np.array([1, 3, 5, 7, 0, 2, 4, 6, 1, 3, 5, 7])
_SPREAD = (0x5555555555555555, 0x3333333333333333, 0x0F0F0F0F0F0F0F0F, 0x00FF00FF00FF00FF, 0x0000FFFF0000FFFF)


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
    nside = 1 << order
    base, inside = cells >> (2 * order), cells & ((1 << (2 * order)) - 1)
    x, y = _every_other_bit(inside), _every_other_bit(inside >> 1)
    ring = (_ROW[base] << order) - x - y - 1  # 1 at the north pole, 4 nside - 1 at the south pole
    polar = np.minimum(np.minimum(ring, 4 * nside - ring), nside)  # a quarter of the cells of the ring
    in_cap = (ring < nside) | (ring > 3 * nside)
    shifted = np.where(in_cap, 0, (ring - nside) & 1)
    place = (_COLUMN[base] * polar + x - y + 1 + shifted) // 2
    ra = 90.0 * ((place - (shifted + 1) / 2) / polar)
    from_pole = 2 * np.degrees(np.arcsin(polar / nside / np.sqrt(6.0)))  # exact near the poles
    belt = np.degrees(np.arcsin(np.clip((2 * nside - ring) * (2 / 3) / nside, -1.0, 1.0)))
    dec = np.where(in_cap, np.where(ring < nside, 90.0 - from_pole, from_pole - 90.0), belt)
    return ra % 360.0, dec


def _every_other_bit(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Bits 0, 2, 4 ... of each value, moved together."""
    packed = values & _SPREAD[0]
    for shift, mask in enumerate((*_SPREAD[1:], 0x00000000FFFFFFFF)):
        packed = (packed | (packed >> (1 << shift))) & mask
    return packed
