"""Amplitudes of periodic light curves, band by band, compiled."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from redpoll.kernels import kernel, part

_SINGULAR, _PHASES = 1e-9, 64


@kernel
def band_amplitudes(t: Any, y: Any, w: Any, parts: Any, frequency: Any, n_harmonics: int, amplitude: Any) -> None:
    """Half the range of the best `n_harmonics` at each curve's frequency [1/d], into `amplitude` (n_curves, n_bands).

    Part ``i * n_bands + b`` of times, values and weights is curve i in band b; parts of fewer than
    2 n_harmonics + 2 points, and curves without a frequency, are skipped.
    """
    n_bands = amplitude.shape[1]
    room = np.empty((2 * n_harmonics + 4, 2 * n_harmonics + 1))
    for i in range(len(amplitude)):
        for b in range(n_bands):
            start, stop = parts[i * n_bands + b], parts[i * n_bands + b + 1]
            if math.isfinite(frequency[i]) and stop - start >= 2 * n_harmonics + 2:
                amplitude[i, b] = _amplitude(t[start:stop], y[start:stop], w[start:stop], frequency[i], room)


@part
def _amplitude(t: Any, y: Any, w: Any, f: float, room: Any) -> float:
    """Amplitude of a band, by the normal equations of a constant, cosines and sines."""
    n = room.shape[1]
    matrix, right, row, x = room[:n], room[n], room[n + 1], room[n + 2]
    room[:] = 0.0
    total = 0.0
    for i in range(len(w)):
        total += w[i]
    for i in range(len(t)):
        angle = 2.0 * math.pi * ((f * (t[i] - t[0])) % 1.0)
        row[0] = 1.0
        for h in range(n // 2):
            row[1 + 2 * h], row[2 + 2 * h] = math.cos((h + 1) * angle), math.sin((h + 1) * angle)
        for p in range(n):
            right[p] += w[i] / total * row[p] * (y[i] - y[0])
            for q in range(p + 1):
                matrix[p, q] += w[i] / total * row[p] * row[q]
    if not _solve(matrix, right, x):
        return math.nan
    return math.hypot(x[1], x[2]) if n == 3 else _half_range(x)


@part
def _half_range(x: Any) -> float:
    """Half the range of two harmonics, at 64 phases."""
    low, high = math.inf, -math.inf
    for k in range(_PHASES):
        angle = 2.0 * math.pi * k / _PHASES
        c, s = math.cos(angle), math.sin(angle)
        value = x[1] * c + x[2] * s + x[3] * (c * c - s * s) + x[4] * 2.0 * s * c
        low, high = min(low, value), max(high, value)
    return 0.5 * (high - low)


@part
def _solve(a: Any, b: Any, x: Any) -> bool:
    """Solution x of a symmetric system, given by its lower triangle, which is overwritten; False if it is singular."""
    n = len(b)
    for i in range(n):
        x[i] = b[i]
        for j in range(i):
            for k in range(j):
                a[i, j] -= a[i, k] * a[j, k] * a[k, k]
            a[i, j] /= a[j, j]
            a[i, i] -= a[i, j] * a[i, j] * a[j, j]
            x[i] -= a[i, j] * x[j]
        if a[i, i] < _SINGULAR:
            return False
    for i in range(n - 1, -1, -1):
        x[i] /= a[i, i]
        for j in range(i + 1, n):
            x[i] -= a[j, i] * x[j]
    return True
