"""Medians, quartiles and clipping agree with numpy's, which sorts everything."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from redpoll.astro.order_statistics import clip, medians, sky_levels


@pytest.fixture
def rng():
    return np.random.default_rng(1)


def test_medians_are_numpys(rng):
    values, sizes = np.round(rng.normal(size=400), 1), rng.integers(1, 12, 40)
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    found = np.empty(40)
    medians(values, offsets, np.empty(12), found)
    assert found.tolist() == [np.median(values[a:b]) for a, b in pairwise(offsets)]


def test_the_median_of_nothing_is_unknown():
    found = np.zeros(1)
    medians(np.empty(0), np.array([0, 0]), np.empty(0), found)
    assert np.isnan(found).all()


@pytest.mark.parametrize("n", [400, 401, 402, 403])
def test_sky_is_median_and_quartiles(rng, n):
    pixels = rng.normal(size=n).astype(np.float32)
    pixels[7] = np.nan
    found = np.empty((1, 3))
    sky_levels(pixels, np.array([0, n]), np.array([[1, n]]), np.ones(1), np.empty(n, np.float32), found)
    known = np.sort(pixels[np.isfinite(pixels)]).astype(np.float64)
    noise = (known[-1 - (n - 1) // 4] - known[(n - 1) // 4]) / 1.349
    np.testing.assert_allclose(found[0], [np.median(known), noise, n - 1], rtol=1e-6)


def test_clipping_goes_on_until_nothing_stands_out(rng):
    values = rng.normal(size=500)
    values[:3] = np.nan, 30.0, 4000.0
    mask = np.empty(500, bool)
    clip(values, 3.0, 10, np.empty(500), mask)
    kept = values[~mask]
    assert mask[:3].all() and mask.sum() < 15
    assert (np.abs(kept - np.median(kept)) <= 3.0 * np.std(kept)).all()
