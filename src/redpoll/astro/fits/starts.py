"""Where the steps begin, compiled: the best few of a coarse grid of times and time scales."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from redpoll.astro.fits.least_squares import quick_chi2
from redpoll.astro.fits.shapes import BAZIN, LENS, LINEXP, SIGMOID_TEMPERATURE
from redpoll.astro.fits.workspace import MAX_Q, compiled

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
    n_temperatures = len(_TEMPERATURES) if model.temperature else 1
    n_found = 0
    q = room.trial
    for k in range((1 + model.has_both_signs) * len(_SCALES) * n_second * n_temperatures):
        sign = 1.0 if k % (1 + model.has_both_signs) == 0 else -1.0
        cell = k // (1 + model.has_both_signs)
        first, cell = cell % len(_SCALES), cell // len(_SCALES)
        second, third = cell % n_second, cell // n_second
        best, best_time = math.inf, 0.0
        _set_start(model, first, second, third, width, q)
        for place in range(_N_PLACES):
            q[0] = peak if place == 0 else centre + (place - 3.5) * 0.7 * width
            if model.shape == LINEXP:
                q[0] -= sign * math.exp(q[1])
            chi2 = quick_chi2(model, sign, q, points, room)
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
    total = moment = 0.0
    best = -math.inf
    peak = points.t[0]
    for i in range(len(points.t)):
        if points.flux[i] > 0:
            weight = points.weight[i] * points.flux[i] ** 2
            total += weight
            moment += weight * points.t[i]
        sure = points.flux[i] - 1.0 / math.sqrt(points.weight[i])
        if sure > best:
            best, peak = sure, points.t[i]
    centre = moment / total if total > 0 else peak
    second = 0.0
    for i in range(len(points.t)):
        if points.flux[i] > 0:
            second += points.weight[i] * points.flux[i] ** 2 * (points.t[i] - centre) ** 2
    width = math.sqrt(second / total) if total > 0 else 0.0
    return centre, max(width, 0.05), peak
