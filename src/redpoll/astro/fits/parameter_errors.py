"""Errors of the parameters from the normal equations at the least chi2, compiled."""

from __future__ import annotations

import math
from typing import Any

from redpoll.astro.fits.least_squares import factorise, solve
from redpoll.astro.fits.workspace import AMPLITUDE, MEAN_SHAPE, SHAPE2, WEIGHT, compiled


@compiled
def write_errors(model: Any, n_groups: int, q: Any, labels: Any, room: Any, i: int, out: Any) -> None:
    """Amplitudes, baselines and the covariance, from the normal equations at the end."""
    n = model.n_q
    for j in range(n):
        room.is_free[j] = room.bounds[0, j] < q[j] < room.bounds[1, j]
    factorise(n, room.normal, room.is_free, 0.0, room.factor)
    covariance = out.covariance[i]
    for j in range(n):
        for k in range(n):
            room.step[k] = 1.0 if k == j else 0.0
        solve(n, room.factor, room.is_free, room.step)
        for k in range(n):
            covariance[j + 1, k + 1] = room.step[k]
    for g in range(n_groups):
        _write_sums(model, room, covariance, g, labels[g], i, out)
    for j in range(1, n + 1):
        for k in range(n + 1):
            if not room.is_free[j - 1]:
                covariance[j, k] = covariance[k, j] = math.nan


@compiled
def _write_sums(model: Any, room: Any, covariance: Any, g: int, label: int, i: int, out: Any) -> None:
    """Amplitude and baseline of one group with their errors; the amplitude's covariance with q if it is the first."""
    sums = room.sums
    amplitude, mean = sums[AMPLITUDE, g], sums[MEAN_SHAPE, g] if model.has_baseline else 0.0
    variance = 1.0 / sums[SHAPE2, g if model.is_per_group else 0]
    drift = spread = 0.0
    for j in range(model.n_q):
        shared = 0.0
        for k in range(model.n_q):
            shared -= amplitude * room.cross[g, k] * covariance[k + 1, j + 1]
            spread += amplitude**2 * room.mean_slope[g, j] * covariance[j + 1, k + 1] * room.mean_slope[g, k]
        variance -= shared * amplitude * room.cross[g, j]
        drift += 2.0 * mean * amplitude * room.mean_slope[g, j] * shared
        if g == 0:
            covariance[0, j + 1] = covariance[j + 1, 0] = shared
    if g == 0:
        out.amplitude[i], covariance[0, 0] = amplitude, variance
    out.sums[i, 0, label], out.sum_errors[i, 0, label] = amplitude, math.sqrt(variance)
    out.sums[i, 1, label], out.sum_errors[i, 1, label] = room.means[g] - amplitude * mean, 0.0
    if model.has_baseline:
        base = 1.0 / sums[WEIGHT, g] + mean**2 * variance + spread + drift
        out.sum_errors[i, 1, label] = math.sqrt(base)
