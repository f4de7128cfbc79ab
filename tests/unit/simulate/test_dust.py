"""Dust of the Milky Way: thicker towards the plane, and redder light behind it."""

from __future__ import annotations

import numpy as np
import pytest

from redpoll.astro.sky import galactic_latitude
from redpoll.simulate.dust import dimming, draw_reddening


def test_dust_thickens_towards_the_plane():
    rng = np.random.default_rng(1)
    pole = draw_reddening(rng, np.full(4000, 192.86), np.full(4000, 27.13))
    low = draw_reddening(rng, np.full(4000, 266.4), np.full(4000, -28.94))
    # a lognormal of 0.55: its median is known to 0.55 * sqrt(pi / 2 / n)
    assert np.log(np.median(pole) / 0.025) == pytest.approx(0, abs=5 * 0.55 * np.sqrt(np.pi / 2 / 4000))
    assert np.median(low) > 15 * np.median(pole) and low.max() <= 3.0


def test_the_layer_is_plane():
    rng = np.random.default_rng(2)
    ra, dec = rng.uniform(0, 360, 20_000), np.degrees(np.arcsin(rng.uniform(-1, 1, 20_000)))
    product = draw_reddening(rng, ra, dec) * np.abs(np.sin(np.radians(galactic_latitude(ra, dec))))
    high = np.abs(galactic_latitude(ra, dec)) > 45
    assert np.median(product[high]) == pytest.approx(np.median(product[~high]), rel=0.06)


def test_dust_takes_more_of_the_blue():
    lost = dimming(np.array([0.2]))[0]
    assert (np.diff(lost) < 0).all() and lost[1] - lost[2] == pytest.approx(0.2 * (3.237 - 2.273))
