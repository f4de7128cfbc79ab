"""ELEPHANT's statistics against numpy, scipy and astropy, step by step."""

from __future__ import annotations

import math

import numpy as np
import pytest
from astropy.stats import sigma_clip
from scipy.stats import binned_statistic, kstest, wasserstein_distance

from redpoll.astro import hostless
from redpoll.astro.hostless import CUTOUT, clipped, differs_from_template, shuffles, structure


def noise(seed=0, side=63):
    return np.random.default_rng(seed).normal(100.0, 5.0, (side, side))


def blob(width, height, side=63):
    j, i = np.mgrid[:side, :side] - (side - 1) / 2
    return height * np.exp(-(i**2 + j**2) / (2 * width**2))


def slow_spectrum(image):
    """Power in rings of wave numbers, as the published code has it."""
    k = np.fft.fftfreq(CUTOUT) * CUTOUT
    size = np.hypot(*np.meshgrid(k, k)).ravel()
    edges = np.arange(0.5, CUTOUT // 2 + 1)
    power, _, _ = binned_statistic(size, (np.abs(np.fft.fftn(image)) ** 2).ravel(), bins=edges)
    return power * np.pi * (edges[1:] ** 2 - edges[:-1] ** 2)


def slow_structure(image, seed):
    side = len(image)
    mask = clipped(image)
    kept, filled = image[~mask], image.ravel().copy()
    filled[mask.ravel()] = np.median(kept) + np.std(kept) * hostless.noise(image.ravel(), mask.sum(), seed)
    start = (side - CUTOUT) // 2
    middle = filled.reshape(side, side)[start : start + CUTOUT, start : start + CUTOUT]
    real, shuffled = slow_spectrum(middle), [slow_spectrum(filled[p].reshape(CUTOUT, CUTOUT)) for p in shuffles(side)]
    to_real = [wasserstein_distance(s, real) for s in shuffled]
    among = [wasserstein_distance(shuffled[i], shuffled[k]) for i in range(len(shuffled)) for k in range(i)]
    return kstest(to_real, among).statistic


@pytest.mark.parametrize("image, seed", [(noise(), 0), (noise(1) + blob(4, 12), 1), (noise(2, 30) + blob(3, 9, 30), 0)])
def test_the_statistic_is_the_published_one(image, seed):
    assert structure(image, seed) == pytest.approx(slow_structure(image, seed), abs=1e-12)


def test_noise_has_little_structure_and_a_galaxy_much():
    assert max(structure(noise(seed)) for seed in range(5)) < 0.5
    assert min(structure(noise(seed) + blob(6, 25)) for seed in range(5)) > 0.9


def test_clipping_is_astropys():
    for seed in range(5):
        image = noise(seed) + blob(2, 200)
        image[0, 0] = np.nan
        expected = sigma_clip(np.ma.masked_invalid(image), sigma=3, maxiters=10).mask
        np.testing.assert_array_equal(clipped(image), expected)


def test_a_source_in_one_cutout_alone_differs():
    plain, bright = noise(), noise(1) + blob(1.2, 300)
    plain, bright = (np.clip(x, 88, None) if x is bright else np.clip(x, 88, 112) for x in (plain, bright))
    assert differs_from_template(bright, plain, 7) and differs_from_template(plain, bright, 7)
    assert not differs_from_template(bright, bright, 7) and not differs_from_template(plain, plain, 7)


def test_a_source_far_from_the_middle_hides_none_in_it():
    neighbour = np.roll(blob(2, 400), 20, axis=1)
    plain = np.clip(noise(2), 92, 108)
    assert differs_from_template(plain + neighbour + blob(1.2, 150), plain + neighbour, 7)


@pytest.mark.parametrize("image", [np.zeros((63, 63)), np.full((63, 63), np.nan), np.zeros((9, 9)), np.zeros((20, 63))])
def test_cutouts_without_noise_or_middle_have_no_answer(image):
    assert math.isnan(structure(image))


def test_the_answer_is_the_same_every_time():
    image = noise(5) + blob(4, 10)
    first = structure(image)
    shuffles.cache_clear()
    assert structure(image) == first


def test_the_noise_of_clipped_pixels_is_no_bias():
    """With the same noise in every cutout the statistic of a host was 0.2 above that of other draws, for all alerts."""
    images = [noise(seed) + blob(3, 60) for seed in range(30)]
    excess = [structure(image) - np.mean([structure(image, k) for k in range(1, 9)]) for image in images]
    assert abs(np.mean(excess)) < 3 * np.std(excess) / np.sqrt(30) and np.std(excess) < 0.2
    assert len({structure(image, 5) for image in images}) == 30
