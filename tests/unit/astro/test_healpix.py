"""Centres of cells and cells of cones: against healpix-geo, and every cell near a cone against its corners."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from healpix_geo import nested

from redpoll.astro.healpix import cells_of_cone, centres, every_other_bit


def apart(ra, dec, ra0, dec0):
    """Angle between directions [rad]."""
    vectors = [
        np.array([np.cos(np.radians(b)) * np.cos(np.radians(a)), np.cos(np.radians(b)) * np.sin(np.radians(a)),
                  np.sin(np.radians(b)) + 0.0 * a])
        for a, b in ((ra, dec), (ra0, dec0))
    ]  # fmt: skip
    return 2 * np.arcsin(np.minimum(np.sqrt(((vectors[0] - vectors[1].reshape(3, 1)) ** 2).sum(axis=0)) / 2, 1.0))


@cache
def cells_of_order(order):
    """Centres of all cells, and the largest angle from a centre to a corner, from the library."""
    cells = np.arange(12 * 4**order).astype(np.uint64)
    lon, lat = nested.healpix_to_lonlat(cells, order, num_threads=1)
    corners = zip(*nested.vertices(cells, order, num_threads=1), lon, lat, strict=True)
    return lon, lat, max(apart(*cell).max() for cell in corners)


def slow_cells_of_cone(ra, dec, radius, order, factor):
    """Cells whose centre, like that of each cell around it, is within the radius and the way to a corner."""
    is_kept = np.ones(12, bool)
    for level in range(order + 1):
        lon, lat, corner = cells_of_order(level)
        is_near = apart(lon, lat, ra, dec) <= np.radians(radius) + factor * corner
        is_kept = is_near & (is_kept if level == 0 else np.repeat(is_kept, 4))
    return set(np.flatnonzero(is_kept).tolist())


@pytest.mark.parametrize("order", range(6))
def test_centres_of_all_cells_are_those_of_the_library(order):
    cells = np.arange(12 * 4**order)
    ra, dec = centres(cells, order)
    lon, lat = nested.healpix_to_lonlat(cells.astype(np.uint64), order, num_threads=1)
    np.testing.assert_allclose(dec, lat, rtol=0, atol=1e-12)
    np.testing.assert_allclose((ra - lon + 180) % 360, 180, rtol=0, atol=1e-11)
    assert (ra >= 0).all() and (ra < 360).all()


@pytest.mark.parametrize("order", [0, 1, 2, 4])
def test_a_cone_has_the_cells_near_enough(order):
    """Neither more nor fewer: the reach of a cell is a hundredth longer than the way to its farthest corner."""
    rng = np.random.default_rng(order)
    for _ in range(40):
        ra, dec, radius = rng.uniform(0, 360), np.degrees(np.arcsin(rng.uniform(-1, 1))), 10 ** rng.uniform(-4, 2.2)
        found = cells_of_cone(ra, dec, radius * 3600, order).tolist()
        fewest, most = (slow_cells_of_cone(ra, dec, radius, order, factor) for factor in (1.009, 1.011))
        assert found == sorted(set(found)) and fewest <= set(found) <= most


@pytest.mark.parametrize("order", [0, 3])
def test_the_whole_sky_has_all_cells(order):
    for radius in (140.0, 179.0, 180.0):
        n = len(cells_of_cone(10.0, 20.0, radius * 3600, order))
        assert n == len(slow_cells_of_cone(10.0, 20.0, radius, order, 1.01))
    assert n == 12 * 4**order


def test_bits_are_moved_together():
    for value in (
        0,
        1,
        2,
        3,
        0b1011011,
        0x5555555555555555,
        0xAAAAAAAAAAAAAAA,
        (1 << 58) - 1,
        1 << 56,
        0x1234567890ABCDE,
    ):
        expected = int(f"0{value:b}"[::-1][::2][::-1], 2)
        assert getattr(every_other_bit, "_function", every_other_bit)(value) == expected
