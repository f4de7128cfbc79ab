"""Least squares of one curve, compiled: amplitudes and baselines solved, Levenberg and Marquardt's steps in the rest.

References
----------
Golub & Pereyra 2003, Inverse Problems 19, R1 (variable projection); Kaufman 1975, BIT 15, 49 (its derivatives);
Marquardt 1963, J. SIAM 11, 431.
"""

from __future__ import annotations

import math
from typing import Any

from redpoll.astro.curve_fitting.projection import evaluate
from redpoll.astro.curve_fitting.shapes import BAZIN, LENS, PEAK
from redpoll.astro.curve_fitting.workspace import (
    FACTOR,
    GRADIENT,
    HIGH,
    IS_FREE,
    KEPT_GRADIENT,
    KEPT_NORMAL,
    LOW,
    NORMAL,
    STEP,
    TIME,
    TRIAL,
    compiled,
)

_MIN_DAMPING, _MAX_DAMPING = 1e-9, 1e9
_MIN_T, _MAX_T = math.log(100.0), math.log(1e6)


@compiled
def minimise(
    model: Any,
    sign: float,
    q: Any,
    curve: Any,
    room: Any,
    max_steps: int,
    min_gain: float,
    first_damping: float,
) -> tuple[float, bool]:
    """Change q to the nearest minimum of chi2 within the bounds; returns chi2 and whether the steps converged.

    The last evaluation is at that q, so that the room has its amplitudes and derivatives.
    """
    vectors, matrices = room.vectors, room.matrices
    chi2, damping, n_small, is_end = math.inf, first_damping, 0, False
    for j in range(model.n_q):
        vectors[TRIAL, j] = q[j]
    for step in range(max_steps + 2):
        new = evaluate(model, sign, vectors[TRIAL], curve, room, chi2)
        if is_end or step > max_steps:
            break
        if new <= chi2 and new < math.inf:
            n_small = n_small + 1 if chi2 - new <= min_gain * new + 1e-12 else 0
            chi2 = new
            for j in range(model.n_q):
                q[j], vectors[KEPT_GRADIENT, j] = vectors[TRIAL, j], vectors[GRADIENT, j]
                for k in range(j + 1):
                    matrices[KEPT_NORMAL, j, k] = matrices[NORMAL, j, k]
            damping = max(damping * 0.15, _MIN_DAMPING)
        else:
            damping = max(damping, 1e-6) * 6.0
        is_end = (n_small > 0 and (damping < 1e-3 or n_small > 3)) or damping > _MAX_DAMPING or chi2 == math.inf
        if is_end or step == max_steps:
            damping = math.inf
        _set_trial(model, q, damping, vectors, matrices)
    return chi2, is_end


@compiled
def reach(model: Any, q: Any) -> float:
    """Maximum distance [d] of the reference time from the data: ten time scales."""
    longest = max(q[1], q[2]) if model.shape == BAZIN or model.shape == PEAK else q[1]
    return 10.0 * math.exp(longest)


@compiled
def _set_trial(model: Any, q: Any, damping: float, vectors: Any, matrices: Any) -> None:
    """Solve the damped normal equations for the next trial within the bounds; infinite damping is no step."""
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
    """Cholesky factor (lower) of the matrix with its diagonal enlarged; rows without a gradient are excluded."""
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
    """Solve for x in place, given the Cholesky factor; fixed parameters become 0."""
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
def set_bounds(model: Any, data: Any, vectors: Any) -> None:
    """The times of the data (see `least_squares.reach`), time scales of 1e-4 to 30 spans, 100 to 1,000,000 kelvin."""
    last = data[-1, TIME]  # in the order of time, the first at 0
    span = max(last, 1e-3)
    for j in range(model.n_q):
        vectors[LOW, j], vectors[HIGH, j] = math.log(span * 1e-4), math.log(span * 30.0)
        if model.temperature and model.n_q - 2 * model.temperature < j <= model.n_q - model.temperature:
            vectors[LOW, j], vectors[HIGH, j] = _MIN_T, _MAX_T
    vectors[LOW, 0], vectors[HIGH, 0] = 0.0, last
    if model.shape == BAZIN:
        vectors[HIGH, 2] += math.log(100.0)
    if model.shape == LENS:
        vectors[LOW, 2], vectors[HIGH, 2] = math.log(1e-3), math.log(5.0)
