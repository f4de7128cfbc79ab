"""Chi2 of one curve at given times and temperatures, compiled: amplitudes and baselines solved, derivatives projected.

References
----------
Golub & Pereyra 2003, Inverse Problems 19, R1 (variable projection); Kaufman 1975, BIT 15, 49 (its derivatives).
"""

from __future__ import annotations

import math
from typing import Any

from redpoll.astro.curve_fitting.shapes import fill_shape, slope_row
from redpoll.astro.curve_fitting.workspace import (
    AMPLITUDE,
    CROSS,
    FLUX,
    GRADIENT,
    GROUP_SHAPE,
    GROUP_SLOPE,
    GROUP_WEIGHT,
    NORMAL,
    RESIDUAL,
    SHAPE2,
    STRIDE,
    VALUE,
    WEIGHT,
    compiled,
    summed,
)


@compiled
def evaluate(model: Any, sign: float, q: Any, curve: Any, room: Any, max_chi2: float) -> float:
    """Chi2 at q, infinite without a positive amplitude; fills the normal equations if it is at most `max_chi2`."""
    fill_shape(model, sign, q, curve)
    if model.has_baseline:
        _centre(VALUE, curve, room.sums, room.sums[GROUP_SHAPE])
    chi2 = _solve_amplitudes(model.is_per_group, curve, room.sums)
    if not math.isfinite(chi2):
        return math.inf
    if chi2 <= max_chi2:
        _fill_normal(model, curve, room.sums, room.matrices[NORMAL], room.vectors[GRADIENT])
    return chi2


@compiled
def _centre(row: int, curve: Any, sums: Any, means: Any) -> None:
    """Subtract each group's weighted mean, and leave it in `means`."""
    for g in range(curve.n_groups):
        part = _part(row, g, curve)
        means[g] = _sum(_part(WEIGHT, g, curve), part) / sums[GROUP_WEIGHT, g]
        for i in range(len(part)):
            part[i] -= means[g]


@compiled
def _part(row: int, g: int, curve: Any) -> Any:
    """A row's points of a group, of all groups if it is below 0."""
    if g < 0:
        return curve.rows[row * STRIDE : row * STRIDE + curve.n]
    return curve.rows[row * STRIDE + curve.bounds[g] : row * STRIDE + curve.bounds[g + 1]]


@compiled
def _solve_amplitudes(is_per_group: int, curve: Any, sums: Any) -> float:
    """Fit amplitudes that are not negative, and write the residuals; returns chi2, infinite if all are 0."""
    chi2, is_any = 0.0, False
    for g in range(curve.n_groups if is_per_group else 1):
        which = g if is_per_group else -1
        weight, value, flux = _part(WEIGHT, which, curve), _part(VALUE, which, curve), _part(FLUX, which, curve)
        square, both = _products(weight, value, flux)
        is_good = both > 0.0 and square > 0.0
        sums[SHAPE2, g], sums[AMPLITUDE, g] = square, both / square if is_good else 0.0
        is_any |= is_good
        chi2 += _leave(weight, value, flux, _part(RESIDUAL, which, curve), sums[AMPLITUDE, g])
    return chi2 if is_any else math.inf


@compiled
def _fill_normal(model: Any, curve: Any, sums: Any, normal: Any, gradient: Any) -> None:
    """The derivatives with the amplitudes following, their inner products with each other and the residuals."""
    weight, residual = _part(WEIGHT, -1, curve), _part(RESIDUAL, -1, curve)
    for j in range(model.n_q):
        row = slope_row(model.shape, j)
        if model.has_baseline:
            _centre(row, curve, sums, sums[GROUP_SLOPE + j])
        for g in range(curve.n_groups if model.is_per_group else 1):
            which = g if model.is_per_group else -1
            value, slope = _part(VALUE, which, curve), _part(row, which, curve)
            shared = _product(_part(WEIGHT, which, curve), value, slope)
            sums[CROSS + j, g] = shared / sums[SHAPE2, g] if sums[SHAPE2, g] > 0.0 else 0.0
            _project(slope, sums[AMPLITUDE, g], sums[CROSS + j, g], value)
        mine = _part(row, -1, curve)
        gradient[j] = _product(weight, mine, residual)
        for k in range(j + 1):
            normal[j, k] = _product(weight, mine, _part(slope_row(model.shape, k), -1, curve))


@summed
def _sum(weight: Any, x: Any) -> float:
    total = 0.0
    for i in range(len(x)):
        total += weight[i] * x[i]
    return total


@summed
def _product(weight: Any, x: Any, y: Any) -> float:
    total = 0.0
    for i in range(len(x)):
        total += weight[i] * x[i] * y[i]
    return total


@summed
def _products(weight: Any, x: Any, y: Any) -> tuple[float, float]:
    """Of x with itself, and with y."""
    square, both = 0.0, 0.0
    for i in range(len(x)):
        pull = weight[i] * x[i]
        square += pull * x[i]
        both += pull * y[i]
    return square, both


@summed
def _leave(weight: Any, value: Any, flux: Any, residual: Any, amplitude: float) -> float:
    """Write the residual of the flux after the amplitude; returns its weighted square."""
    chi2 = 0.0
    for i in range(len(value)):
        left = flux[i] - amplitude * value[i]
        residual[i] = left
        chi2 += weight[i] * left * left
    return chi2


@compiled
def _project(slope: Any, amplitude: float, fraction: float, value: Any) -> None:
    for i in range(len(slope)):
        slope[i] = amplitude * (slope[i] - fraction * value[i])
