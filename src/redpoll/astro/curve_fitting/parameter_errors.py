"""Errors of the parameters from the normal equations at the minimum of chi2, compiled."""

from __future__ import annotations

import math
from typing import Any

from redpoll.astro.curve_fitting.least_squares import factorise, reach, solve
from redpoll.astro.curve_fitting.workspace import (
    AMPLITUDE,
    CROSS,
    FACTOR,
    GROUP_FLUX,
    GROUP_SHAPE,
    GROUP_SLOPE,
    GROUP_WEIGHT,
    HIGH,
    IS_FREE,
    LOW,
    NORMAL,
    SHAPE2,
    STEP,
    compiled,
)


@compiled
def write_errors(model: Any, q: Any, labels: Any, n_groups: int, room: Any, covariance: Any, out: Any) -> None:
    """Amplitudes, baselines and the covariance, from the room as it is after the evaluation at q."""
    n, vectors, matrices = model.n_q, room.vectors, room.matrices
    slack = reach(model, q) * (1.0 - 1e-9)
    for j in range(n):
        vectors[IS_FREE, j] = 1.0 if vectors[LOW, j] - slack < q[j] < vectors[HIGH, j] + slack else 0.0
        slack = 0.0
    factorise(n, matrices[NORMAL], vectors[IS_FREE], 0.0, matrices[FACTOR])
    for j in range(n):
        for k in range(n):
            vectors[STEP, k] = 1.0 if k == j else 0.0
        solve(n, matrices[FACTOR], vectors[IS_FREE], vectors[STEP])
        for k in range(n):
            covariance[j + 1, k + 1] = vectors[STEP, k]
    for g in range(n_groups):
        mean = room.sums[GROUP_SHAPE, g] if model.has_baseline else 0.0
        amplitude = room.sums[AMPLITUDE, g if model.is_per_group else 0]
        out[0, labels[g]] = amplitude
        out[1, labels[g]] = room.sums[GROUP_FLUX, g] - amplitude * mean if model.has_baseline else 0.0
        out[2, labels[g]], out[3, labels[g]] = _write_sums(model, g, room.sums, covariance)
    for j in range(1, n + 1):
        for k in range(n + 1):
            if vectors[IS_FREE, j - 1] == 0.0:
                covariance[j, k] = covariance[k, j] = math.nan


@compiled
def _write_sums(model: Any, g: int, sums: Any, covariance: Any) -> tuple[float, float]:
    """Errors of amplitude and baseline of a group; of the first, the covariance of the amplitude with q is filled."""
    of = g if model.is_per_group else 0
    amplitude, mean = sums[AMPLITUDE, of], sums[GROUP_SHAPE, g]
    variance = 1.0 / sums[SHAPE2, of]
    drift = spread = 0.0
    for j in range(model.n_q):
        shared = 0.0
        for k in range(model.n_q):
            shared -= amplitude * sums[CROSS + k, of] * covariance[k + 1, j + 1]
            both = sums[GROUP_SLOPE + j, g] * sums[GROUP_SLOPE + k, g]
            spread += amplitude**2 * both * covariance[j + 1, k + 1]
        variance -= shared * amplitude * sums[CROSS + j, of]
        drift += 2.0 * mean * amplitude * sums[GROUP_SLOPE + j, g] * shared
        if g == 0:
            covariance[0, j + 1] = covariance[j + 1, 0] = shared
    if g == 0:
        covariance[0, 0] = variance
    if not model.has_baseline:
        return math.sqrt(variance), 0.0
    return math.sqrt(variance), math.sqrt(1.0 / sums[GROUP_WEIGHT, g] + mean**2 * variance + spread + drift)
