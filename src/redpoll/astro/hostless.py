"""Tests of ELEPHANT for cutouts without a host galaxy, seeded and compiled.

Pessi, Durgesh, Nakazono et al. 2024, A&A 691, A181 (arXiv:2404.18165). Results equal those of their published code
except for the random draws. Shuffles are a fixed table; the noise that replaces clipped pixels is drawn with a seed
from the cutout's own pixels, so that the result of an alert depends on its cutouts alone, and all have other noise.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from redpoll.astro.order_statistics import clip
from redpoll.kernels import kernel, part

Image = NDArray[np.floating[Any]]
CUTOUT = 15
"""Side of the middle whose power spectrum is compared [pixels]."""
N_SHUFFLES = 200
_SEED = 1337
_N_BINS = CUTOUT // 2
_HALF = CUTOUT // 2 + 1


def clipped(image: Image, sigma: float = 3.0, max_iterations: int = 10) -> NDArray[np.bool_]:
    """Pixels further than `sigma` standard deviations from the median, iterated; NaN pixels are included.

    >>> image = np.zeros((9, 9)); image[4, 4] = 50.0
    >>> int(clipped(image).sum())
    1
    """
    flat = np.ascontiguousarray(image).ravel()
    if flat.dtype not in (np.float32, np.float64):
        flat = flat.astype(np.float64)
    mask = np.empty(flat.shape, bool)
    in_order = np.sort(flat[np.isfinite(flat)]).astype(np.float64, copy=False)
    clip(flat, in_order, float(sigma), max_iterations, mask)
    return mask.reshape(image.shape)


def differs_from_template(
    science: Image, template: Image, radius: int, masks: Sequence[NDArray[np.bool_]] | None = None
) -> bool:
    """Whether more than 5 pixels are outliers in one cutout and fewer than 3 in the other, overall or in the middle.

    `radius` is half the side of the middle, `masks` what `clipped` gives for each cutout, if known.

    >>> empty = np.random.default_rng(1).normal(size=(30, 30))
    >>> source = empty.copy()
    >>> source[12:18, 12:18] += 50.0
    >>> differs_from_template(source, empty, 7), differs_from_template(empty, empty, 7)
    (True, False)
    """
    masks = masks or [clipped(image) for image in (science, template)]
    if _is_one_sided(masks):
        return True
    start = [int(side / 2 - radius) for side in science.shape]
    middle = tuple(slice(s, s + 2 * radius) for s in start)
    hidden = [np.where(mask, np.nan, image)[middle] for mask, image in zip(masks, (science, template), strict=True)]
    return _is_one_sided([clipped(image) for image in hidden])


def _is_one_sided(masks: Sequence[NDArray[np.bool_]]) -> bool:
    few, many = sorted(int(mask.sum()) for mask in masks)
    return many > 5 and few < 3


def structure(image: Image, seed: int = 0, mask: NDArray[np.bool_] | None = None) -> float:
    """Deviation of the middle of a cutout from noise, 0 to 1: the Kolmogorov-Smirnov statistic of ELEPHANT.

    Outlying pixels are replaced by noise. The power spectrum of the middle is then compared with those of
    `N_SHUFFLES` middles of the same cutout with its pixels shuffled: the statistic compares the distances between the
    spectrum and the shuffled ones with those among the shuffled ones. NaN for a cutout that is smaller than the
    middle, or without noise.

    Parameters
    ----------
    image
        A square cutout; NaN where unknown.
    seed
        Another one draws other noise for the clipped pixels.
    mask
        What `clipped` gives for the cutout, if known.

    Examples
    --------
    >>> noise = np.random.default_rng(1).normal(size=(30, 30))
    >>> host = noise + 6 * np.exp(-(np.hypot(*np.mgrid[-15:15, -15:15]) ** 2) / 200)
    >>> structure(host) > 0.9 > structure(noise)
    True
    """
    side = len(image)
    if image.shape != (side, side) or side < CUTOUT:
        return math.nan
    flat = np.ascontiguousarray(image, np.float64).ravel()
    outliers = (clipped(image) if mask is None else mask).ravel()
    kept = flat[~outliers]
    if len(kept) < 2:
        return math.nan
    filled = flat.copy()
    filled[outliers] = np.median(kept) + np.std(kept) * noise(flat, int(outliers.sum()), seed)
    room = np.empty((N_SHUFFLES + 1, _N_BINS)), np.empty(N_SHUFFLES)
    return float(_ks_of_spectra(filled, shuffles(side), _middle_pixels(side), *_waves(), *room))


def noise(pixels: NDArray[np.float64], n: int, seed: int = 0) -> NDArray[np.float64]:
    """`n` normal draws of mean 0 and deviation 1 that depend on the pixels and the seed alone."""
    return np.random.default_rng([crc32(pixels.tobytes()), seed]).standard_normal(n)


@lru_cache(maxsize=8)
def shuffles(side: int) -> NDArray[np.int64]:
    """Pixels of the shuffled middles (200, 225) for cutouts of a side, always the same."""
    rng = np.random.default_rng(_SEED)
    pixels = np.tile(np.arange(side * side), (N_SHUFFLES, 1))
    return np.ascontiguousarray(rng.permuted(pixels, axis=1)[:, : CUTOUT * CUTOUT])


def _middle_pixels(side: int) -> NDArray[np.int64]:
    start = (side - CUTOUT) // 2
    rows = np.arange(start, start + CUTOUT)
    return np.asarray((rows[:, None] * side + rows[None, :]).ravel())


@lru_cache(maxsize=1)
def _waves() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Cosines and sines (k, x) of the middle; bin of each (kx >= 0, ky), -1 for none; its weight.

    The weight makes the mean over a ring of wave numbers, times the ring's area; a wave with kx > 0 stands for two.
    """
    angle = 2 * np.pi * np.outer(np.arange(CUTOUT), np.arange(CUTOUT)) / CUTOUT
    k = np.fft.fftfreq(CUTOUT) * CUTOUT
    size = np.hypot(k[:_HALF, None], k[None, :])
    ring = np.floor(size - 0.5).astype(np.int64)
    ring[(size < 0.5) | (ring >= _N_BINS)] = -1
    # the last ring is closed: numpy's histograms count its upper edge, which no wave number hits
    times = np.where(np.arange(_HALF) > 0, 2.0, 1.0)[:, None] * np.ones(CUTOUT)
    count = np.bincount(ring[ring >= 0], times[ring >= 0], minlength=_N_BINS)
    area = np.pi * ((np.arange(_N_BINS) + 1.5) ** 2 - (np.arange(_N_BINS) + 0.5) ** 2)
    return np.cos(angle), np.sin(angle), ring, times * (area / count)[ring]


@kernel
def _ks_of_spectra(
    image: Any, places: Any, middle: Any, cosine: Any, sine: Any, ring: Any, weight: Any, power: Any, real: Any
) -> float:
    """The statistic; `power` (n + 1, bins) and `real` (n) are working space."""
    n, size = len(places), CUTOUT * CUTOUT
    pixels = np.empty((size + 2 * CUTOUT + 2, n + 1))
    for p in range(size):
        for i in range(n):
            pixels[p, i] = image[places[i, p]]
        pixels[p, n] = image[middle[p]]
    _fill_spectra(pixels, cosine, sine, ring, weight, power)
    for i in range(n, -1, -1):
        _sort(power[i])
        if i < n:
            real[i] = _distance(power[i], power[n])
    _sort(real)
    return _ks(real, power)


@part
def _sort(values: Any) -> None:
    """Insertion sort: a spectrum has seven values, and is one of two hundred."""
    for i in range(1, len(values)):
        value, j = values[i], i
        while j > 0 and values[j - 1] > value:
            values[j] = values[j - 1]
            j -= 1
        values[j] = value


@part
def _fill_spectra(pixels: Any, cosine: Any, sine: Any, ring: Any, weight: Any, power: Any) -> None:
    """Power in each ring of wave numbers, (n, bins); the images lie side by side, so that the inner loops are long.

    Below the images' rows of `pixels` is room for two numbers of each of their rows, and of each wave.
    """
    n, size = pixels.shape[1], CUTOUT * CUTOUT
    rows, wave = pixels[size : size + 2 * CUTOUT], pixels[size + 2 * CUTOUT :]
    power[:] = 0.0
    for kx in range(_HALF):
        rows[:] = 0.0
        for y in range(CUTOUT):
            for x in range(CUTOUT):
                _turn(pixels[y * CUTOUT + x], cosine[kx, x], sine[kx, x], rows[2 * y], rows[2 * y + 1])
        for ky in range(CUTOUT):
            b, w = ring[kx, ky], weight[kx, ky]
            if b < 0:
                continue
            wave[:] = 0.0
            for y in range(CUTOUT):
                c, s = cosine[ky, y], sine[ky, y]
                for i in range(n):
                    wave[0, i] += c * rows[2 * y, i] + s * rows[2 * y + 1, i]
                    wave[1, i] += c * rows[2 * y + 1, i] - s * rows[2 * y, i]
            for i in range(n):
                power[i, b] += w * (wave[0, i] * wave[0, i] + wave[1, i] * wave[1, i])


@part
def _turn(pixels: Any, c: float, s: float, real: Any, imaginary: Any) -> None:
    """Add pixels times a phase factor, for all images."""
    for i in range(len(pixels)):
        real[i] += c * pixels[i]
        imaginary[i] -= s * pixels[i]


@part
def _distance(a: Any, b: Any) -> float:
    """Wasserstein distance of two sorted samples of equal size."""
    total = 0.0
    for k in range(len(a)):
        total += abs(a[k] - b[k])
    return total / len(a)


@part
def _distances(columns: Any, i: int, out: Any) -> None:
    """Distances of sample `i` from those before it; the samples are columns, so that the inner loop is long."""
    out[:i] = 0.0
    for b in range(len(columns)):
        value, row = columns[b, i], columns[b]
        for k in range(i):
            out[k] += abs(value - row[k])
    for k in range(i):
        out[k] /= len(columns)


@part
def _ladder(values: Any, rungs: Any) -> float:
    """For equal steps up the range of the sorted values, the index of the first that is one step below; their number.

    With it a search begins close to its end: most of the time of the statistic was spent in bisections.
    """
    scale = len(rungs) / (values[-1] - values[0])
    j = 0
    for c in range(len(rungs)):
        while values[j] < values[0] + (c - 1) / scale:
            j += 1
        rungs[c] = j
    return float(scale)


@part
def _first_from(values: Any, minimum: float, rungs: Any, scale: float) -> int:
    """Index of the first of the sorted values that is at least `minimum`."""
    step = (minimum - values[0]) * scale
    j = 0 if step < 0 else rungs[min(int(step), len(rungs) - 1)]
    while j < len(values) and values[j] < minimum:
        j += 1
    return j


@part
def _ks(real: Any, power: Any) -> float:
    """Largest difference between the distributions of the sorted distances `real`, and of those among the spectra."""
    n = len(real)
    if real[0] == real[-1]:
        return math.nan
    count = np.zeros((2, n + 1))  # of distances up to each real one, and below it
    columns, distances, rungs = np.ascontiguousarray(power.T), np.empty(n), np.empty(4 * n, np.int64)
    scale = _ladder(real, rungs)
    for i in range(1, n):
        _distances(columns, i, distances)
        for k in range(i):
            left = _first_from(real, distances[k], rungs, scale)
            right = left
            while right < n and real[right] == distances[k]:
                right += 1
            count[0, left] += 1
            count[1, right] += 1
    n_pairs = n * (n - 1) / 2
    best = less = no_more = 0.0
    for j in range(n):
        no_more += count[0, j]
        less += count[1, j]
        if j + 1 == n or real[j + 1] > real[j]:
            best = max(best, abs((j + 1) / n - no_more / n_pairs))
        if j == 0 or real[j - 1] < real[j]:
            best = max(best, abs(j / n - less / n_pairs))
    return best
