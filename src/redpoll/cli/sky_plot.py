"""The whole sky in letters: a Mollweide projection for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll.astro.sky import ORDER, hpx29

Floats = NDArray[np.float64]
Shade = Callable[[NDArray[np.int64]], NDArray[np.integer[Any]]]
_ROOT_2 = 2**0.5
_FINE = 3  # samples along a letter
_TURNS = 20


def draw_sky(shade: Shade, letters: str, seeds: NDArray[np.int64], width: int = 72) -> list[str]:
    """Lines of text, north up and east to the left, right ascension 180 degrees in the middle.

    Parameters
    ----------
    shade
        For cells of order 29, the index into `letters` of each; the highest within a letter's cell is shown.
    letters
        From empty to full.
    seeds
        Cells of order 29 that are looked at besides, so that what is smaller than a letter is seen.
    width
        Letters a line; a third as many lines.

    Examples
    --------
    >>> draw_sky(lambda cells: (cells < 4 << 58).astype(int), ".#", np.array([1 << 57]), 12)
    ['  ########  ', '.###########', '............', '  ........  ']
    """
    height = width // 3
    ra, dec, on_sky = _places(width * _FINE, height * _FINE)
    shades = np.full(on_sky.shape, -1)
    shades[on_sky] = shade(hpx29(ra[on_sky], dec[on_sky]))
    blocks = shades.reshape(height, _FINE, width, _FINE)
    best = np.where(blocks[:, _FINE // 2, :, _FINE // 2] >= 0, blocks.max(axis=(1, 3)), -1)
    if len(seeds):
        row, column = _letter_of(seeds, width, height)
        np.maximum.at(best, (row, column), np.asarray(shade(seeds)))
    return ["".join(" " if k < 0 else letters[k] for k in line) for line in best.tolist()]


def legend(letters: str, meanings: Sequence[str]) -> str:
    """Legend of the letters, on one line.

    >>> legend(".#", ["outside", "inside"])
    '# inside   . outside'
    """
    return "   ".join(f"{letter} {meaning}" for letter, meaning in reversed([*zip(letters, meanings, strict=True)]))


def _places(width: int, height: int) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Right ascension and declination [deg] of points on paper, and whether they are on the sky."""
    x, y = np.meshgrid(_middles(width, 2 * _ROOT_2), -_middles(height, _ROOT_2))
    on_sky = (x / 2) ** 2 + y**2 < 2
    theta = np.arcsin(np.where(on_sky, y, 0.0) / _ROOT_2)
    dec = np.degrees(np.arcsin(np.clip((2 * theta + np.sin(2 * theta)) / np.pi, -1, 1)))
    return 180.0 - np.degrees(np.where(on_sky, np.pi * x / (2 * _ROOT_2 * np.cos(theta)), 0.0)), dec, on_sky


def _letter_of(cells: NDArray[np.int64], width: int, height: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row and column of positions: the projection forwards, by Newton's method."""
    from redpoll.astro.healpix import centres  # brings numba

    ra, dec = centres(cells, ORDER)
    wanted, theta = np.pi * np.sin(np.radians(dec)), np.radians(dec)
    for _ in range(_TURNS):
        slope = np.maximum(2 + 2 * np.cos(2 * theta), 1e-9)
        theta = np.clip(theta - (2 * theta + np.sin(2 * theta) - wanted) / slope, -np.pi / 2, np.pi / 2)
    x = np.radians(180.0 - ra) / np.pi * np.cos(theta)
    column = np.clip(((x + 1) / 2 * width).astype(np.int64), 0, width - 1)
    return np.clip(((1 - np.sin(theta)) / 2 * height).astype(np.int64), 0, height - 1), column


def _middles(n: int, reach: float) -> Floats:
    """Middles of `n` equal parts of -reach to reach."""
    return np.asarray((np.arange(n) + 0.5) * (2 * reach / n) - reach)
