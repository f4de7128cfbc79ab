"""Least squares of one curve, compiled: amplitudes and baselines solved, Levenberg and Marquardt's steps in the rest.

References
----------
Golub & Pereyra 2003, Inverse Problems 19, R1 (variable projection); Kaufman 1975, BIT 15, 49 (its derivatives);
Marquardt 1963, J. SIAM 11, 431.
"""

from __future__ import annotations

import math
from typing import Any

from redpoll.astro.fits.shapes import BAZIN, PEAK, fill_shape
from redpoll.astro.fits.workspace import (
    AMPLITUDE,
    CROSS,
    FACTOR,
    FLUX,
    GRADIENT,
    GROUP_SHAPE,
    GROUP_SLOPE,
    GROUP_WEIGHT,
    HIGH,
    IS_FREE,
    KEPT_GRADIENT,
    KEPT_NORMAL,
    LOW,
    NORMAL,
    SHAPE2,
    SHAPE_FLUX,
    STEP,
    TRIAL,
    WEIGHT,
    compiled,
)

_LEAST_DAMPING, _MOST_DAMPING = 1e-9, 1e9


@compiled
def minimise(
    model: Any, sign: float, q: Any, points: Any, room: Any, max_steps: int, least_gain: float
) -> tuple[float, bool]:
    """Change q to the nearest least chi2 within the bounds; returns it and whether the steps came to an end.

    The last evaluation is at that q, so that the room has its amplitudes and derivatives.
    """
    vectors, matrices = room.vectors, room.matrices
    chi2, damping, n_small, is_end = math.inf, 1e-2, 0, False
    for j in range(model.n_q):
        vectors[TRIAL, j] = q[j]
    for step in range(max_steps + 2):
        new = evaluate(model, model.n_q, sign, vectors[TRIAL], points, room)
        if is_end or step > max_steps:
            break
        if new <= chi2 and new < math.inf:
            n_small = n_small + 1 if chi2 - new <= least_gain * new + 1e-12 else 0
            chi2 = new
            for j in range(model.n_q):
                q[j], vectors[KEPT_GRADIENT, j] = vectors[TRIAL, j], vectors[GRADIENT, j]
                for k in range(j + 1):
                    matrices[KEPT_NORMAL, j, k] = matrices[NORMAL, j, k]
            damping = max(damping * 0.15, _LEAST_DAMPING)
        else:
            damping = max(damping, 1e-6) * 6.0
        is_end = (n_small > 0 and (damping < 1e-3 or n_small > 3)) or damping > _MOST_DAMPING or chi2 == math.inf
        if is_end or step == max_steps:
            damping = math.inf
        _set_trial(model, q, damping, vectors, matrices)
    return chi2, is_end


@compiled
def reach(model: Any, q: Any) -> float:
    """How far from the data [d] the reference time may be: ten time scales, where all that is left is exponential."""
    longest = max(q[1], q[2]) if model.shape == BAZIN or model.shape == PEAK else q[1]
    return 10.0 * math.exp(longest)


@compiled
def _set_trial(model: Any, q: Any, damping: float, vectors: Any, matrices: Any) -> None:
    """The next place: the solution of the damped normal equations within the bounds; infinite damping is no step."""
    n_q, slack = model.n_q, reach(model, q)
    for j in range(n_q):
        is_low = q[j] <= vectors[LOW, j] - slack and vectors[KEPT_GRADIENT, j] < 0
        is_high = q[j] >= vectors[HIGH, j] + slack and vectors[KEPT_GRADIENT, j] > 0
        slack = 0.0
        vectors[IS_FREE, j] = 0.0 if is_low or is_high else 1.0
        vectors[STEP, j] = vectors[KEPT_GRADIENT, j]
    if damping < math.inf:
        factorise(n_q, matrices[KEPT_NORMAL], vectors[IS_FREE], damping, matrices[FACTOR])
        solve(n_q, matrices[FACTOR], vectors[IS_FREE], vectors[STEP])
    for j in range(n_q):
        step = vectors[STEP, j] if damping < math.inf else 0.0
        if j > 0:
            step = min(max(step, -1.5), 1.5)  # a factor of 4.5
        vectors[TRIAL, j] = min(max(q[j] + step, vectors[LOW, j]), vectors[HIGH, j]) if j > 0 else q[j] + step
    slack = reach(model, vectors[TRIAL])
    vectors[TRIAL, 0] = min(max(vectors[TRIAL, 0], vectors[LOW, 0] - slack), vectors[HIGH, 0] + slack)


@compiled
def factorise(n: int, matrix: Any, is_free: Any, damping: float, factor: Any) -> None:
    """Cholesky factor (lower) of the matrix with its diagonal enlarged; rows without any pull stay out."""
    largest = 0.0
    for j in range(n):
        largest = max(largest, matrix[j, j])
    for j in range(n):
        if not matrix[j, j] > 1e-20 * largest:
            is_free[j] = 0.0
        for k in range(j + 1):
            if is_free[j] == 0.0 or is_free[k] == 0.0:
                factor[j, k] = 1.0 if j == k else 0.0
                continue
            total = matrix[j, k] * (1.0 + damping if j == k else 1.0)
            for m in range(k):
                total -= factor[j, m] * factor[k, m]
            if j == k:
                factor[j, j] = math.sqrt(max(total, 1e-14 * matrix[j, j]))
            else:
                factor[j, k] = total / factor[k, k]


@compiled
def solve(n: int, factor: Any, is_free: Any, x: Any) -> None:
    """Solve for x in place, given the Cholesky factor; what is not free becomes 0."""
    for j in range(n):
        if is_free[j] == 0.0:
            x[j] = 0.0
        for k in range(j):
            x[j] -= factor[j, k] * x[k]
        x[j] /= factor[j, j]
    for j in range(n - 1, -1, -1):
        for k in range(j + 1, n):
            x[j] -= factor[k, j] * x[k]
        x[j] /= factor[j, j]


@compiled
def evaluate(model: Any, n_q: int, sign: float, q: Any, points: Any, room: Any) -> float:
    """Chi2 at q, the amplitudes solved; leaves the normal equations of the first n_q parameters in the room."""
    fill_shape(model, sign, q, points, room.curve)
    if model.has_baseline:
        _centre_shape(n_q, points, room.curve, room.sums)
    if not _solve_amplitudes(model.is_per_group, n_q, points, room.curve, room.sums):
        return math.inf
    chi2 = _fill_normal(n_q, points, room.curve, room.sums, room.matrices[NORMAL], room.vectors[GRADIENT])
    return chi2 if math.isfinite(chi2) else math.inf


@compiled
def _centre_shape(n_q: int, points: Any, curve: Any, sums: Any) -> None:
    """Subtract each group's weighted mean of the shape and of its derivatives."""
    for g in range(points.n_groups):
        sums[GROUP_SHAPE, g] = 0.0
        for j in range(n_q):
            sums[GROUP_SLOPE + j, g] = 0.0
    for i in range(len(points.data)):
        g = points.group[i]
        share = points.data[i, WEIGHT] / sums[GROUP_WEIGHT, g]
        sums[GROUP_SHAPE, g] += share * curve[i, 0]
        for j in range(n_q):
            sums[GROUP_SLOPE + j, g] += share * curve[i, j + 1]
    for i in range(len(points.data)):
        g = points.group[i]
        curve[i, 0] -= sums[GROUP_SHAPE, g]
        for j in range(n_q):
            curve[i, j + 1] -= sums[GROUP_SLOPE + j, g]


@compiled
def _solve_amplitudes(is_per_group: int, n_q: int, points: Any, curve: Any, sums: Any) -> bool:
    """Best amplitudes, not negative, and how far each derivative is only a change of amplitude; False if all are 0."""
    for g in range(points.n_groups):
        for row in range(SHAPE2, CROSS + n_q):
            sums[row, g] = 0.0
    for i in range(len(points.data)):
        g = points.group[i] if is_per_group else 0
        pull = points.data[i, WEIGHT] * curve[i, 0]
        sums[SHAPE2, g] += pull * curve[i, 0]
        sums[SHAPE_FLUX, g] += pull * points.data[i, FLUX]
        for j in range(n_q):
            sums[CROSS + j, g] += pull * curve[i, j + 1]
    is_any = False
    for g in range(points.n_groups):
        of = g if is_per_group else 0
        if sums[SHAPE_FLUX, of] > 0 and sums[SHAPE2, of] > 0:
            sums[AMPLITUDE, g] = sums[SHAPE_FLUX, of] / sums[SHAPE2, of]
            is_any = True
        unit = sums[SHAPE2, g] if g == of and sums[SHAPE2, g] > 0 else 1.0
        for j in range(n_q):
            sums[CROSS + j, g] = sums[CROSS + j, of] / unit
    return is_any


@compiled
def _fill_normal(n_q: int, points: Any, curve: Any, sums: Any, normal: Any, gradient: Any) -> float:
    """Chi2; the derivatives with the amplitudes following, their inner products with each other and the residuals."""
    chi2 = 0.0
    for j in range(n_q):
        gradient[j] = 0.0
        for k in range(j + 1):
            normal[j, k] = 0.0
    for i in range(len(points.data)):
        g = points.group[i]
        amplitude, weight, shape = sums[AMPLITUDE, g], points.data[i, WEIGHT], curve[i, 0]
        residual = points.data[i, FLUX] - amplitude * shape
        chi2 += weight * residual * residual
        for j in range(n_q):
            curve[i, j + 1] = amplitude * (curve[i, j + 1] - sums[CROSS + j, g] * shape)
            pull = weight * curve[i, j + 1]
            gradient[j] += pull * residual
            for k in range(j + 1):
                normal[j, k] += pull * curve[i, k + 1]
    return chi2
