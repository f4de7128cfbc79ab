"""ELEPHANT's statistics against numpy, scipy and astropy, step by step; with few shuffles, which is faster."""

from __future__ import annotations

import math
import zlib

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


@pytest.mark.parametrize("dtype", [">f4", ">f8", "<f4", "f2", "i2", "u1"])
def test_cutouts_of_any_type_are_clipped(dtype):
    image = np.round(np.random.default_rng(3).normal(20, 4, (30, 30))).astype(dtype)
    image[3, 4] = 99
    np.testing.assert_array_equal(clipped(image), clipped(image.astype(np.float64)))
    assert clipped(image)[3, 4] and differs_from_template(image, image, 7) is False
    assert structure(image) == structure(image.astype(np.float64))


def slow_structure(image, seed=0):
    """As published; distances are rounded, so that those of equal spectra are equal."""
    side = len(image)
    mask = clipped(image)
    kept, filled = image[~mask], image.ravel().copy()
    filled[mask.ravel()] = np.median(kept) + np.std(kept) * hostless.noise(image.ravel(), mask.sum(), seed)
    start = (side - CUTOUT) // 2
    middle = filled.reshape(side, side)[start : start + CUTOUT, start : start + CUTOUT]
    real, shuffled = (
        slow_spectrum(middle),
        [slow_spectrum(filled[p].reshape(CUTOUT, CUTOUT)) for p in hostless.shuffles(side)],
    )
    to_real = [wasserstein_distance(s, real) for s in shuffled]
    among = [wasserstein_distance(shuffled[i], shuffled[k]) for i in range(len(shuffled)) for k in range(i)]
    return kstest(np.round(to_real, 6), np.round(among, 6)).statistic


@pytest.fixture
def few_shuffles(monkeypatch):
    """Nine instead of two hundred."""
    monkeypatch.setattr(hostless, "N_SHUFFLES", 9)
    shuffles.cache_clear()
    yield
    shuffles.cache_clear()


def spikes(*places, side=30):
    """Plus and minus one, of which nothing is clipped, with high pixels (row, column)."""
    image = np.where(np.indices((side, side)).sum(axis=0) % 2, 1.0, -1.0)
    for y, x in places:
        image[y, x] = 1000.0
    return image


def tower(side=30):
    """Twelve pixels, of which each hides the next lower one until it is clipped."""
    image = spikes(side=side)
    image[3, 3:15] = 10.0 ** np.arange(2, 14)
    return image


def mostly_masked(n, side=15):
    image = np.full((side, side), np.nan)
    image.ravel()[100 : 100 + n] = np.arange(n)
    return image


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("side", [15, 16, 30, 31])
def test_the_statistic_of_few_shuffles_is_the_published_one(few_shuffles, side, seed):
    image = noise(seed, side) + seed * blob(3, 4, side)
    assert structure(image, seed) == pytest.approx(slow_structure(image, seed), abs=1e-12)


@pytest.mark.parametrize("image", [tower(), tower(17), mostly_masked(2), mostly_masked(3), mostly_masked(90)])
def test_it_is_so_for_clipped_and_masked_cutouts(few_shuffles, image):
    assert structure(image) == pytest.approx(slow_structure(image), abs=1e-12)


@pytest.mark.parametrize("n_middle", [0, 1, 3])
@pytest.mark.parametrize("n_equal", [0, 2, 5, 8])
def test_it_is_so_where_distances_are_equal(monkeypatch, n_middle, n_equal):
    """A shuffle that is the middle itself has the distance 0, and so have two equal ones."""
    table = np.random.default_rng(n_equal).permuted(np.tile(np.arange(400), (9, 1)), axis=1)[:, : CUTOUT**2]
    table[:n_equal] = table[0]
    table[8 - n_middle : 8] = (np.arange(2, 17)[:, None] * 20 + np.arange(2, 17)).ravel()
    monkeypatch.setattr(hostless, "N_SHUFFLES", 9)
    monkeypatch.setattr(hostless, "shuffles", lambda side: np.ascontiguousarray(table))
    image = noise(n_middle, 20)
    assert structure(image) == pytest.approx(slow_structure(image), abs=1e-12)


def test_the_table_holds_two_hundred_shuffles_from_one_seed():
    expected = np.random.default_rng(1337).permuted(np.tile(np.arange(256), (200, 1)), axis=1)[:, :225]
    np.testing.assert_array_equal(shuffles(16), expected)


def test_the_noise_is_that_of_the_pixels_and_the_seed():
    pixels = noise(1, 15).ravel()
    for seed in (0, 3):
        expected = np.random.default_rng([zlib.crc32(pixels.tobytes()), seed]).standard_normal(4)
        np.testing.assert_array_equal(hostless.noise(pixels, 4, seed), expected)
    np.testing.assert_array_equal(hostless.noise(pixels, 4), hostless.noise(pixels, 4, 0))


def test_pixels_are_clipped_ten_times_at_three_deviations():
    for image in (tower(), tower(17)):
        np.testing.assert_array_equal(clipped(image), sigma_clip(image, sigma=3, maxiters=10).mask)
        assert clipped(image).sum() == 10 and clipped(image, 3.0, 12).sum() == 12
    assert clipped(noise(), 1.0, 1).sum() == (abs(noise() - np.median(noise())) > np.std(noise())).sum()


FAR = [(1, 1), (1, 9), (9, 1), (28, 28), (1, 28), (28, 1)]
MIDDLE = [(8, 8), (8, 21), (21, 8), (21, 21), (8, 15), (15, 21)]


@pytest.mark.parametrize(
    "science, template, differs",
    [
        (FAR, [], True), (FAR[:5], [], False), (FAR, FAR[:2], True), (FAR, FAR[:3], False), ([], FAR, True),
        (FAR[:2], FAR, True), (FAR[:3], FAR, False), ([], [], False),
        # four far away hide the difference, but not in the middle, of 14 pixels
        (MIDDLE, FAR[:4], True), (FAR[:4], MIDDLE, True), (MIDDLE[:5], FAR[:4], False),
        (MIDDLE, FAR[:4] + MIDDLE[:2], True), (MIDDLE, FAR[:1] + MIDDLE[:3], False),
        ([*MIDDLE[:5], (7, 15)], FAR[:4], False), ([*MIDDLE[:5], (22, 15)], FAR[:4], False),
        ([*MIDDLE[:5], (15, 7)], FAR[:4], False), ([*MIDDLE[:5], (15, 22)], FAR[:4], False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("side", [30, 31])
def test_more_than_five_and_fewer_than_three_outliers_differ(science, template, differs, side):
    assert differs_from_template(spikes(*science, side=side), spikes(*template, side=side), 7) is differs


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


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((63, 63)), np.full((63, 63), np.nan), np.zeros((9, 9)), np.zeros((20, 63)), noise(0, 14), noise()[:20],
        noise()[:, :20], mostly_masked(0), mostly_masked(1),
    ],
)  # fmt: skip
def test_cutouts_without_noise_or_middle_have_no_answer(image):
    assert math.isnan(structure(image))


@pytest.mark.parametrize("image, seed", [(noise(), 0), (noise(1) + blob(4, 12), 1), (noise(2, 30) + blob(3, 9, 30), 0)])
def test_the_statistic_of_all_shuffles_is_the_published_one(image, seed):
    assert structure(image, seed) == pytest.approx(slow_structure(image, seed), abs=1e-12)
