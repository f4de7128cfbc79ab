"""Amplitudes of one and two harmonics, against numpy's least squares."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from redpoll.astro.harmonics import band_amplitudes


def _found(t, y, w, parts, frequency, n_harmonics=1):
    n_bands = (len(parts) - 1) // len(frequency)
    amplitude = np.full((len(frequency), n_bands), -1.0)
    band_amplitudes(t, y, w, np.array(parts), np.array(frequency), n_harmonics, amplitude)
    return amplitude


def _slow(t, y, w, frequency, n_harmonics=1):
    """Half the range of the best harmonics; of two at 64 phases from the first point on."""
    angles = np.arange(1, n_harmonics + 1) * 2 * np.pi * frequency * (t - t[0])[:, None]
    columns = np.hstack([np.ones((len(t), 1)), np.cos(angles), np.sin(angles)]) * np.sqrt(w)[:, None]
    best = np.linalg.lstsq(columns, (y - y[0]) * np.sqrt(w))[0][1:]
    phases = np.arange(1, n_harmonics + 1) * 2 * np.pi * np.arange(64)[:, None] / 64
    if n_harmonics == 1:
        return np.hypot(*best)
    return np.ptp(np.hstack([np.cos(phases), np.sin(phases)]) @ best) / 2


def _points(n, seed=1):
    rng = np.random.default_rng(seed)
    return 60_000 + rng.uniform(0, 30, n), rng.normal(0, 3, n), rng.uniform(0.5, 4, n)


@pytest.mark.parametrize("n_harmonics, fewest", [(1, 4), (2, 6)])
def test_amplitudes_are_those_of_least_squares(n_harmonics, fewest):
    sizes = [fewest, 0, fewest - 1, 9, 1, 20]
    t, y, w = _points(sum(sizes))
    parts, frequency = np.append(0, np.cumsum(sizes)), [0.37, 1.91]
    found = _found(t, y, w, parts, frequency, n_harmonics).ravel()
    for part, (start, stop) in enumerate(pairwise(parts)):
        one = slice(start, stop)
        is_enough = sizes[part] >= fewest
        slow = _slow(t[one], y[one], w[one], frequency[part // 3], n_harmonics) if is_enough else -1.0
        assert found[part] == pytest.approx(slow, rel=1e-8)


@pytest.mark.parametrize("frequency", [np.nan, np.inf])
def test_curves_without_a_frequency_are_skipped(frequency):
    t, y, w = _points(20)
    found = _found(t, y, w, [0, 10, 20], [frequency, 0.5])
    assert found[0, 0] == -1.0 and found[1, 0] == pytest.approx(_slow(t[10:], y[10:], w[10:], 0.5))


def test_a_constant_and_whole_cycles_cost_no_precision():
    t, y, w = np.floor(_points(12)[0]), np.round(_points(12)[1], 0), np.ones(12)
    plain = _found(t, y, w, [0, 12], [0.375])[0, 0]
    assert plain == pytest.approx(_slow(t, y, w, 0.375)) and plain > 0
    assert _found(t, y + 2.0**50, w, [0, 12], [0.375])[0, 0] == pytest.approx(plain, rel=1e-12)
    assert _found(t, y, w, [0, 12], [2.0**40 + 0.375])[0, 0] == pytest.approx(plain, rel=1e-12)


@pytest.mark.parametrize("variance, is_known", [(0.95e-9, False), (1.05e-9, True)])
def test_points_of_nearly_one_phase_have_no_amplitude(variance, is_known):
    """Cosines of 1 and 1 - 2 sqrt(variance), twice each, have that variance."""
    turn = np.arccos(1 - 2 * np.sqrt(variance)) / (2 * np.pi)
    found = _found(np.array([0.0, turn, -turn, 1.0]), np.array([0.0, 1.0, 2.0, 0.0]), np.ones(4), [0, 4], [1.0])
    assert np.isfinite(found[0, 0]) == is_known
