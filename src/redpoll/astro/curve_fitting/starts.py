"""Starts of the fit, compiled: the best few of a coarse grid of times and time scales."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from redpoll.astro.curve_fitting.projection import evaluate
from redpoll.astro.curve_fitting.shapes import (
    CONSTANT_TEMPERATURE,
    LENS,
    LINEXP,
    SIGMOID,
    SIGMOID_TEMPERATURE,
    THREE_TIMES,
)
from redpoll.astro.curve_fitting.workspace import FLUX, HIGH, LOW, MAX_Q, TIME, TRIAL, WEIGHT, CurveModel, compiled

_FEW_STARTS, _MANY_STARTS, MAX_STARTS = 4, 8, 16
"""Number of starts, two more where both signs are possible; and for linexp and a changing temperature."""
_SAME = 0.02
"""Relative difference of chi2, times and time scales below which starts are equal."""
_N_TIMES = 8
_SCALES = np.array([0.04, 0.15, 0.5, 1.6])
"""Time scales of the grid, in widths of the light curve."""
_FINE_SCALES = np.array([0.04, 0.07, 0.13, 0.23, 0.42, 0.75, 1.35, 2.4])
"""The same for linexp, whose start cannot cross a point."""
_FALLS = np.array([0.15, 0.5, 1.6, 20.0])
_IMPACTS = np.log(np.array([0.05, 0.3, 0.9]))
_TEMPERATURES = np.log(np.array([8000.0]))
_COOLING = 0.2
"""Half the change of ln T that the starts of a changing temperature have."""
_COLOUR_TIMES = np.log(np.array([1.5, 6.0]))
"""Times of their change, in rise times."""


@compiled
def search_grid(model: Any, points: Any, curve: Any, room: Any) -> int:
    """Write the best start of each of the best combinations of time scales to room.starts; returns their number.

    Where both signs are possible, half of them are of each sign.
    """
    centre, width, peak = _where_bright(points.data)
    q, n_found = room.vectors[TRIAL], 0
    n_signs, max_starts = 1 + model.has_both_signs, _FEW_STARTS + 2 * model.has_both_signs
    if model.shape == LINEXP:
        max_starts = _MANY_STARTS
    for which in range(n_signs):
        sign, first_row = 1.0 - 2.0 * which, n_found
        step = _best_step(sign, model.has_baseline, points.data)
        for k in range(_n_cells(model)):
            _set_start(model, k, width, q)
            best, best_time = math.inf, 0.0
            for k_time in range(_N_TIMES):
                scale = sign * math.exp(q[1])
                q[0] = _start_time(model.shape, k_time, scale, step, peak, centre, width, points.data[-1, TIME])
                chi2 = evaluate(model, sign, q, curve, room, -1.0)
                if chi2 < best:
                    best, best_time = chi2, q[0]
            q[0] = best_time
            if best < math.inf:
                n_found = _keep_start(room.starts, first_row, n_found, max_starts // n_signs, q, best, sign)
    return n_found


@compiled
def _start_time(
    shape: int, k: int, scale: float, step: float, peak: float, centre: float, width: float, last: float
) -> float:
    """Reference time with this number: at the best step, near the peak, and evenly over the light curve.

    The foot of linexp also stands just outside of all points (the first is at 0), as it cannot step over one.
    """
    if k == 0:
        return step
    if shape == LINEXP and k == 2:
        return (0.0 if scale > 0.0 else last) - 0.1 * scale
    if shape == LINEXP:
        return (peak if k == 1 else centre + (k - 4.5) * 0.7 * width) - scale
    if k == 1:
        return peak - 2.0 * scale if shape == SIGMOID else peak
    return centre + (k - 4.5) * 0.7 * width


@compiled
def _n_cells(model: Any) -> int:
    """Number of combinations of time scales, or impacts, and temperatures."""
    n = len(_FINE_SCALES) if model.shape == LINEXP else len(_SCALES)
    n *= len(_TEMPERATURES) if model.temperature else 1
    if model.shape == LENS:
        return n * len(_IMPACTS)
    return n * len(_FALLS) if model.shape in THREE_TIMES else n


@compiled
def _best_step(sign: float, has_baseline: int, data: Any) -> float:
    """Time of the jump of the best step function: baseline before it (sign 1) or after it (-1), constant elsewhere."""
    all_weight = total = weight = 0.0
    best, best_time, n = -1.0, 0.0, len(data)
    for i in range(n):
        all_weight += data[i, WEIGHT]
    for k in range(n - 1):
        i = n - 1 - k if sign > 0 else k
        total += data[i, WEIGHT] * data[i, FLUX]
        weight += data[i, WEIGHT]
        gain = total * total / weight
        if has_baseline:
            gain += total * total / (all_weight - weight)
        if total > 0 and gain > best:
            best, best_time = gain, 0.5 * (data[i, TIME] + data[i - int(sign), TIME])
    return best_time


@compiled
def _set_start(model: Any, cell: int, width: float, q: Any) -> None:
    """All but the time of the start with this number."""
    scales = _FINE_SCALES if model.shape == LINEXP else _SCALES
    q[1] = math.log(scales[cell % len(scales)] * width)
    cell //= len(scales)
    n_times = 2
    if model.shape == LENS:
        q[2] = _IMPACTS[cell % len(_IMPACTS)]
        cell //= len(_IMPACTS)
        n_times = 3
    elif model.shape in THREE_TIMES:
        q[2] = math.log(_FALLS[cell % len(_FALLS)] * width)
        cell //= len(_FALLS)
        n_times = 3
    if model.temperature:
        q[n_times] = _TEMPERATURES[cell]


@compiled
def with_constant_temperature(model: Any) -> Any:
    """The model, where it has a temperature that changes with one that does not."""
    has_changing = model.temperature == SIGMOID_TEMPERATURE
    return CurveModel(
        model.shape, CONSTANT_TEMPERATURE if has_changing else model.temperature, model.has_baseline,
        model.is_per_group, model.has_both_signs, model.is_signed, model.n_q - 2 if has_changing else model.n_q,
    )  # fmt: skip


@compiled
def change_temperatures(model: Any, n_starts: int, room: Any) -> int:
    """Of each of the best two starts of a constant temperature make some that cool and heat up, slowly and quickly."""
    starts, n_times, n_new = room.starts, model.n_q - 3, 2 * len(_COLOUR_TIMES)
    n_old = min(n_starts, MAX_STARTS // n_new if model.shape == LINEXP else _FEW_STARTS // 2)
    for k in range(n_old * n_new - 1, -1, -1):
        old, which = k // n_new, k % n_new
        for j in range(MAX_Q + 2):
            starts[k, j] = starts[old, j]
        slack = math.exp(starts[k, 1]) if model.shape == LINEXP else 0.0
        starts[k, 0] = min(max(starts[k, 0], room.vectors[LOW, 0] - slack), room.vectors[HIGH, 0] + slack)
        middle, change = starts[k, n_times], _COOLING if which % 2 else -_COOLING
        starts[k, n_times], starts[k, n_times + 1] = middle + change, middle - change
        starts[k, n_times + 2] = starts[k, 1] + _COLOUR_TIMES[which // 2]
    return n_old * n_new


@compiled
def sort_starts(n_starts: int, starts: Any) -> int:
    """Sort the starts by chi2 and remove duplicates; returns their number."""
    for i in range(1, n_starts):
        for j in range(i, 0, -1):
            if starts[j, MAX_Q] < starts[j - 1, MAX_Q]:
                for k in range(MAX_Q + 2):
                    starts[j, k], starts[j - 1, k] = starts[j - 1, k], starts[j, k]
    n_left = min(n_starts, 1)
    for i in range(1, n_starts):
        before, scale = starts[n_left - 1], math.exp(starts[i, 1])
        is_same = starts[i, MAX_Q] - before[MAX_Q] <= _SAME * before[MAX_Q] and abs(starts[i, 1] - before[1]) <= _SAME
        if not (is_same and abs(starts[i, 0] - before[0]) <= _SAME * scale):
            for k in range(MAX_Q + 2):
                starts[n_left, k] = starts[i, k]
            n_left += 1
    return n_left


@compiled
def _keep_start(starts: Any, first_row: int, n_found: int, at_most: int, q: Any, chi2: float, sign: float) -> int:
    """Insert into the rows from `first_row` on, sorted by chi2, keeping the best; returns the new number of rows."""
    row = n_found
    while row > first_row and starts[row - 1, MAX_Q] > chi2:
        for j in range(MAX_Q + 2):
            starts[row, j] = starts[row - 1, j]
        row -= 1
    for j in range(MAX_Q):
        starts[row, j] = q[j]
    starts[row, MAX_Q], starts[row, MAX_Q + 1] = chi2, sign
    return min(n_found + 1, first_row + at_most)


@compiled
def _where_bright(data: Any) -> tuple[float, float, float]:
    """Centre and width [d] of the light curve, weighted by the squared signal to noise; time of the brightest point."""
    total = moment = second = 0.0
    best, peak = -math.inf, 0.0
    for i in range(len(data)):
        if data[i, FLUX] > 0:
            weight = data[i, WEIGHT] * data[i, FLUX] ** 2
            total += weight
            moment += weight * data[i, TIME]
        sure = data[i, FLUX] - 1.0 / math.sqrt(data[i, WEIGHT])
        if sure > best:
            best, peak = sure, data[i, TIME]
    centre = moment / total if total > 0 else peak
    for i in range(len(data)):
        if data[i, FLUX] > 0:
            second += data[i, WEIGHT] * data[i, FLUX] ** 2 * (data[i, TIME] - centre) ** 2
    width = math.sqrt(second / total) if total > 0 else 0.0
    return centre, max(width, 0.05), peak
