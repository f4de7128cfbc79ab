"""Where the steps begin, compiled: the best few of a coarse grid of times and time scales."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from redpoll.astro.fits.least_squares import evaluate
from redpoll.astro.fits.shapes import BAZIN, LENS, LINEXP, SIGMOID_TEMPERATURE
from redpoll.astro.fits.workspace import FLUX, MAX_Q, TIME, TRIAL, WEIGHT, compiled

N_STARTS = 3
"""How many starts are tried."""
_N_PLACES = 7
_SCALES = np.array([0.04, 0.15, 0.5, 1.6])
"""Time scales of the grid, in widths of the light curve."""
_IMPACTS = np.log(np.array([0.05, 0.3, 0.9]))
_TEMPERATURES = np.log(np.array([5000.0, 12000.0]))


@compiled
def search_grid(model: Any, points: Any, room: Any) -> int:
    """Leave the best start of each of the few best combinations of time scales in room.starts; their number."""
    centre, width, peak = _where_bright(points)
    n_second = 1
    if model.shape == BAZIN:
        n_second = len(_SCALES)
    elif model.shape == LENS:
        n_second = len(_IMPACTS)
    n_signs = 1 + model.has_both_signs
    n_temperatures = len(_TEMPERATURES) if model.temperature else 1
    n_found = 0
    q = room.vectors[TRIAL]
    for k in range(n_signs * len(_SCALES) * n_second * n_temperatures):
        sign, cell = 1.0 if k % n_signs == 0 else -1.0, k // n_signs
        first, cell = cell % len(_SCALES), cell // len(_SCALES)
        _set_start(model, first, cell % n_second, cell // n_second, width, q)
        best, best_time = math.inf, 0.0
        for place in range(_N_PLACES):
            q[0] = peak if place == 0 else centre + (place - 3.5) * 0.7 * width
            if model.shape == LINEXP:
                q[0] -= sign * math.exp(q[1])
            chi2 = evaluate(model, 0, sign, q, points, room)
            if chi2 < best:
                best, best_time = chi2, q[0]
        q[0] = best_time
        if best < math.inf:
            n_found = _keep_start(room.starts, n_found, q, best, sign)
    return n_found


@compiled
def _set_start(model: Any, first: int, second: int, third: int, width: float, q: Any) -> None:
    q[1] = math.log(_SCALES[first] * width)
    n_times = 2
    if model.shape == BAZIN:
        q[2] = math.log(_SCALES[second] * width)
        n_times = 3
    elif model.shape == LENS:
        q[2] = _IMPACTS[second]
        n_times = 3
    if model.temperature:
        q[n_times] = _TEMPERATURES[third]
    if model.temperature == SIGMOID_TEMPERATURE:
        q[n_times + 1] = q[n_times] - 0.2
        q[n_times + 2] = math.log(width)


@compiled
def _keep_start(starts: Any, n_found: int, q: Any, chi2: float, sign: float) -> int:
    """Insert into the list sorted by chi2, of which the best `N_STARTS` stay."""
    place = n_found
    while place > 0 and starts[place - 1, MAX_Q] > chi2:
        for j in range(MAX_Q + 2):
            starts[place, j] = starts[place - 1, j]
        place -= 1
    for j in range(MAX_Q):
        starts[place, j] = q[j]
    starts[place, MAX_Q], starts[place, MAX_Q + 1] = chi2, sign
    return min(n_found + 1, N_STARTS)


@compiled
def _where_bright(points: Any) -> tuple[float, float, float]:
    """Centre and width [d] of the light curve, weighted by the squared signal to noise; time of the brightest point."""
    data = points.data
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
