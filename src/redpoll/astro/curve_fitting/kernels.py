"""Fits of one model to many light curves at once, compiled.

A model is ``amplitude x shape(t, band; q) + baseline``. The amplitude and the baselines are linear, so for every ``q``
they are solved exactly, and steps are taken in the few parameters ``q`` alone.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from redpoll.astro.curve_fitting.least_squares import minimise, set_bounds
from redpoll.astro.curve_fitting.packing import (
    bin_points,
    centre_flux,
    copy_known,
    name_groups,
    pack,
    scale_flux,
    sort_points,
)
from redpoll.astro.curve_fitting.parameter_errors import write_errors
from redpoll.astro.curve_fitting.starts import (
    MAX_STARTS,
    change_temperatures,
    search_grid,
    sort_starts,
    with_constant_temperature,
)
from redpoll.astro.curve_fitting.workspace import (
    AMPLITUDE,
    CHI2,
    FIRST_AMPLITUDE,
    FIRST_Q,
    FLAT_CHI2,
    IS_CONVERGED,
    MAX_POINTS,
    MAX_Q,
    N_PARAMETERS,
    N_POINTS,
    SIGN,
    Answers,
    CurveModel,
    FitPoints,
    compiled,
    new_answers,
    new_room,
)
from redpoll.kernels import kernel

_GRID, _COLOURS, _BEST, _LAST = range(4)
"""The stages of a search: from the grid, with a changing temperature, the best of these, and on all points."""
_FEW, _MANY = 96, 40_000
"""Approximate number of points to which a light curve is averaged, before the last stage and in it."""
_ROUGH_STEPS, _MAX_STEPS = 6, 80
_ROUGH_GAIN, _FINE_GAIN = 1e-2, 1e-5
_DAMPING, _LAST_DAMPING = 1e-2, 1e-4
"""Damping of the first step on all points, where the start is nearly right."""
_N_BEST = 2


def fit_curves(
    model: CurveModel, mjd: Any, flux: Any, err: Any, frequency: Any, group: Any, offsets: Any, n_groups: int
) -> Answers:
    """Fit every curve; the arrays are contiguous float64, group and offsets int64, all checked by the caller."""
    answers = new_answers(len(offsets) - 1, n_groups)
    longest = int(np.diff(offsets).max(initial=1))
    capacity = longest + (2 * _FEW if longest <= _MANY else MAX_POINTS)
    space = FitPoints(np.empty((capacity, 5)), np.empty(capacity, np.int64), 1)
    labels = np.empty(n_groups, np.int64)
    room = new_room(n_groups, MAX_STARTS + 1)
    _fit_curves(model, mjd, flux, err, frequency, group, offsets, space, labels, room, answers)
    return answers


def _entry(source_hash: int) -> Callable[..., int]:
    """The compiled loop. Its cache is keyed by `source_hash` too, as numba would watch this file alone."""

    @kernel
    def loop(
        model: Any, mjd: Any, flux: Any, err: Any, frequency: Any, group: Any, offsets: Any, space: Any, labels: Any,
        room: Any, out: Any,
    ) -> int:  # fmt: skip
        for i in range(len(offsets) - 1):
            start, stop = offsets[i], offsets[i + 1]
            n = copy_known(mjd, flux, err, frequency, group, start, stop, space.data, space.group)
            origin = sort_points(n, space.data, space.group)
            scale = scale_flux(model.is_signed, n, space.data)
            n_bands, n_groups = name_groups(model.has_baseline or model.is_per_group, n, space.group, labels)
            n_linear = (n_groups if model.is_per_group else 1) + (n_groups if model.has_baseline else 0)
            out.counts[i, N_POINTS], out.counts[i, N_PARAMETERS] = n, model.n_q + n_linear
            is_enough = n >= model.n_q + n_linear and (n_bands > 1 or not model.temperature)
            if is_enough and 0 < abs(scale) < math.inf:
                points = FitPoints(space.data[:n], space.group[:n], n_groups)
                set_bounds(model, points.data, room.vectors)
                out.table[i, FLAT_CHI2] = centre_flux(model.has_baseline, points, room.sums)
                is_end = _search(model, points, space, room)
                if room.starts[0, MAX_Q] < math.inf:
                    out.counts[i, IS_CONVERGED] = is_end
                    _write(model, scale, origin, labels, n_groups, room, i, out)
        return source_hash

    return loop


_fit_curves = _entry(zlib.crc32(b"".join(p.read_bytes() for p in sorted(Path(__file__).parent.glob("*.py")))))


@compiled
def _search(model: Any, points: Any, space: Any, room: Any) -> bool:
    """Write the best parameters and chi2 to the first row of room.starts; returns whether the steps converged.

    A changing temperature is first fitted as constant; the best two fits then start cooling and heating models.
    """
    plain, starts, n_starts, is_end = with_constant_temperature(model), room.starts, 0, False
    starts[0, MAX_Q] = math.inf
    for stage in range(_GRID, _LAST + 1):
        if stage == _GRID or (stage == _LAST and len(points.data) > _FEW):
            curve = _gathered(points, space, room, _FEW if stage == _GRID else _MANY)
        if stage == _GRID:
            n_starts = search_grid(plain, points, curve, room)
        elif stage > _COLOURS:
            n_starts = min(n_starts, _N_BEST if stage == _BEST else 1)
        elif plain.n_q < model.n_q:
            n_starts = change_temperatures(model, n_starts, room)
        else:
            continue
        steps, gain = (_ROUGH_STEPS, _ROUGH_GAIN) if stage < _BEST else (_MAX_STEPS, _FINE_GAIN)
        damping = _LAST_DAMPING if stage == _LAST else _DAMPING
        for k in range(n_starts):
            now, sign = plain if stage == _GRID else model, starts[k, MAX_Q + 1]
            starts[k, MAX_Q], is_end = minimise(now, sign, starts[k], curve, room, steps, gain, damping)
        n_starts = sort_starts(n_starts, starts)
    return is_end


@compiled
def _gathered(points: Any, space: Any, room: Any, max_points: int) -> Any:
    """The points in rows, averaged if there are too many."""
    n = len(points.data)
    if n <= max_points:
        return pack(points, room)
    stop = n + bin_points(n, max_points, space)
    return pack(FitPoints(space.data[n:stop], space.group[n:stop], points.n_groups), room)


@compiled
def _write(model: Any, scale: float, origin: float, labels: Any, n_groups: int, room: Any, i: int, out: Any) -> None:
    """Write the results in the units of the data."""
    out.table[i, CHI2], out.table[i, SIGN] = room.starts[0, MAX_Q], room.starts[0, MAX_Q + 1]
    out.table[i, FIRST_AMPLITUDE] = room.sums[AMPLITUDE, 0] * scale
    for j in range(model.n_q):
        out.table[i, FIRST_Q + j] = room.starts[0, j] + (origin if j == 0 else 0.0)
    sums, covariance = out.sums[i], out.covariance[i]
    write_errors(model, room.starts[0], labels, n_groups, room, covariance, sums)
    for g in range(n_groups):
        for k in range(4):
            sums[k, labels[g]] *= scale if k < 2 else abs(scale)
    for j in range(model.n_q + 1):
        covariance[0, j] *= scale
        covariance[j, 0] *= scale
