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
    clip(values, np.sort(values[np.isfinite(values)]), 3.0, 10, mask)
    kept = values[~mask]
    assert mask[:3].all() and mask.sum() < 15
    assert (np.abs(kept - np.median(kept)) <= 3.0 * np.std(kept)).all()


def by_numpy(image, radius):
    """Median, quartile noise and number of known pixels; of a square image, of the ring from 1.5 to 4 radii."""
    y, x = np.indices(image.shape)
    distance2 = (y - (image.shape[0] - 1) / 2) ** 2 + (x - (image.shape[1] - 1) / 2) ** 2
    is_ring = (distance2 > (1.5 * radius) ** 2) & (distance2 <= (4 * radius) ** 2)
    known = np.isfinite(image)
    sky = np.sort(image[known & is_ring] if image.shape[0] == image.shape[1] else image[known]).astype(np.float64)
    low = len(sky) // 4
    return [np.median(sky), (sky[-1 - low] - sky[low]) / 1.349, known.sum()]


@pytest.mark.parametrize("seed", range(3))
def test_sky_levels_are_those_of_the_ring_of_each_square_cutout(seed):
    """With a radius of 2 the ring's limits, 3 and 8 pixels, are distances of pixels."""
    rng = np.random.default_rng(seed)
    images = [rng.normal(i, 1.0 + i, shape).astype(np.float32) for i, shape in enumerate([(21, 21), (9, 14), (20, 20)])]
    images[0][3:6, 2] = np.nan
    radius, found = np.array([2.0, 1.0, 2.5]), np.full((3, 3), np.nan)
    offsets = np.cumsum([0, *(image.size for image in images)])
    pixels = np.concatenate([image.ravel() for image in images])
    sky_levels(pixels, offsets, np.array([x.shape for x in images]), radius, np.empty(500, np.float32), found)
    np.testing.assert_allclose(found, [by_numpy(x, r) for x, r in zip(images, radius, strict=True)], rtol=1e-6)


@pytest.mark.parametrize(("n", "is_known"), [(19, False), (20, True)])
def test_the_sky_needs_20_pixels(n, is_known):
    found = np.full((1, 3), np.nan)
    sky_levels(np.arange(20.0)[:n], np.array([0, n]), np.array([[1, n]]), np.ones(1), np.empty(20), found)
    assert np.isfinite(found[0, 0]) == is_known and found[0, 2] == n


def clipped_by_numpy(values, sigma, max_iterations):
    keep = np.isfinite(values)
    for _ in range(max_iterations):
        middle, spread = np.median(values[keep]), np.std(values[keep])
        keep = keep & (values >= middle - sigma * spread) & (values <= middle + sigma * spread)
    return ~keep


@pytest.mark.parametrize("max_iterations", [1, 2, 9])
@pytest.mark.parametrize("seed", range(3))
def test_clipping_is_numpys_after_any_number_of_iterations(seed, max_iterations):
    values = np.random.default_rng(seed).standard_cauchy(101)
    values[5] = np.nan
    mask = np.empty(101, bool)
    clip(values, np.sort(values[np.isfinite(values)]), 2.0, max_iterations, mask)
    np.testing.assert_array_equal(mask, clipped_by_numpy(values, 2.0, max_iterations))


def test_a_value_at_the_limit_is_kept_and_nothing_is_left_of_what_lies_beyond():
    values, mask = np.array([-1.0, -1.0, 1.0, 1.0]), np.empty(4, bool)
    for sigma, expected in ((1.0, False), (0.99, True)):
        clip(values, values, sigma, 5, mask)
        assert (mask == expected).all()
    clip(np.full(4, np.nan), np.empty(0), 3.0, 5, mask)
    assert mask.all()


@pytest.mark.parametrize("seed", range(20))
def test_selection_agrees_with_sorting_whatever_the_order_and_ties(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 60))
    for values in (rng.integers(0, 5, n).astype(float), rng.normal(size=n), np.arange(n) * 1.0, -np.arange(n) * 1.0):
        found = np.empty(1)
        medians(values, np.array([0, n]), np.empty(n), found)
        assert found[0] == np.median(values)


@pytest.mark.parametrize("radius", [0.0, 0.5])
def test_a_ring_within_a_square_cutout_may_have_too_few_pixels(radius):
    found = np.full((1, 3), np.nan)
    sky_levels(np.ones(81), np.array([0, 81]), np.array([[9, 9]]), np.array([radius]), np.empty(81), found)
    assert np.isnan(found[0, :2]).all() and found[0, 2] == 81


@pytest.mark.parametrize("n", range(2, 15))
def test_the_limit_is_sigma_standard_deviations_from_the_median(n):
    """The value farthest from the median lies within and beyond a billionth of the limit."""
    values = np.random.default_rng(n).exponential(size=n) + 5.0
    middle, spread, mask = np.median(values), np.std(values), np.empty(n, bool)
    farthest = np.argmax(abs(values - middle))
    for factor, is_masked in ((1 + 1e-9, False), (1 - 1e-9, True)):
        sigma = abs(values[farthest] - middle) / spread * factor
        clip(values, np.sort(values), sigma, 1, mask)
        assert mask[farthest] == is_masked
