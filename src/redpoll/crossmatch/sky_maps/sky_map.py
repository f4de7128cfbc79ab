"""A probability sky map in memory: disjoint cells with their probability, credible level and distance."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from redpoll.astro.sky import ORDER
from redpoll.crossmatch.cells import CellIndex, Cells, area_deg2, merged, spans

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Distances:
    """The distance along each cell's line of sight: location and scale [Mpc], float32 (n,); see `conditional_moments`.

    Where `mu` is not finite or `sigma` not positive, the map has no distance.
    """

    mu: NDArray[np.float32]
    sigma: NDArray[np.float32]


@dataclass(frozen=True)
class SkyMap:
    """Disjoint cells, sorted; made by `make_sky_map` or `redpoll.crossmatch.sky_maps.read.read_sky_map`.

    Attributes
    ----------
    starts, orders
        First order-29 cell int64 (n,) and order uint8 (n,) of each cell.
    probability
        Probability of each cell, float64 (n,), with sum 1. Positions outside of all cells have none.
    distances
        None if the map has no distances.
    event
        Name of the event; None if unknown.
    mjd
        Time of the event, MJD TAI; None if unknown.
    """

    starts: Cells
    orders: NDArray[np.uint8]
    probability: Floats
    distances: Distances | None = None
    event: str | None = None
    mjd: float | None = None
    _index: CellIndex = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_index", CellIndex(self.starts))

    @property
    def density(self) -> Floats:
        """Probability of each cell over its area, in units of the mean over the sky."""
        return np.asarray(self.probability * 12 * 4.0 ** self.orders.astype(np.float64))

    @cached_property
    def levels(self) -> NDArray[np.float32]:
        """Credible level of each cell, float32 (n,): the sum over it and all cells of higher density.

        Cells of equal density are ordered by position, so that a region of any level exists.
        """
        order = _ranked(self)
        levels = np.empty(len(order), np.float32)
        levels[order] = np.minimum(np.cumsum(self.probability[order]), 1.0)
        levels[self.probability == 0] = 1.0
        return levels

    def find(self, cells: Cells) -> NDArray[np.int32]:
        """Index of the map's cell that contains each cell of order 29; -1 if none does."""
        found = self._index.find(cells)
        inside = cells - self.starts[found] < spans(self.orders)[found]  # before the first, -1 finds the last: false
        return np.where((found >= 0) & inside, found, -1)

    def credible_levels(self, cells: Cells) -> NDArray[np.float32]:
        """Credible level, 0 to 1, of each cell of order 29: that of the smallest credible region that contains it.

        1 where the map has no probability.

        >>> one = make_sky_map(np.array([0, 1 << 58]), np.array([0, 0], np.uint8), np.array([3.0, 1.0]))
        >>> one.credible_levels(np.array([5, (1 << 58) + 5, 2 << 58])).tolist()
        [0.75, 1.0, 1.0]
        """
        found = self.find(cells)
        return np.where(found >= 0, self.levels[found], np.float32(1.0))


def make_sky_map(
    starts: Cells, orders: NDArray[np.uint8], density: Floats, *,
    distances: Distances | None = None, event: str | None = None, mjd: float | None = None,
) -> SkyMap:  # fmt: skip
    """The sky map of cells with their probability density in any unit: sorted, checked and normalised.

    Raises
    ------
    ValueError
        If cells overlap, a density is negative or not a number, or all are zero.
    """
    if not len(starts):
        raise ValueError("the map has no cells")
    order = np.argsort(starts, kind="stable")
    starts, orders, density = starts[order], orders[order], np.asarray(density, np.float64)[order]
    if (starts[1:] < starts[:-1] + spans(orders[:-1])).any():
        raise ValueError("cells of the map overlap")
    check_density(density)
    area = 4.0 ** -orders.astype(np.float64)
    with np.errstate(over="ignore"):
        total = float((density * area).sum())
    if not (0 < total < np.inf):
        raise ValueError(f"the probability sums up to {total:g}; no region can be ranked")
    if distances is not None:
        distances = Distances(distances.mu[order], distances.sigma[order])
    return SkyMap(starts, orders, density * area / total, distances, event, mjd)


def check_density(density: Floats) -> None:
    """Raise ValueError if a density is negative or not finite."""
    bad = np.flatnonzero(~((density >= 0) & (density < np.inf)))
    if bad.size:
        raise ValueError(f"a probability is {density[bad[0]]:g}; each must be a finite number of at least 0")


def contour(sky_map: SkyMap, level: float) -> tuple[Cells, float]:
    """The cells whose credible level is at most `level`, but at least the densest cell; and their area [deg2].

    The probability of the region is below the level by less than one cell, like the regions published with alerts of
    gravitational waves.

    Parameters
    ----------
    sky_map
        The map.
    level
        Above 0, up to 1.

    Returns
    -------
    ranges : ndarray
        Ranges [start, stop) of order-29 cells, sorted, int64 of shape (n, 2).
    area : float
        Their area.

    Raises
    ------
    ValueError
        If the level is not above 0 and at most 1.

    Examples
    --------
    >>> one = make_sky_map(np.array([0, 1 << 58]), np.array([0, 0], np.uint8), np.array([3.0, 1.0]))
    >>> ranges, area = contour(one, 0.8)
    >>> (ranges >> 58).tolist(), round(area, 1)
    ([[0, 1]], 3437.7)
    """
    if not 0 < level <= 1:
        raise ValueError(f"a credible level is above 0 and at most 1, not {level}")
    order = _ranked(sky_map)
    cumulated = np.cumsum(sky_map.probability[order])
    if level == 1:
        cumulated = np.where(sky_map.probability[order] > 0, 0.0, 2.0)  # all that has any probability
    chosen = order[: max(1, int(np.searchsorted(cumulated, level, side="right")))]
    ranges = merged(sky_map.starts[chosen], sky_map.starts[chosen] + spans(sky_map.orders[chosen]))
    return ranges, area_deg2(ranges)


def depth_of(sky_map: SkyMap) -> int:
    """The finest order of the map's cells."""
    return min(int(sky_map.orders.max()), ORDER)


def _ranked(sky_map: SkyMap) -> NDArray[np.int64]:
    """Indices of the cells in order of decreasing density."""
    return np.argsort(-sky_map.density, kind="stable")
