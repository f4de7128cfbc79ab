"""Least squares of one curve, compiled: amplitudes and baselines solved, Levenberg and Marquardt's steps in the rest.

References
----------
Golub & Pereyra 2003, Inverse Problems 19, R1 (variable projection); Kaufman 1975, BIT 15, 49 (its derivatives);
Marquardt 1963, J. SIAM 11, 431.
"""

from __future__ import annotations

import math
from typing import Any

from redpoll.astro.fits.shapes import fill_shape
from redpoll.astro.fits.workspace import AMPLITUDE, MEAN_SHAPE, SHAPE2, SHAPE_FLUX, WEIGHT, compiled


@compiled
def minimise(
    model: Any, sign: float, q: Any, points: Any, room: Any, max_steps: int, least_gain: float
) -> tuple[float, bool]:
    """Change q to the nearest least chi2 within the bounds; returns it and whether the steps came to an end."""
    chi2 = evaluate(model, sign, q, points, room)
    if not math.isfinite(chi2):
        return math.inf, False
    _keep(model.n_q, room)
    damping = 1e-2
    n_small = 0
    for _ in range(max_steps):
        _find_step(model.n_q, q, damping, room)
        for j in range(model.n_q):
            room.trial[j] = min(max(q[j] + room.step[j], room.bounds[0, j]), room.bounds[1, j])
        new = evaluate(model, sign, room.trial, points, room)
        if new <= chi2:
            n_small = n_small + 1 if chi2 - new <= least_gain * new + 1e-12 else 0
            chi2 = new
            for j in range(model.n_q):
                q[j] = room.trial[j]
            _keep(model.n_q, room)
            damping = max(damping * 0.15, 1e-9)
            if n_small > 0 and (damping < 1e-3 or n_small > 3):
                return chi2, True
        else:
            damping = max(damping, 1e-6) * 6.0
            if damping > 1e9:
                return chi2, True
    return chi2, False


@compiled
def _keep(n_q: int, room: Any) -> None:
    for j in range(n_q):
        room.kept_gradient[j] = room.gradient[j]
        for k in range(j + 1):
            room.kept_normal[j, k] = room.normal[j, k]


@compiled
def _find_step(n_q: int, q: Any, damping: float, room: Any) -> None:
    """Solve the damped normal equations for what no bound holds; a step is at most 1.5 in a logarithm."""
    for j in range(n_q):
        is_low = q[j] <= room.bounds[0, j] and room.kept_gradient[j] < 0
        is_high = q[j] >= room.bounds[1, j] and room.kept_gradient[j] > 0
        room.is_free[j] = not (is_low or is_high)
        room.step[j] = room.kept_gradient[j]
    factorise(n_q, room.kept_normal, room.is_free, damping, room.factor)
    solve(n_q, room.factor, room.is_free, room.step)
    for j in range(1, n_q):
        room.step[j] = min(max(room.step[j], -1.5), 1.5)


@compiled
def factorise(n: int, matrix: Any, is_free: Any, damping: float, factor: Any) -> None:
    """Cholesky factor (lower) of the matrix with its diagonal enlarged; rows without any pull stay out."""
    largest = 0.0
    for j in range(n):
        largest = max(largest, matrix[j, j])
    for j in range(n):
        is_free[j] = is_free[j] and matrix[j, j] > 1e-20 * largest
        for k in range(j + 1):
            if not (is_free[j] and is_free[k]):
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
    for j in range(n):
        if not is_free[j]:
            x[j] = 0.0
        for k in range(j):
            x[j] -= factor[j, k] * x[k]
        x[j] /= factor[j, j]
    for j in range(n - 1, -1, -1):
        for k in range(j + 1, n):
            x[j] -= factor[k, j] * x[k]
        x[j] /= factor[j, j]


@compiled
def quick_chi2(model: Any, sign: float, q: Any, points: Any, room: Any) -> float:
    """Chi2 at q with the amplitudes solved, but for a constant; infinite where no amplitude is positive."""
    fill_shape(model, sign, q, points, room)
    _centre_shape(model, points, room, 0)
    _solve_amplitudes(model, points, room, 0)
    gain = 0.0
    for g in range(points.n_groups):
        if room.sums[AMPLITUDE, g] > 0:
            gain += room.sums[AMPLITUDE, g] * room.sums[SHAPE_FLUX, g]
            if not model.is_per_group:
                break
    return -gain if gain > 0 else math.inf


@compiled
def evaluate(model: Any, sign: float, q: Any, points: Any, room: Any) -> float:
    """Chi2 at q, the amplitudes solved; leaves the normal equations of q in the room."""
    n_q = model.n_q
    fill_shape(model, sign, q, points, room)
    _centre_shape(model, points, room, n_q)
    if not _solve_amplitudes(model, points, room, n_q):
        return math.inf
    chi2 = 0.0
    for j in range(n_q):
        room.gradient[j] = 0.0
        for k in range(j + 1):
            room.normal[j, k] = 0.0
    for i in range(len(points.t)):
        g = points.group[i]
        amplitude, weight, shape = room.sums[AMPLITUDE, g], points.weight[i], room.shape[i]
        residual = points.flux[i] - amplitude * shape
        chi2 += weight * residual * residual
        for j in range(n_q):
            room.slope[i, j] = amplitude * (room.slope[i, j] - room.cross[g, j] * shape)
            pull = weight * room.slope[i, j]
            room.gradient[j] += pull * residual
            for k in range(j + 1):
                room.normal[j, k] += pull * room.slope[i, k]
    return chi2 if math.isfinite(chi2) else math.inf


@compiled
def _centre_shape(model: Any, points: Any, room: Any, n_q: int) -> None:
    """Subtract each group's weighted mean of the shape and of its derivatives, if baselines are free."""
    if not model.has_baseline:
        return
    for g in range(points.n_groups):
        room.sums[MEAN_SHAPE, g] = 0.0
        for j in range(n_q):
            room.mean_slope[g, j] = 0.0
    for i in range(len(points.t)):
        g = points.group[i]
        share = points.weight[i] / room.sums[WEIGHT, g]
        room.sums[MEAN_SHAPE, g] += share * room.shape[i]
        for j in range(n_q):
            room.mean_slope[g, j] += share * room.slope[i, j]
    for i in range(len(points.t)):
        g = points.group[i]
        room.shape[i] -= room.sums[MEAN_SHAPE, g]
        for j in range(n_q):
            room.slope[i, j] -= room.mean_slope[g, j]


@compiled
def _solve_amplitudes(model: Any, points: Any, room: Any, n_q: int) -> bool:
    """Best amplitudes, not negative, and how far each derivative is only a change of amplitude; False if all are 0."""
    sums, cross = room.sums, room.cross
    for g in range(points.n_groups):
        sums[SHAPE2, g] = sums[SHAPE_FLUX, g] = sums[AMPLITUDE, g] = 0.0
        for j in range(n_q):
            cross[g, j] = 0.0
    for i in range(len(points.t)):
        g = points.group[i] if model.is_per_group else 0
        pull = points.weight[i] * room.shape[i]
        sums[SHAPE2, g] += pull * room.shape[i]
        sums[SHAPE_FLUX, g] += pull * points.flux[i]
        for j in range(n_q):
            cross[g, j] += pull * room.slope[i, j]
    is_any = False
    for g in range(points.n_groups):
        of = g if model.is_per_group else 0
        if sums[SHAPE_FLUX, of] > 0 and sums[SHAPE2, of] > 0:
            sums[AMPLITUDE, g] = sums[SHAPE_FLUX, of] / sums[SHAPE2, of]
            is_any = True
        unit = sums[SHAPE2, g] if g == of and sums[SHAPE2, g] > 0 else 1.0
        for j in range(n_q):
            cross[g, j] = cross[of, j] / unit
    return is_any
