"""Sums of the period search on few points, against numpy's least squares."""

from __future__ import annotations

import numpy as np
import pytest

from redpoll.astro import periodogram
from redpoll.astro.periodogram import one_harmonic, padded, powers


@pytest.mark.parametrize("n, size", [(1, 32), (32, 32), (33, 64), (64, 64), (65, 96)])
def test_powers_are_in_whole_blocks(n, size):
    assert padded(n) == size


def _lstsq(t, y, w, group, frequency, n_harmonics):
    """Decrease of chi2, and that of the means."""
    means = (group[:, None] == np.unique(group)).astype(float)
    angles = 2 * np.pi * frequency * (t - t.mean())[:, None] * np.arange(1, n_harmonics + 1)
    root, left = np.sqrt(w), []
    for columns in (means, np.hstack([means, np.cos(angles), np.sin(angles)])):
        a, b = columns * root[:, None], y * root
        left.append(np.sum((b - a @ np.linalg.lstsq(a, b)[0]) ** 2))
    return left[0] - left[1], left[0]


@pytest.mark.parametrize("n_harmonics", [1, 2])
@pytest.mark.parametrize("n_blocks", [1, 3])
def test_powers_of_bands_that_share_harmonics(n_harmonics, n_blocks):
    """A band of one point, and one without weights, are left out."""
    rng = np.random.default_rng(5)
    t, y, w = 60_000 + rng.uniform(0, 20, 22), 9.0 + rng.normal(size=22), rng.uniform(0.5, 3, 22)
    bounds = np.array([0, 9, 10, 10, 13, 20, 22])
    w[10:13] = 0.0
    w[20:] = [1.0, 2.0]
    group, kept = np.repeat(np.arange(6), np.diff(bounds)), np.r_[0:9, 13:22]
    power, grid = np.zeros(32 * n_blocks), (0.07, 0.043)
    total = powers(t, y, w, bounds, n_harmonics, grid, power)
    for k in range(0, 32 * n_blocks, 5):
        gain, chi2 = _lstsq(t[kept], y[kept], w[kept], group[kept], grid[0] + k * grid[1], n_harmonics)
        assert (power[k], total) == pytest.approx((gain, chi2), abs=1e-8)


def test_exact_sines_after_64_blocks():
    rng = np.random.default_rng(6)
    t, y, w = rng.uniform(0, 20, 6), rng.normal(size=6), np.ones(6)
    power = np.zeros(32 * 66)
    powers(t, y, w, np.array([0, 6]), 1, (0.07, 0.0043), power)
    for k in (63 * 32, 64 * 32, 64 * 32 + 17, 65 * 32 + 31):
        gain, _ = _lstsq(t, y, w, np.zeros(6), 0.07 + k * 0.0043, 1)
        assert power[k] == pytest.approx(gain, abs=1e-8)


@pytest.mark.parametrize("n_harmonics", [1, 2])
def test_points_of_one_phase_have_no_power(n_harmonics):
    t, y, power = np.arange(8.0), np.tile([1.0, -1.0, 2.0, 0.5], 2), np.full(32, np.nan)
    with np.errstate(all="ignore"):
        powers(t, y, np.ones(8), np.array([0, 8]), n_harmonics, (1.0, 1.0), power)
    assert power.tolist() == [0.0] * 32


def test_one_harmonic_of_bright_blocks_is_that_of_least_squares():
    """The first block is never faint; a faint one has the classical periodogram."""
    rng = np.random.default_rng(7)
    t = np.sort(rng.uniform(-10, 10, 16))
    y = np.sin(2 * np.pi * 0.4 * t) + 0.05 * rng.normal(size=16)
    y -= y.mean()
    points, power, weight = np.array([t, y, np.full(16, 1 / 16)]), np.empty(32 * 6), 16.0
    one_harmonic(points, weight, 0.03, 0.017, power)
    frequency = 0.03 + 0.017 * np.arange(32 * 6)
    exact = np.array([_lstsq(t, y, np.ones(16), np.zeros(16), f, 1)[0] for f in frequency])
    classical = 2 * weight * np.abs(np.exp(2j * np.pi * np.outer(frequency, t)) @ y / 16) ** 2
    for block in range(6):
        one = slice(32 * block, 32 * block + 32)
        is_bright = block == 0 or classical[one].max() > 0.4 * exact[:32].max()
        expected = exact if is_bright else classical
        np.testing.assert_allclose(power[one], expected[one], atol=2e-4)
    assert exact[:32].max() == exact.max()


def test_a_band_counts_with_two_points_and_weights(runnable):
    counts, w = runnable(periodogram._counts), np.array([1.0, 2.0, 3.0, 4.0, 0.0, 0.0])
    assert [counts(w, *part) for part in ((3, 4), (3, 3), (2, 4), (4, 6))] == [False, False, True, False]


@pytest.mark.parametrize("n_harmonics", [1, 2])
def test_powers_scale_with_the_weights(n_harmonics):
    rng = np.random.default_rng(8)
    t, y, w, bounds = rng.uniform(0, 20, 18), rng.normal(size=18), rng.uniform(1, 2, 18), np.array([0, 9, 18])
    answers = []
    for unit in (1.0, 1e-6, 1e6):
        power = np.zeros(64)
        total = powers(t, y, unit * w, bounds, n_harmonics, (0.07, 0.043), power)
        answers.append(np.append(power, total) / unit)
    np.testing.assert_allclose(answers[1:], [answers[0]] * 2, rtol=1e-9)
    single = [np.empty(64), np.empty(64)]
    for unit, power in zip((1.0, 1e-6), single, strict=True):
        one_harmonic(np.array([t[:16] - 10, y[:16] - y[:16].mean(), np.full(16, 1 / 16)]), unit, 0.07, 0.043, power)
    np.testing.assert_allclose(single[1] * 1e6, single[0], rtol=1e-5)


def test_one_harmonic_is_exact_after_64_blocks():
    rng = np.random.default_rng(9)
    t = np.sort(rng.uniform(-10, 10, 16))
    start, step = 0.03, 0.0017
    y = np.sin(2 * np.pi * (start + step * (64 * 32 + 20)) * t)
    y -= y.mean()
    power = np.empty(32 * 66)
    one_harmonic(np.array([t, y, np.full(16, 1 / 16)]), 16.0, start, step, power)
    for k in range(64 * 32 + 10, 64 * 32 + 31, 5):
        gain, _ = _lstsq(t, y, np.ones(16), np.zeros(16), start + step * k, 1)
        assert power[k] == pytest.approx(gain, abs=1e-3)
