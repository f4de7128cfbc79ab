"""Parts of a catalogue to fetch: a cone, a strip of declination, or matches of positions."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from redpoll.astro.sky import is_position
from redpoll.errors import UsageError

MIN_STRIP = 1e-3
"""Minimum width [deg] of a strip; narrower strips are not halved."""


@dataclass(frozen=True)
class ConeArea:
    """A circle on the sky: centre [ICRS degrees] and radius [degrees].

    >>> ConeArea(185.7, 15.8, 1.0).radius
    1.0
    """

    ra: float
    dec: float
    radius: float

    def __post_init__(self) -> None:
        if not is_position(self.ra, self.dec).all() or not 0.0 < self.radius <= 180.0:
            raise UsageError(f"no cone of {self.radius} degrees around ra {self.ra}, dec {self.dec}")


@dataclass(frozen=True)
class Strip:
    """Declinations [deg] from `low` to below `high`; the last strip of the sky ends above the pole.

    >>> [str(half) for half in Strip(-90.0, 0.0).halves()]
    ['-90.000000_-45.000000', '-45.000000_+0.000000']
    """

    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.low:+.6f}_{self.high:+.6f}"

    def halves(self) -> tuple[Strip, Strip]:
        """Its southern and northern half."""
        middle = round((self.low + min(self.high, 90.0)) / 2, 6)
        return Strip(self.low, middle), Strip(middle, self.high)

    @property
    def can_halve(self) -> bool:
        """Whether it is wide enough to be halved."""
        return self.high - self.low >= 2 * MIN_STRIP


def strips_of_sky(n: int) -> list[Strip]:
    """`n` strips of equal area that cover the sky.

    >>> [str(strip) for strip in strips_of_sky(2)]
    ['-90.000000_+0.000000', '+0.000000_+91.000000']
    """
    edges = np.degrees(np.arcsin(np.linspace(-1.0, 1.0, n + 1))).round(6).tolist()
    edges[-1] = 91.0
    return [Strip(low, high) for low, high in pairwise(edges)]


@dataclass(frozen=True, eq=False)
class Positions:
    """Positions [ICRS degrees] to be matched.

    Raises
    ------
    UsageError
        If there are none, or one is not a position on the sky.
    """

    ra: NDArray[np.float64]
    dec: NDArray[np.float64]

    def __post_init__(self) -> None:
        if not len(self.ra) or len(self.ra) != len(self.dec) or not is_position(self.ra, self.dec).all():
            raise UsageError("positions must be pairs of finite ra and dec [deg], at least one")

    def __len__(self) -> int:
        return len(self.ra)

    @property
    def key(self) -> str:
        """Hash of the positions."""
        columns = [np.ascontiguousarray(x, np.float64).tobytes() for x in (self.ra, self.dec)]
        return hashlib.sha256(b"".join(columns)).hexdigest()
