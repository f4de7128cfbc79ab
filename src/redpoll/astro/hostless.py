"""Whether a stamp shows anything but a point source: the two tests of ELEPHANT, seeded and compiled.

Pessi, Durgesh, Nakazono et al. 2024, A&A 691, A181 (arXiv:2404.18165). The answer is that of their published code but
for the random draws: here they come from one table, the same for every stamp, so that an alert's answer depends on
its stamps alone.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

CUTOUT = 15
"""Side of the middle whose power spectrum is compared [pixels]."""
N_SHUFFLES = 200
_SEED = 1337
_N_BINS = CUTOUT // 2
_HALF = CUTOUT // 2 + 1
_compiled = njit(cache=True, nogil=True, error_model="numpy")


def clipped(image: NDArray[np.floating[Any]], sigma: float = 3.0, max_iterations: int = 10) -> NDArray[np.bool_]:
    """Pixels further than `sigma` standard deviations from the median, until none is; unknown ones count.

    >>> image = np.zeros((9, 9)); image[4, 4] = 50.0
    >>> int(clipped(image).sum())
    1
    """
    flat = np.ascontiguousarray(image, np.float64).ravel()
    return np.asarray(_clipped(flat, sigma, max_iterations).reshape(image.shape))


def differs_from_template(science: NDArray[np.floating[Any]], template: NDArray[np.floating[Any]], radius: int) -> bool:
    """Whether pixels stand out in one stamp (more than 5) and not in the other (fewer than 3), in all or in the middle.

    `radius` is half the side of the middle.
    """
    masks = [clipped(image) for image in (science, template)]
    if _is_one_sided(masks):
        return True
    start = [int(side / 2 - radius) for side in science.shape]
    middle = tuple(slice(s, s + 2 * radius) for s in start)
    hidden = [np.where(mask, np.nan, image)[middle] for mask, image in zip(masks, (science, template), strict=True)]
    return _is_one_sided([clipped(image) for image in hidden])


def _is_one_sided(masks: list[NDArray[np.bool_]]) -> bool:
    few, many = sorted(int(mask.sum()) for mask in masks)
    return many > 5 and few < 3


def structure(image: NDArray[np.floating[Any]], which: int = 0) -> float:
    """How unlike noise the middle of a stamp is, 0 to 1: the Kolmogorov-Smirnov statistic of ELEPHANT.

    Pixels that stand out are replaced by noise. The power spectrum of the middle is then compared with those of
    `N_SHUFFLES` middles of the same stamp with its pixels shuffled: the statistic sets the distances between the
    spectrum and the shuffled ones against those among the shuffled ones. NaN for a stamp that is smaller than the
    middle, or without noise.

    Parameters
    ----------
    image
        A square stamp; NaN where unknown.
    which
        Which of two tables of noise fills the gaps: 0 for the science stamp, 1 for the template.
    """
    side = len(image)
    if image.shape != (side, side) or side < CUTOUT:
        return math.nan
    flat = np.ascontiguousarray(image, np.float64).ravel()
    mask = _clipped(flat, 3.0, 10)
    kept = flat[~mask]
    if len(kept) < 2:
        return math.nan
    places, noise = draws(side)
    filled = np.where(mask, np.median(kept) + np.std(kept) * noise[which], flat)
    return float(_ks_of_spectra(filled, places, _middle_places(side), *_waves()))


@lru_cache(maxsize=8)
def draws(side: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Seeded draws for stamps of a side: pixels of the shuffled middles (200, 225), and normal noise (2, side^2)."""
    rng = np.random.default_rng(_SEED)
    pixels = np.tile(np.arange(side * side), (N_SHUFFLES, 1))
    places = rng.permuted(pixels, axis=1)[:, : CUTOUT * CUTOUT]
    return np.ascontiguousarray(places), rng.standard_normal((2, side * side))


def _middle_places(side: int) -> NDArray[np.int64]:
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


@_compiled
def _clipped(values: Any, sigma: float, max_iterations: int) -> Any:
    mask = ~np.isfinite(values)
    for _ in range(max_iterations):
        kept = values[~mask]
        if len(kept) == 0:
            break
        middle, spread = np.median(kept), np.std(kept)
        low, high = middle - sigma * spread, middle + sigma * spread
        n = 0
        for i in range(len(values)):
            if not mask[i] and (values[i] < low or values[i] > high):
                mask[i] = True
                n += 1
        if n == 0:
            break
    return mask


@_compiled
def _ks_of_spectra(image: Any, places: Any, middle: Any, cosine: Any, sine: Any, ring: Any, weight: Any) -> float:
    n = len(places)
    pixels = np.empty((CUTOUT * CUTOUT, n + 1))
    for p in range(CUTOUT * CUTOUT):
        for i in range(n):
            pixels[p, i] = image[places[i, p]]
        pixels[p, n] = image[middle[p]]
    power = _spectra(pixels, cosine, sine, ring, weight)
    for i in range(n + 1):
        power[i] = np.sort(power[i])
    real = np.empty(n)
    for i in range(n):
        real[i] = _distance(power[i], power[n])
    return _ks(np.sort(real), power[:n])


@_compiled
def _spectra(pixels: Any, cosine: Any, sine: Any, ring: Any, weight: Any) -> Any:
    """Power in each ring of wave numbers, (n, bins); the images lie side by side, so that the inner loops are long."""
    n = pixels.shape[1]
    power = np.zeros((_N_BINS, n))
    rows = np.empty((2, CUTOUT, n))
    real, imaginary = np.empty(n), np.empty(n)
    for kx in range(_HALF):
        rows[:] = 0.0
        for y in range(CUTOUT):
            for x in range(CUTOUT):
                c, s = cosine[kx, x], sine[kx, x]
                for i in range(n):
                    rows[0, y, i] += c * pixels[y * CUTOUT + x, i]
                    rows[1, y, i] -= s * pixels[y * CUTOUT + x, i]
        for ky in range(CUTOUT):
            b, w = ring[kx, ky], weight[kx, ky]
            if b < 0:
                continue
            real[:] = 0.0
            imaginary[:] = 0.0
            for y in range(CUTOUT):
                c, s = cosine[ky, y], sine[ky, y]
                for i in range(n):
                    real[i] += c * rows[0, y, i] + s * rows[1, y, i]
                    imaginary[i] += c * rows[1, y, i] - s * rows[0, y, i]
            for i in range(n):
                power[b, i] += w * (real[i] * real[i] + imaginary[i] * imaginary[i])
    return np.ascontiguousarray(power.T)


@_compiled
def _distance(a: Any, b: Any) -> float:
    """Wasserstein distance of two sorted samples of equal size."""
    total = 0.0
    for k in range(len(a)):
        total += abs(a[k] - b[k])
    return total / len(a)


@_compiled
def _ks(real: Any, power: Any) -> float:
    """Largest difference between the distributions of the sorted distances `real`, and of those among the spectra."""
    n = len(real)
    if real[0] == real[-1]:
        return math.nan
    below, up_to = np.zeros(n + 1), np.zeros(n + 1)
    for i in range(1, n):
        for k in range(i):
            d = _distance(power[i], power[k])
            left = np.searchsorted(real, d)
            right = left
            while right < n and real[right] == d:
                right += 1
            up_to[left] += 1
            below[right] += 1
    n_pairs = n * (n - 1) / 2
    best = less = no_more = 0.0
    for j in range(n):
        no_more += up_to[j]
        less += below[j]
        if j + 1 == n or real[j + 1] > real[j]:
            best = max(best, abs((j + 1) / n - no_more / n_pairs))
        if j == 0 or real[j - 1] < real[j]:
            best = max(best, abs(j / n - less / n_pairs))
    return best
