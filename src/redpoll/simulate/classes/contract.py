"""Interface of the simulated classes of objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Parameters = dict[str, Array]
"""Truth of a batch: one float per object and quantity, NaN where it has none."""
Environment = Literal["host", "dwarf", "nucleus", "star", "empty", "near_star"]


@dataclass(frozen=True)
class Window:
    """Interval of the alerts, MJD TAI, and depth of the survey, AB mag."""

    start: float
    end: float
    depth: float
    bright: float
    """Magnitude of the brightest source that does not saturate."""


@dataclass(frozen=True)
class Epochs:
    """Exposures of a batch of objects, end to end; those of object ``i`` are ``offsets[i]:offsets[i + 1]``.

    ``index`` names the object of each epoch, ``mjd`` is TAI days, ``band`` the index into u, g, r, i, z, y, ``noise``
    the one-sigma noise of a faint source [nJy], and ``in_window`` is whether a detection would make an alert.
    """

    offsets: NDArray[np.int64]
    index: NDArray[np.int64]
    mjd: Array
    band: NDArray[np.int64]
    noise: Array
    in_window: NDArray[np.bool_]


class ObjectClass(Protocol):
    """A class of objects: distribution of its parameters, and its light.

    ``environment`` is what lies at its position: a host galaxy, a dwarf galaxy, a galaxy's nucleus, its own star,
    nothing, or a bright star close by. ``moves`` is true for classes whose position differs in every exposure.
    """

    name: str
    environment: Environment
    moves: bool

    def draw(self, rng: np.random.Generator, n: int, window: Window) -> Parameters:
        """Parameters of `n` objects, some of which may be visible in the window."""
        ...

    def flux(self, parameters: Parameters, epochs: Epochs, rng: np.random.Generator) -> Array:
        """Flux in the difference image [nJy] at each epoch; negative where the source is below its template."""
        ...

    def reference_mag(self, parameters: Parameters) -> NDArray[np.float64] | None:
        """AB magnitudes (n, 6) of the source in the template; None if it is absent."""
        ...
